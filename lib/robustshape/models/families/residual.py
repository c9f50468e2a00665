"""Convolutional networks whose blocks are added to, or concatenated with, their inputs."""

from functools import partial

from robustshape.models.families.common import byobnet, from_timm, linear_head, unstrided
from robustshape.models.families.table import enter

residual = partial(enter, "conv, residual")
WIDTHS = (16, 32, 64, 128)  # of the four stages, one block each


def _resnet(channels, n_classes, block, **arguments):
    """Return timm's ResNet of four blocks, without the max-pooling: maps are 16 x 16 to 2 x 2 for 32 x 32 images."""
    from timm.models.resnet import ResNet
    from torch import nn

    network = ResNet(
        block,
        (1, 1, 1, 1),
        in_chans=channels,
        num_classes=n_classes,
        channels=WIDTHS,
        stem_type="deep",
        stem_width=8,
        **arguments,
    )
    network.maxpool = nn.Identity()
    return network


@residual("ResNet, 4 blocks", "He et al. 2016, arXiv 1512.03385", family="resnet")
def resnet_basic(channels, size, n_classes):
    from timm.models.resnet import BasicBlock

    return _resnet(channels, n_classes, BasicBlock)


@residual("ResNeXt", "Xie et al. 2017, arXiv 1611.05431")
def resnext(channels, size, n_classes):
    from timm.models.resnet import Bottleneck

    return _resnet(channels, n_classes, Bottleneck, cardinality=4, base_width=16)


@residual("SE-ResNet", "Hu et al. 2018, arXiv 1709.01507")
def se_resnet(channels, size, n_classes):
    from timm.models.resnet import BasicBlock

    return _resnet(channels, n_classes, BasicBlock, block_args={"attn_layer": "se"})


@residual("ECA-ResNet", "Wang et al. 2020, arXiv 1910.03151")
def eca_resnet(channels, size, n_classes):
    from timm.models.resnet import BasicBlock

    return _resnet(channels, n_classes, BasicBlock, block_args={"attn_layer": "eca"})


@residual("SK-ResNet", "Li et al. 2019, arXiv 1903.06586")
def sk_resnet(channels, size, n_classes):
    from timm.models.sknet import SelectiveKernelBasic

    arguments = {"sk_kwargs": {"rd_ratio": 1 / 8, "rd_divisor": 16, "split_input": True}}
    return _resnet(channels, n_classes, SelectiveKernelBasic, block_args=arguments, zero_init_last=False)


@residual("Res2Net", "Gao et al. 2021, arXiv 1904.01169")
def res2net(channels, size, n_classes):
    from timm.models.res2net import Bottle2neck

    return _resnet(channels, n_classes, Bottle2neck, base_width=16, block_args={"scale": 4})


@residual("ResNeSt", "Zhang et al. 2022, arXiv 2004.08955")
def resnest(channels, size, n_classes):
    from timm.models.resnest import ResNestBottleneck

    arguments = {"radix": 2, "avd": True, "avd_first": False}
    return _resnet(channels, n_classes, ResNestBottleneck, base_width=32, avg_down=True, block_args=arguments)


@residual("ResNet-v2", "He et al. 2016, arXiv 1603.05027")
def resnetv2(channels, size, n_classes):
    from timm.layers import BatchNormAct2d, create_conv2d
    from timm.models.resnetv2 import ResNetV2
    from torch import nn

    network = ResNetV2(
        (1, 1, 1, 1),
        channels=WIDTHS,
        in_chans=channels,
        num_classes=n_classes,
        stem_chs=16,
        stem_type="deep",
        basic=True,
        bottle_ratio=1.0,
        norm_layer=BatchNormAct2d,
        conv_layer=create_conv2d,
    )
    network.stem.pool = nn.Identity()
    return linear_head(network)


@residual("NFNet", "Brock et al. 2021, arXiv 2102.06171")
def nfnet(channels, size, n_classes):
    return from_timm("test_nfnet", channels, n_classes)


@residual("GENet", "Lin et al. 2020, arXiv 2006.14090")
def genet(channels, size, n_classes):
    from timm.models.byobnet import ByoBlockCfg

    kinds = (("basic", 32, 1.0), ("basic", 48, 1.0), ("bottle", 96, 0.25), ("bottle", 128, 1.0))
    blocks = tuple(ByoBlockCfg(type=kind, d=1, c=width, s=2, gs=0, br=ratio) for kind, width, ratio in kinds)
    return unstrided(byobnet(channels, n_classes, blocks=blocks, stem_chs=16))


@residual("RegNetX", "Radosavovic et al. 2020, arXiv 2003.13678", family="regnet")
def regnetx(channels, size, n_classes):
    return _regnet(channels, n_classes, se_ratio=0.0)


@residual("RegNetY", "Radosavovic et al. 2020, arXiv 2003.13678", family="regnet")
def regnety(channels, size, n_classes):
    return _regnet(channels, n_classes, se_ratio=0.25)


def _regnet(channels, n_classes, **arguments):
    from timm.models.regnet import RegNet, RegNetCfg

    shape = RegNetCfg(w0=24, wa=16.0, wm=1.6, group_size=8, depth=6, stem_width=16, **arguments)
    return unstrided(RegNet(shape, in_chans=channels, num_classes=n_classes))


@residual("DenseNet", "Huang et al. 2017, arXiv 1608.06993")
def densenet(channels, size, n_classes):
    from timm.models.densenet import DenseNet
    from torch import nn

    network = DenseNet(
        growth_rate=12, block_config=(3, 4, 4), num_classes=n_classes, in_chans=channels, stem_type="deep"
    )
    network.features.pool0 = nn.Identity()
    return network


@residual("HGNet-v2", "Zhao et al. 2024, arXiv 2304.08069")
def hgnetv2(channels, size, n_classes):
    from timm.models.hgnet import HighPerfGpuNet

    stages = {  # inputs, inner, outputs, blocks, halved, light, kernel, layers
        "stage1": (8, 8, 24, 1, False, False, 3, 3),
        "stage2": (24, 12, 48, 1, True, False, 3, 3),
        "stage3": (48, 16, 96, 1, True, True, 5, 3),
        "stage4": (96, 32, 128, 1, True, True, 5, 3),
    }
    shape = {"stem_type": "v2", "stem_chs": (8, 8), **stages}
    return unstrided(
        HighPerfGpuNet(shape, in_chans=channels, num_classes=n_classes, head_hidden_size=None, use_lab=True)
    )


@residual("DLA", "Yu et al. 2018, arXiv 1707.06484")
def dla(channels, size, n_classes):
    from timm.models.dla import DLA, DlaBasic

    widths = (8, 8, 16, 32, 64, 128)
    return linear_head(
        DLA((1, 1, 1, 1, 1, 1), widths, in_chans=channels, num_classes=n_classes, block=DlaBasic)
    )


@residual("VoVNet", "Lee et al. 2020, arXiv 1911.06667")
def vovnet(channels, size, n_classes):
    from timm.models.vovnet import VovNet

    shape = {
        "stem_chs": (16, 16, 16),
        "stage_conv_chs": (16, 20, 24, 28),
        "stage_out_chs": (28, 64, 96, 128),
        "layer_per_block": 3,
        "block_per_stage": (1, 1, 1, 1),
        "residual": True,
        "depthwise": True,
        "attn": "ese",
    }
    return unstrided(VovNet(shape, num_classes=n_classes, in_chans=channels))
