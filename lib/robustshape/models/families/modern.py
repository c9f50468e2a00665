"""Convolutional networks of the time after transformers: large kernels, normalised layers, few activations."""

from functools import partial

from robustshape.models.families.table import enter

modern = partial(enter, "modern conv")


@modern("ConvNeXt", "Liu et al. 2022, arXiv 2201.03545", family="convnext")
def convnext_patch2(channels, size, n_classes):
    from timm.models.convnext import ConvNeXt

    depths, widths = (1, 1, 2, 1), (24, 48, 96, 128)
    return ConvNeXt(
        in_chans=channels, num_classes=n_classes, depths=depths, dims=widths, patch_size=2, ls_init_value=None
    )


@modern("ConvMixer", "Trockman, Kolter 2022, arXiv 2201.09792")
def convmixer(channels, size, n_classes):
    from timm.models.convmixer import ConvMixer

    return ConvMixer(64, 4, kernel_size=5, patch_size=4, in_chans=channels, num_classes=n_classes)


@modern("InceptionNeXt", "Yu et al. 2024, arXiv 2303.16900")
def inceptionnext(channels, size, n_classes):
    from timm.models.inception_next import MetaNeXt

    depths, widths = (1, 1, 2, 1), (24, 48, 96, 128)
    return MetaNeXt(in_chans=channels, num_classes=n_classes, depths=depths, dims=widths, ls_init_value=1.0)


@modern("MambaOut", "Yu, Wang 2025, arXiv 2405.07992")
def mambaout(channels, size, n_classes):
    from timm.models.mambaout import MambaOut

    depths, widths = (1, 1, 2, 1), (16, 32, 48, 64)
    return MambaOut(
        in_chans=channels, num_classes=n_classes, depths=depths, dims=widths, expansion_ratio=3, kernel_size=5
    )


@modern("EdgeNeXt", "Maaz et al. 2022, arXiv 2206.10589")
def edgenext(channels, size, n_classes):
    from timm.models.edgenext import EdgeNeXt

    widths, depths = (16, 32, 64, 96), (1, 2, 2, 2)
    return EdgeNeXt(
        in_chans=channels,
        num_classes=n_classes,
        dims=widths,
        depths=depths,
        heads=(4, 4, 4, 4),
        ls_init_value=1.0,
    )


@modern("PoolFormer", "Yu et al. 2022, arXiv 2111.11418")
def poolformer(channels, size, n_classes):
    from timm.layers import GroupNorm1
    from timm.models.metaformer import MetaFormer
    from torch import nn

    return MetaFormer(
        in_chans=channels,
        num_classes=n_classes,
        depths=(1, 1, 2, 1),
        dims=(24, 48, 96, 128),
        downsample_norm=None,
        mlp_act=nn.GELU,
        mlp_bias=True,
        norm_layers=GroupNorm1,
        res_scale_init_values=None,
        use_mlp_head=False,
    )


@modern("ConvFormer", "Yu et al. 2024, arXiv 2210.13452")
def convformer(channels, size, n_classes):
    from timm.models.metaformer import MetaFormer, SepConv

    depths, widths = (1, 1, 1, 1), (16, 32, 64, 96)
    return MetaFormer(
        in_chans=channels,
        num_classes=n_classes,
        depths=depths,
        dims=widths,
        token_mixers=SepConv,
        use_mlp_head=False,
    )


@modern("FocalNet", "Yang et al. 2022, arXiv 2203.11926")
def focalnet(channels, size, n_classes):
    from timm.models.focalnet import FocalNet

    return FocalNet(in_chans=channels, num_classes=n_classes, embed_dim=24, depths=(1, 1, 2), focal_levels=(2, 2, 2),
                    focal_windows=(3, 3, 3), drop_path_rate=0.0)  # fmt: skip


@modern("RDNet", "Kim et al. 2024, arXiv 2403.19588")
def rdnet(channels, size, n_classes):
    from timm.models.rdnet import RDNet

    return RDNet(
        in_chans=channels,
        num_classes=n_classes,
        growth_rates=(16, 24, 32),
        num_blocks_list=(2, 2, 2),
        block_type=("Block", "Block", "BlockESE"),
        is_downsample_block=(None, True, True),
        num_init_features=24,
        ls_init_value=1.0,
    )
