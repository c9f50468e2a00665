"""Networks made for telephones: separable convolutions, inverted residuals, cheap features."""

from functools import partial

from robustshape.models.families.common import byobnet, from_timm, unstrided
from robustshape.models.families.table import enter

mobile = partial(enter, "mobile")
# (kernel, inner width, width, squeeze-excitation, stride) of each block of a stage
GHOSTS = (((3, 16, 16, 0, 1),), ((3, 48, 24, 0, 2),), ((5, 72, 40, 0.25, 2),), ((3, 160, 80, 0.25, 2),))


@mobile("MobileNetV2", "Sandler et al. 2018, arXiv 1801.04381")
def mobilenetv2(channels, size, n_classes):
    return unstrided(from_timm("mobilenetv2_035", channels, n_classes))


@mobile("MobileNetV3", "Howard et al. 2019, arXiv 1905.02244")
def mobilenetv3(channels, size, n_classes):
    return unstrided(from_timm("mobilenetv3_small_050", channels, n_classes))


@mobile("MobileNetV4", "Qin et al. 2024, arXiv 2404.10518")
def mobilenetv4(channels, size, n_classes):
    return unstrided(from_timm("mobilenetv4_conv_small_035", channels, n_classes))


@mobile("LCNet", "Cui et al. 2021, arXiv 2109.15099")
def lcnet(channels, size, n_classes):
    return unstrided(from_timm("lcnet_035", channels, n_classes))


@mobile("TinyNet", "Han et al. 2020, arXiv 2010.14819")
def tinynet(channels, size, n_classes):
    return from_timm("tinynet_e", channels, n_classes)


@mobile("MnasNet", "Tan et al. 2019, arXiv 1807.11626")
def mnasnet(channels, size, n_classes):
    return unstrided(from_timm("mnasnet_small", channels, n_classes))


@mobile("SE-MnasNet", "Tan et al. 2019, arXiv 1807.11626", family="mnasnet")
def semnasnet(channels, size, n_classes):
    return from_timm("semnasnet_050", channels, n_classes)


@mobile("EfficientNet", "Tan, Le 2019, arXiv 1905.11946")
def efficientnet(channels, size, n_classes):
    return unstrided(from_timm("test_efficientnet", channels, n_classes))


@mobile("MixNet", "Tan, Le 2019, arXiv 1907.09595")
def mixnet(channels, size, n_classes):
    from timm.models._efficientnet_builder import decode_arch_def
    from timm.models.efficientnet import EfficientNet

    stages = [
        ["ds_r1_k3_s1_e1_c16"],
        ["ir_r1_k3_a1.1_p1.1_s2_e4_c24"],
        ["ir_r1_k3.5.7_s2_e4_c40_se0.5_nsw"],
        ["ir_r1_k3.5.7.9_s2_e4_a1.1_c64_se0.25_nsw"],
    ]
    return unstrided(
        EfficientNet(
            decode_arch_def(stages), num_classes=n_classes, num_features=256, in_chans=channels, stem_size=16
        )
    )


@mobile("GhostNet", "Han et al. 2020, arXiv 1911.11907")
def ghostnet(channels, size, n_classes):
    from timm.models.ghostnet import GhostNet

    return unstrided(GhostNet(GHOSTS, num_classes=n_classes, in_chans=channels, drop_rate=0.0))


@mobile("RepGhost", "Chen et al. 2022, arXiv 2211.06088")
def repghost(channels, size, n_classes):
    from timm.models.repghost import RepGhostNet

    return unstrided(RepGhostNet(GHOSTS, num_classes=n_classes, in_chans=channels, drop_rate=0.0))


@mobile("ReXNet", "Han et al. 2021, arXiv 2007.00992")
def rexnet(channels, size, n_classes):
    from timm.models.rexnet import RexNet

    return RexNet(
        in_chans=channels, num_classes=n_classes, width_mult=0.5, depth_mult=0.5, final_chs=96, drop_rate=0.0
    )


@mobile("ShuffleNetV2", "Ma et al. 2018, arXiv 1807.11164")
def shufflenetv2(channels, size, n_classes):
    from torch import nn
    from torchvision.models import ShuffleNetV2

    network = ShuffleNetV2([1, 2, 1], [24, 48, 96, 192, 256], num_classes=n_classes)
    network.conv1[0] = nn.Conv2d(channels, 24, 3, 2, 1, bias=False)
    network.maxpool = nn.Identity()
    return network


@mobile("StarNet", "Ma et al. 2024, arXiv 2403.19967")
def starnet(channels, size, n_classes):
    from timm.models.starnet import StarNet

    return unstrided(
        StarNet(base_dim=16, depths=[1, 1, 2, 1], mlp_ratio=3, num_classes=n_classes, in_chans=channels)
    )


@mobile("FasterNet", "Chen et al. 2023, arXiv 2303.03667")
def fasternet(channels, size, n_classes):
    from timm.models.fasternet import FasterNet

    return FasterNet(
        in_chans=channels,
        num_classes=n_classes,
        embed_dim=24,
        depths=(1, 1, 2),
        patch_size=2,
        feature_dim=192,
        drop_path_rate=0.0,
    )


@mobile("MobileOne", "Vasu et al. 2023, arXiv 2206.04040")
def mobileone(channels, size, n_classes):
    from timm.models.byobnet import ByoBlockCfg

    stages, inputs = [], 16
    for outputs in (32, 64, 128):  # a depthwise block, which halves the maps, and a pointwise one
        deep = ByoBlockCfg(type="one", d=1, c=inputs, s=2, gs=1, block_kwargs={"num_conv_branches": 2})
        wide = ByoBlockCfg(type="one", d=1, c=outputs, s=1, gs=0, block_kwargs={"kernel_size": 1})
        stages.append((deep, wide))
        inputs = outputs
    return byobnet(channels, n_classes, blocks=tuple(stages), stem_type="3x3", stem_chs=16)


@mobile("RepViT", "Wang et al. 2024, arXiv 2307.09283")
def repvit(channels, size, n_classes):
    from timm.models.repvit import RepVit

    return unstrided(
        RepVit(
            in_chans=channels,
            img_size=size,
            embed_dim=(16, 32, 64, 96),
            depth=(1, 1, 2, 1),
            num_classes=n_classes,
            distillation=False,
        )
    )
