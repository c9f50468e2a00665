"""A network built as a file says, if the file holds as many numbers: a few bytes of settings make room for nothing."""

from pathlib import Path

from robustshape.errors import StoreError
from robustshape.generators.stylegan2.generator import widths

LARGEST = 1 << 16  # of any setting: the official networks have at most 32,768 (channel_base)


def built(kind, settings: dict, n_numbers: int, path: Path):
    """Return an untrained `kind` (**settings).

    Parameters
    ----------
    kind : class
        `Generator` or `Discriminator`.
    n_numbers : int
        How many numbers the file's tensors have.
    path : Path
        For the messages.

    Raises
    ------
    StoreError
        If a tensor of such a network has more numbers than the file, or a setting is out of all proportion.
    """
    for name, value in settings.items():
        if isinstance(value, int | float) and not -LARGEST <= value <= LARGEST:
            raise StoreError(
                f"{path} says that {name} is {str(value)[:20]}, but it is at most {LARGEST:,}; replace it"
            )
    if settings.get("mapping_layers", 0) > 100:
        raise StoreError(
            f"{path} says that its network has {settings['mapping_layers']} mapping_layers; replace it"
        )
    needed = _largest(settings)
    if needed > n_numbers:
        raise StoreError(
            f"{path} says that its network has a tensor of {needed:,} numbers, but it holds {n_numbers:,}; replace it"
        )
    return kind(**settings)


def _largest(settings: dict) -> int:
    """Return how many numbers the largest tensor has: a convolution, a layer of the mapping or the noise of an image.

    >>> _largest({"img_resolution": 8, "channel_base": 64, "channel_max": 8, "z_dim": 4, "w_dim": 16})
    576
    """
    settings = {"channel_base": 32768, "channel_max": 512} | settings  # the constructors' own
    if "img_resolution" not in settings:
        return 0  # the constructor refuses them
    widest = max(
        widths(*(settings[name] for name in ("img_resolution", "channel_base", "channel_max"))).values()
    )
    sizes = [9 * widest**2]
    if "w_dim" in settings:
        sizes += [settings.get(name, 0) * settings["w_dim"] for name in ("z_dim", "c_dim")]
        sizes.append(settings["img_resolution"] ** 2)
    return max(sizes)
