"""A network from its name alone, for its size: built without memory for its weights; nothing is read or downloaded."""

from dataclasses import dataclass

PHOTOGRAPH = 224  # pixels


@dataclass(frozen=True)
class Images:
    """What networks of ours are made for: side in pixels, channels, classes and training images of a data set."""

    side: int
    channels: int
    classes: int
    n_train: int


def build(name: str, images: Images, device: str = "meta"):
    """Return (untrained module, side, channels) of its images; on the device ``meta`` it takes no memory."""
    import torch

    from robustshape.models import architectures, file_models, timm_models, torchvision_models
    from robustshape.models.zoo_names import parse

    prefix, _, rest = name.partition(":")
    with torch.device(device):
        if prefix == "zoo":
            shape = {"channels": images.channels, "size": images.side, "n_classes": images.classes}
            module, side, channels = (
                architectures.construct(parse(rest)[0], **shape),
                images.side,
                images.channels,
            )
        elif prefix == "file":
            module, look = file_models.construct(rest), file_models.preprocessing(rest)
            side, channels = max(look.size or (images.side,)), look.channels or images.channels
        elif prefix == "timm":
            module = timm_models.construct(rest)
            channels, side, _ = module.pretrained_cfg["input_size"]
        else:
            module, side, channels = torchvision_models.construct(rest), PHOTOGRAPH, 3
    return module.eval(), side, channels


def training(name: str, images: Images, epochs: int = 0) -> tuple[int, int]:
    """Return how many images a training sees, and an adversary's steps for each; (0, 0) for what is only loaded.

    >>> training("zoo:lenet-pgd", Images(side=32, channels=1, classes=10, n_train=3500)), training("timm:resnet50", None)
    ((42000, 2), (0, 0))
    """
    from robustshape.models import source_of
    from robustshape.models.recipes import recipe_for
    from robustshape.models.zoo_names import parse
    from robustshape.training.recipe import epochs_for

    if not source_of(name).trained_here:
        return 0, 0
    architecture, recipe_name, _ = parse(name.partition(":")[2])
    recipe = recipe_for(architecture, recipe_name, images.channels)
    n = min(recipe.n_images or images.n_train, images.n_train)
    return n * (epochs or epochs_for(recipe, n)), recipe.adversary_steps if recipe.adversary_eps else 0
