"""Everything but the images and the seed that decides how a generator is trained."""

from dataclasses import dataclass

from robustshape.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to train; the defaults are made for small grey images."""

    n_images: int = 800_000  # real ones shown to the discriminator
    batch_size: int = 16  # steps teach more than images: with 32 twice as many images are needed
    z_dim: int = 64
    w_dim: int = 64
    channel_base: int = 512  # maps at resolution r have min(channel_base // r, channel_max) channels
    channel_max: int = 64
    mapping_layers: int = 2
    architecture: str = "resnet"  # of the discriminator: resnet | skip | orig
    learning_rate: float = 0.0025
    r1_gamma: float = 0.05
    r1_every: int = 16  # steps between two penalties on the gradient, each so much stronger
    path_weight: float = 0.0  # of the penalty on path lengths; 0: none
    path_every: int = 4
    augmentation: bool = True  # adaptive: its probability starts at 0
    ema_images: int = 10_000  # half-life of the averaged weights, which make the images
    mixed_precision: bool = False  # bfloat16 on CUDA, but for the penalties; ignored elsewhere

    def __post_init__(self):
        if self.n_images < 1 or self.batch_size < 4 or self.batch_size % 4:
            raise InputError(
                f"n_images is at least 1 and batch_size a multiple of 4 (images are compared in fours), but they were "
                f"{self.n_images} and {self.batch_size}"
            )
        if self.r1_every < 1 or self.path_every < 1:
            raise InputError(
                f"r1_every and path_every are at least 1, but were {self.r1_every} and {self.path_every}"
            )
