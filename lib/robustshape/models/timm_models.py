"""``timm:ARCHITECTURE.TAG``: the networks of timm (Wightman 2019, doi:10.5281/zenodo.4414861), with its preprocessing."""

import math

from robustshape.errors import InputError, StoreError
from robustshape.models.weights import download, find_weights, sha256
from robustshape.paths import cache_dir
from robustshape.registry import unknown_name

HOW_TO_LIST = "robustshape list models 'timm:*'"


def names() -> list[str]:
    """Return the names of all networks that timm has weights for."""
    import timm

    return [f"timm:{name}" for name in timm.list_models(pretrained=True)]


def _config(name: str):
    """Return timm's configuration of the weights `name`; the tag is its default one if left out."""
    import timm

    try:
        config = (
            timm.models.get_pretrained_cfg(name) if name.partition(".")[0] in timm.list_models() else None
        )
    except RuntimeError:  # a tag that the network does not have
        config = None
    if config is None:
        raise unknown_name("model", f"timm:{name}", names(), HOW_TO_LIST)
    return config


def _full_name(name: str) -> str:
    tag = _config(name).tag
    return f"{name.partition('.')[0]}.{tag}" if tag else name


def _files(full: str) -> list[str]:
    return [f"{full}.safetensors", f"{full}/model.safetensors"]


def identity(name: str) -> dict:
    """Return architecture and tag, and the checksum of a file of the reader's own where that is what is read."""
    config, full = _config(name), _full_name(name)
    local = find_weights(*_files(full))
    return {
        "source": "timm",
        "name": full,
        "weights": sha256(local) if local else "hub",
        **({"resizing": "squash"} if _squashed(full, config.crop_mode, config.crop_pct) else {}),
    }


def construct(name: str, **arguments):
    """Return the untrained network."""
    import timm

    _config(name)
    return timm.create_model(name, pretrained=False, **arguments)


def _squashed(full: str, mode: str, crop_pct: float) -> bool:
    """Return whether images of any shape are squashed to the network's size; refuse what we cannot do."""
    if mode == "center":
        return False
    if mode == "squash" and crop_pct == 1:
        return True
    raise InputError(
        f"timm prepares the images of timm:{full} by the crop mode {mode!r} (crop_pct {crop_pct}), which is "
        f"not offered here; write a file: card with the constructor timm:{full} and a preprocessing of your own"
    )


def preprocessing_of(module, full: str):
    """Return the preprocessing that timm's configuration of the network, called `full`, asks for.

    Raises
    ------
    InputError
        If it fills images of another shape up to the network's, or cuts into squashed ones.
    """
    import timm

    from robustshape.models.preprocessing import Preprocessing
    from robustshape.models.resizing import Squash

    data = timm.data.resolve_model_data_config(module)
    channels, height, width = data["input_size"]
    kind = Squash if _squashed(full, data["crop_mode"], data["crop_pct"]) else Preprocessing
    return kind(
        channels=channels,
        size=(height, width),
        resize=math.floor(min(height, width) / data["crop_pct"]),
        interpolation="bilinear" if data["interpolation"] == "bilinear" else "bicubic",
        mean=tuple(data["mean"]),
        std=tuple(data["std"]),
    )


def _from_file(full: str, path):
    """Return the network with the weights of a file, renamed where timm renames the published ones."""
    import timm

    try:
        return timm.create_model(full, pretrained=True, pretrained_cfg_overlay={"file": str(path)})
    except RuntimeError as error:
        raise InputError(
            f"the weights {path} do not fit timm:{full}: {' '.join(str(error).split())[:400]}"
        ) from error
    except Exception as error:  # safetensors and timm raise many kinds for a damaged file
        raise StoreError(f"the weights {path} cannot be read ({error}); get the file again") from error


def load(name: str, *, device: str = "cpu"):
    """Return the Classifier: weights from a local file, the cache, or timm's own download."""
    import timm
    from huggingface_hub import try_to_load_from_cache

    from robustshape.models.classifier import Classifier
    from robustshape.models.examining import examined

    config, full, spec = _config(name), _full_name(name), identity(name)
    path = find_weights(*_files(full))
    if path is None and config.hf_hub_id:
        cached = try_to_load_from_cache(config.hf_hub_id, "model.safetensors", cache_dir=cache_dir("weights"))
        path = cached if isinstance(cached, str) else None
    if path is not None:
        module = _from_file(full, path)
    else:
        module = download(
            f"timm:{full}",
            _files(full)[:1],
            lambda: timm.create_model(full, pretrained=True, cache_dir=cache_dir("weights")),
            hub=None if config.hf_hub_id else config.url,
        )
    preprocess = preprocessing_of(module, full)
    module, head, n_classes = examined(module, preprocess, name=f"timm:{full}")
    return Classifier(
        name=f"timm:{full}",
        module=module,
        preprocess=preprocess,
        head=head,
        n_classes=n_classes,
        identity=spec,
        about={
            "family": full.partition(".")[0],
            "recipe": config.tag or "",
            "trains_on": (),
            "licence": config.license or "not stated",
            "citation": "Wightman 2019, PyTorch Image Models, doi:10.5281/zenodo.4414861",
        },
        device=device,
    )
