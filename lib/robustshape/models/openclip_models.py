"""``openclip:ARCH/TAG``: CLIP-like networks as zero-shot classifiers (Ilharco et al. 2021, OpenCLIP).

The features are those of ``encode_image``: ``penultimate`` (also ``embedding``) as they are, ``unit_embedding``
divided by their norm. The logits are zero-shot, of the classes of a data set: see `zero_shot`.
A checkpoint of your own is ARCH/TAG.safetensors in a folder of ROBUSTSHAPE_DATA, with any TAG.
"""

from robustshape.download import check_answers, hugging_face
from robustshape.errors import InputError, MissingFileError
from robustshape.models.weights import download, find_weights, sha256
from robustshape.paths import cache_dir, offline
from robustshape.registry import unknown_name

HOW_TO_LIST = "robustshape list models 'openclip:*'"
HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


def names() -> list[str]:
    """Return all pairs of architecture and tag that open_clip knows."""
    import open_clip

    return [f"openclip:{arch}/{tag}" for arch, tag in open_clip.list_pretrained()]


def _files(name: str) -> list[str]:
    own = [f"{stem}{end}" for stem in (name, name.replace("/", ".")) for end in (".safetensors", ".pt")]
    return [*own, *(f"{name}/{file}" for file in HUB_FILES)]


def _found(name: str):
    """Return (architecture, tag, local file or None); refuse what is neither known nor here."""
    import open_clip

    architecture, _, tag = name.partition("/")
    path = find_weights(*_files(name))
    known = f"openclip:{name}" in names() if path is None else architecture in open_clip.list_models()
    if known and tag:
        return architecture, tag, path
    ours = set(open_clip.list_models()) - {pair[0] for pair in open_clip.list_pretrained()}
    if tag and architecture in ours:
        raise MissingFileError(
            f"openclip:{name} is a checkpoint of your own, but {_files(name)[0]} lies in no folder of "
            f"ROBUSTSHAPE_DATA nor in {cache_dir('weights')}; put it there"
        )
    raise unknown_name("model", f"openclip:{name}", names(), HOW_TO_LIST)


def _words(dataset, classes, templates):
    """Return (class names, templates), checked."""
    from robustshape.models.zero_shot import class_names_of, templates_of

    if classes is not None and dataset is not None:
        raise InputError("give the class names (classes=) or a data set that has them (dataset=), not both")
    words = tuple(classes) if classes is not None else class_names_of(dataset)
    if isinstance(classes, str) or len(words) < 2 or (classes is not None and len(set(words)) < len(words)):
        raise InputError(
            f"a zero-shot classifier needs at least two class names, all different, but was given {classes or words}"
        )
    return words, templates_of(templates, words)


def identity(name: str, *, dataset=None, classes=None, templates=None) -> dict:
    """Return architecture, tag, class names and templates, and the checksum of a local file if one is read."""
    path = _found(name)[2]
    words, sentences = _words(dataset, classes, templates)
    return {
        "source": "openclip",
        "name": name,
        "weights": sha256(path) if path else "hub",
        "classes": list(words),
        "templates": list(sentences),
    }


def page(architecture: str, tag: str) -> str:
    """Return where a person finds the weights.

    >>> page("ViT-B-32", "laion2b_s34b_b79k")
    'https://huggingface.co/laion/CLIP-ViT-B-32-laion2B-s34B-b79K'
    """
    import open_clip

    config = open_clip.get_pretrained_cfg(architecture, tag)
    hub = config.get("hf_hub", "").strip("/")
    return f"https://huggingface.co/{hub}" if hub else config["url"]


def _size(architecture: str) -> str:
    """Return the size of a file of weights in words, from the architecture: hubs publish none beforehand."""
    import open_clip
    import torch

    with torch.device("meta"):
        clip = open_clip.create_model(architecture, load_weights=False, device="meta")
    return f"about {sum(4 * p.numel() for p in clip.parameters()) / 1e6:,.0f} MB in single precision"


