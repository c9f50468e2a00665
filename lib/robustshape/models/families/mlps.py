"""Networks of linear layers alone: between the pixels of an image, between its patches, between their channels."""

from functools import partial

from robustshape.models.families.table import enter

mlp = partial(enter, "mlp")


@mlp("MLP-Mixer", "Tolstikhin et al. 2021, arXiv 2105.01601")
def mlp_mixer(channels, size, n_classes):
    return _mixer(channels, size, n_classes, mlp_ratio=(0.5, 2.0))


@mlp("ResMLP", "Touvron et al. 2023, arXiv 2105.03404")
def resmlp(channels, size, n_classes):
    from timm.models.mlp_mixer import Affine, ResBlock

    block = partial(ResBlock, init_values=0.1)
    return _mixer(channels, size, n_classes, mlp_ratio=2, block_layer=block, norm_layer=Affine)


@mlp("gMLP", "Liu et al. 2021, arXiv 2105.08050")
def gmlp(channels, size, n_classes):
    from timm.layers import GatedMlp
    from timm.models.mlp_mixer import SpatialGatingBlock

    block = {"block_layer": SpatialGatingBlock, "mlp_layer": GatedMlp}
    return _mixer(channels, size, n_classes, mlp_ratio=4, **block)


def _mixer(channels, size, n_classes, **arguments):
    from timm.models.mlp_mixer import MlpMixer

    return MlpMixer(
        num_classes=n_classes,
        img_size=size,
        in_chans=channels,
        patch_size=4,
        num_blocks=4,
        embed_dim=64,
        **arguments,
    )
