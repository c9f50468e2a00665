"""``openclip:ARCH/TAG``: CLIP image encoders with a zero-shot head (Radford et al. 2021, arXiv 2103.00020).

The penultimate features are the image embeddings divided by their norm; the head's rows are the embeddings of
"a photo of a CLASS." times the learnt scale. One template instead of the paper's eighty.
"""

from robustshape.errors import InputError
from robustshape.models.weights import download, find_weights, sha256
from robustshape.paths import cache_dir
from robustshape.registry import unknown_name

HOW_TO_LIST = "robustshape list models 'openclip:*'"
TEMPLATE = "a photo of a {}."


def names() -> list[str]:
    """Return all pairs of architecture and tag that open_clip knows."""
    import open_clip

    return [f"openclip:{arch}/{tag}" for arch, tag in open_clip.list_pretrained()]


def _files(name: str) -> list[str]:
    return [f"{name}.safetensors", f"{name.replace('/', '.')}.safetensors"]


def _found(name: str):
    """Return (architecture, tag, local file or None); refuse what is neither known nor here."""
    import open_clip

    architecture, _, tag = name.partition("/")
    path = find_weights(*_files(name))
    known = f"openclip:{name}" in names() if path is None else architecture in open_clip.list_models()
    if not known or not tag:
        raise unknown_name("model", f"openclip:{name}", names(), HOW_TO_LIST)
    return architecture, tag, path


def identity(name: str, *, classes=None) -> dict:
    """Return architecture, tag, class names and template, and the checksum of a local file if one is read."""
    path = _found(name)[2]
    return {
        "source": "openclip",
        "name": name,
        "weights": sha256(path) if path else "hub",
        "classes": list(classes) if classes is not None else "imagenet",
        "template": TEMPLATE,
    }


def load(name: str, *, classes=None, device: str = "cpu"):
    """Return the Classifier of `classes` (names in words; default the 1,000 of ImageNet)."""
    import open_clip
    import torch
    from torch import nn
    from torch.nn import functional as F

    from robustshape.models.classifier import Classifier
    from robustshape.models.preprocessing import Preprocessing

    class ZeroShot(nn.Module):
        """Image encoder, normalisation, and a linear head made of text embeddings."""

        def __init__(self, visual, rows):
            super().__init__()
            self.visual = visual
            self.head = nn.Linear(rows.shape[1], rows.shape[0], bias=False)
            self.head.weight = nn.Parameter(rows)

        def forward(self, x):
            return self.head(F.normalize(self.visual(x), dim=-1))

    architecture, tag, path = _found(name)
    if classes is not None and len(classes) < 2:
        raise InputError(f"a zero-shot classifier needs at least two class names, but was given {classes}")
    spec, config = identity(name, classes=classes), open_clip.get_pretrained_cfg(architecture, tag) or {}
    quick = {"force_quick_gelu": bool(config.get("quick_gelu"))}
    if path is not None:
        clip = open_clip.create_model(architecture, pretrained=str(path), **quick)
    else:
        clip = download(
            f"openclip:{name}",
            _files(name),
            lambda: open_clip.create_model(
                architecture, pretrained=tag, cache_dir=str(cache_dir("weights")), **quick
            ),
        )
    words = list(classes) if classes is not None else open_clip.IMAGENET_CLASSNAMES
    with torch.no_grad():
        tokens = open_clip.get_tokenizer(architecture)([TEMPLATE.format(word) for word in words])
        rows = F.normalize(torch.cat([clip.encode_text(part) for part in tokens.split(64)]), dim=-1)
        rows = rows * clip.logit_scale.exp()
    size = clip.visual.image_size
    size = (size, size) if isinstance(size, int) else tuple(size)
    return Classifier(
        name=f"openclip:{name}",
        module=ZeroShot(clip.visual, rows),
        preprocess=Preprocessing(
            channels=3,
            size=size,
            resize=min(size),
            interpolation=config.get("interpolation", "bicubic"),
            mean=tuple(config.get("mean") or open_clip.OPENAI_DATASET_MEAN),
            std=tuple(config.get("std") or open_clip.OPENAI_DATASET_STD),
        ),
        head="head",
        n_classes=len(words),
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