def _from_hub(architecture: str, tag: str, config: dict, **options):
    """Return the network with the hub's weights, from the cache or by open_clip's own checked download."""
    import open_clip
    from huggingface_hub import try_to_load_from_cache

    name, folder = f"{architecture}/{tag}", str(cache_dir("weights"))
    hub = config.get("hf_hub", "").strip("/")
    for file in HUB_FILES if hub.count("/") == 1 else ():
        cached = try_to_load_from_cache(hub, file, cache_dir=folder)
        if isinstance(cached, str):
            return open_clip.create_model(architecture, pretrained=cached, **options)
    return download(
        f"openclip:{name} from {page(architecture, tag)}",
        _files(name)[:1],
        lambda: open_clip.create_model(architecture, pretrained=tag, cache_dir=folder, **options),
        _size(architecture),
    )


def _tokeniser(architecture: str):
    """Return the function from texts to tokens; open_clip brings its own, some architectures need a hub's."""
    import open_clip

    text = open_clip.get_model_config(architecture)["text_cfg"]
    if not text.get("hf_tokenizer_name") and "siglip" not in architecture.lower():
        return open_clip.get_tokenizer(architecture)
    what = text.get("hf_tokenizer_name") or "SigLIP's vocabulary"
    if offline():
        raise MissingFileError(
            f"openclip:{architecture} reads texts with {what}, which a hub provides, and ROBUSTSHAPE_OFFLINE "
            "forbids the download; unset it"
        )
    check_answers(hugging_face(), f"fetch {what} where there is one, into {cache_dir('weights')}")
    try:
        return open_clip.get_tokenizer(architecture, cache_dir=str(cache_dir("weights")))
    except (ImportError, OSError, RuntimeError) as error:
        raise MissingFileError(
            f"openclip:{architecture} reads texts with {what}, which could not be had "
            f"({' '.join(str(error).split())[:200]}); pip install transformers sentencepiece, and try again online"
        ) from error


def _preprocessing(visual, config: dict):
    import open_clip

    from robustshape.models.preprocessing import Preprocessing
    from robustshape.models.resizing import Squash

    size = visual.image_size
    size = (size, size) if isinstance(size, int) else tuple(size)
    kind = Squash if config.get("resize_mode") == "squash" else Preprocessing
    return kind(
        channels=3,
        size=size,
        resize=min(size),
        interpolation=config.get("interpolation", "bicubic"),
        mean=tuple(config.get("mean") or open_clip.OPENAI_DATASET_MEAN),
        std=tuple(config.get("std") or open_clip.OPENAI_DATASET_STD),
    )


def load(name: str, *, dataset=None, classes=None, templates=None, device: str = "cpu"):
    """Return the zero-shot Classifier of a data set's classes.

    Parameters
    ----------
    name : str
        ARCH/TAG.
    dataset : str, optional
        The data set whose classes to tell apart, such as ``cifar10``; None: ImageNet's 1,000.
    classes : sequence of str, optional
        Class names in words, in the order of the labels, in place of `dataset`.
    templates : str or sequence of str, optional
        See `robustshape.models.zero_shot.templates_of`.

    Raises
    ------
    InputError
        If the name, the data set or the templates do not exist, or a file does not fit.
    MissingFileError, DownloadError
        If weights are neither here nor can be downloaded.
    """
    import open_clip

    from robustshape.models.classifier import Classifier
    from robustshape.models.zero_shot import ZeroShot, text_directions

    architecture, tag, path = _found(name)
    spec = identity(name, dataset=dataset, classes=classes, templates=templates)
    config = open_clip.get_pretrained_cfg(architecture, tag) or {}
    quick = {"force_quick_gelu": bool(config.get("quick_gelu"))}
    tokenise = _tokeniser(architecture)
    if path is None:
        clip = _from_hub(architecture, tag, config, **quick)
    else:
        try:
            clip = open_clip.create_model(architecture, pretrained=str(path), **quick)
        except Exception as error:  # three libraries raise many kinds for a file that does not fit
            reason = " ".join(str(error).split())[:300]
            raise InputError(f"the weights {path} cannot be read as a {architecture}: {reason}") from error
    clip.eval()
    directions = text_directions(clip, tokenise, spec["classes"], spec["templates"])
    return Classifier(
        name=f"openclip:{name}",
        module=ZeroShot(clip.visual, directions, float(clip.logit_scale.detach().exp())),
        preprocess=_preprocessing(clip.visual, config),
        head="head",
        n_classes=len(spec["classes"]),
        identity=spec,
        about={
            "family": architecture,
            "recipe": tag,
            "trains_on": (),
            "licence": "see the model's page",
            "citation": "Ilharco et al. 2021, OpenCLIP, doi:10.5281/zenodo.5143773",
        },
        device=device,
    )
