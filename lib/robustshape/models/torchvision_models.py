"""``torchvision:NAME`` or ``torchvision:NAME/WEIGHTS``, such as ``torchvision:resnet50/IMAGENET1K_V1``."""

from unittest import mock

from robustshape.errors import InputError, StoreError
from robustshape.models.weights import download, find_weights, read_weights, sha256, with_versions
from robustshape.paths import cache_dir
from robustshape.registry import unknown_name

HOW_TO_LIST = "robustshape list models 'torchvision:*'"


def names() -> list[str]:
    """Return the names of torchvision's classifiers (with their default weights)."""
    import torchvision

    return [f"torchvision:{name}" for name in torchvision.models.list_models(module=torchvision.models)]


def _weights(name: str):
    """Return (architecture, member of torchvision's enumeration of its weights)."""
    import torchvision

    architecture, slash, tag = name.partition("/")
    if f"torchvision:{architecture}" not in names():
        raise unknown_name("model", f"torchvision:{name}", names(), HOW_TO_LIST)
    known = torchvision.models.get_model_weights(architecture)
    if slash and tag not in known.__members__:
        tags = [f"torchvision:{architecture}/{member.name}" for member in known]
        raise unknown_name(
            "model",
            f"torchvision:{name}",
            tags,
            f"list(torchvision.models.get_model_weights({architecture!r}))",
        )
    return architecture, known[tag] if slash else known.DEFAULT


def _files(architecture: str, weights) -> list[str]:
    return [f"{architecture}.safetensors", weights.url.rpartition("/")[2]]


def _local(architecture: str, weights):
    """Return the file that is read, or None: a .safetensors, else torchvision's own, whose name ends in its hash."""
    own, hub = _files(architecture, weights)
    path = find_weights(own)
    if path is None and (path := find_weights(hub)) is not None:
        expected = hub.rpartition("-")[2].partition(".")[0]
        if not sha256(path).startswith(f"sha256:{expected}"):
            raise StoreError(
                f"{path} has {sha256(path)}, but the name says {expected}...; get the file again from {weights.url}"
            )
    return path


def identity(name: str) -> dict:
    """Return architecture and weights, and the checksum of a .safetensors where that is what is read."""
    architecture, weights = _weights(name)
    local = find_weights(_files(architecture, weights)[0])
    full = f"{architecture}/{weights.name}"
    return {"source": "torchvision", "name": full, "weights": sha256(local) if local else "hub"}


def construct(name: str, **arguments):
    """Return the untrained network."""
    import torchvision

    architecture, _ = _weights(name)
    return torchvision.models.get_model(architecture, weights=None, **arguments)


def pretrained(architecture: str, weights, state: dict, whence):
    """Return the network that torchvision's own builder makes of the weights `state`, read from `whence`.

    Some builders do more than to load: those of GoogLeNet and Inception v3 then also change the network's input,
    and those of DenseNets rename tensors.
    """
    import torchvision

    def built(state):
        with mock.patch.object(type(weights), "get_state_dict", lambda *_, **__: with_versions(state, state)):
            return torchvision.models.get_model(architecture, weights=weights)

    try:
        if hasattr(state, "_metadata") or not architecture.startswith("mnasnet"):
            return built(state)
        return built(
            with_versions(state, construct(architecture).state_dict())
        )  # of a .safetensors, which has none
    except RuntimeError as error:
        raise InputError(
            f"the weights {whence} do not fit torchvision:{architecture}: {' '.join(str(error).split())[:400]}"
        ) from error


def preprocessing_of(name: str):
    """Return the preprocessing that torchvision has for these weights."""
    from robustshape.models.preprocessing import Preprocessing

    asked = _weights(name)[1].transforms()
    return Preprocessing(
        channels=3,
        size=(asked.crop_size[0], asked.crop_size[0]),
        resize=asked.resize_size[0],
        interpolation=asked.interpolation.value,
        mean=tuple(asked.mean),
        std=tuple(asked.std),
    )


def load(name: str, *, device: str = "cpu"):
    """Return the Classifier: weights from a local file, the cache, or torchvision's own download."""
    import torch

    from robustshape.models.classifier import Classifier
    from robustshape.models.examining import examined

    architecture, weights = _weights(name)
    spec, files = identity(name), _files(architecture, weights)
    path = _local(architecture, weights)
    if path is not None:
        state = read_weights(path)
    else:
        state = download(
            f"torchvision:{spec['name']}",
            files,
            lambda: torch.hub.load_state_dict_from_url(
                weights.url, cache_dir("weights"), progress=False, check_hash=True, weights_only=True
            ),
            f"{weights.meta['_file_size']:.0f} MB",
            hub=weights.url,
        )
    preprocess = preprocessing_of(name)
    full = f"torchvision:{spec['name']}"
    module = pretrained(architecture, weights, state, path or weights.url)
    module, head, n_classes = examined(
        module, preprocess, name=full, n_classes=len(weights.meta["categories"])
    )
    return Classifier(
        name=full,
        module=module,
        preprocess=preprocess,
        head=head,
        n_classes=n_classes,
        identity=spec,
        about={
            "family": architecture,
            "recipe": weights.name,
            "trains_on": (),
            "licence": "BSD-3-Clause",
            "citation": "TorchVision maintainers 2016, github.com/pytorch/vision",
        },
        device=device,
    )
