"""Networks whose tokens look at each other: transformers of one scale, of several, and with convolutions."""

from functools import partial

from robustshape.models.families.common import from_timm, unstrided
from robustshape.models.families.table import enter

tokens = partial(enter, "tokens")


@tokens("ViT, patch 4", "Dosovitskiy et al. 2021, arXiv 2010.11929", family="vit")
def vit_patch4(channels, size, n_classes):
    from timm.models.vision_transformer import VisionTransformer

    return VisionTransformer(
        img_size=size,
        patch_size=4,
        in_chans=channels,
        num_classes=n_classes,
        embed_dim=64,
        depth=4,
        num_heads=4,
        mlp_ratio=2,
    )


@tokens("BEiT", "Bao et al. 2022, arXiv 2106.08254")
def beit(channels, size, n_classes):
    from timm.models.beit import Beit

    return Beit(img_size=size, patch_size=4, in_chans=channels, num_classes=n_classes, embed_dim=64, depth=4, num_heads=4, mlp_ratio=2,
                use_abs_pos_emb=False, use_rel_pos_bias=True, init_values=0.1, head_init_scale=1.0)  # fmt: skip


@tokens("EVA-02", "Fang et al. 2024, arXiv 2303.11331")
def eva02(channels, size, n_classes):
    from timm.models.eva import Eva

    return Eva(img_size=size, patch_size=4, in_chans=channels, num_classes=n_classes, embed_dim=64, depth=4, num_heads=4, mlp_ratio=4 / 3,
               swiglu_mlp=True, use_rot_pos_emb=True, head_init_scale=1.0)  # fmt: skip


@tokens("CaiT", "Touvron et al. 2021, arXiv 2103.17239")
def cait(channels, size, n_classes):
    from timm.models.cait import Cait

    return Cait(img_size=size, patch_size=4, in_chans=channels, num_classes=n_classes, embed_dim=64, depth=3, num_heads=4, mlp_ratio=2,
                init_values=0.1, depth_token_only=1)  # fmt: skip


@tokens("XCiT", "El-Nouby et al. 2021, arXiv 2106.09681")
def xcit(channels, size, n_classes):
    from timm.models.xcit import Xcit

    return Xcit(img_size=size, patch_size=8, in_chans=channels, num_classes=n_classes, embed_dim=64, depth=4, num_heads=4, mlp_ratio=2,
                cls_attn_layers=1, eta=0.1)  # fmt: skip


@tokens("Swin", "Liu et al. 2021, arXiv 2103.14030")
def swin(channels, size, n_classes):
    from timm.models.swin_transformer import SwinTransformer

    return SwinTransformer(img_size=size, patch_size=2, in_chans=channels, num_classes=n_classes, embed_dim=24, depths=(1, 2, 2), num_heads=(2, 3, 4),
                           window_size=4, drop_path_rate=0.0)  # fmt: skip


@tokens("Swin V2", "Liu et al. 2022, arXiv 2111.09883")
def swinv2(channels, size, n_classes):
    from timm.models.swin_transformer_v2 import SwinTransformerV2

    return SwinTransformerV2(img_size=size, patch_size=2, in_chans=channels, num_classes=n_classes, embed_dim=24, depths=(1, 2, 2),
                             num_heads=(2, 3, 4), window_size=4, drop_path_rate=0.0)  # fmt: skip


@tokens("PVT v2", "Wang et al. 2022, arXiv 2106.13797")
def pvtv2(channels, size, n_classes):
    from timm.models.pvt_v2 import PyramidVisionTransformerV2

    return unstrided(
        PyramidVisionTransformerV2(in_chans=channels, num_classes=n_classes, depths=(1, 1, 1, 1), embed_dims=(16, 32, 64, 96),
                                   num_heads=(1, 2, 4, 4), mlp_ratios=(4, 4, 4, 4))
    )  # fmt: skip


@tokens("Twins-SVT", "Chu et al. 2021, arXiv 2104.13840")
def twins(channels, size, n_classes):
    from timm.models.twins import Twins

    return Twins(img_size=size, patch_size=4, in_chans=channels, num_classes=n_classes, embed_dims=(32, 64, 96), num_heads=(2, 4, 4),
                 mlp_ratios=(2, 2, 2), depths=(2, 2, 2), sr_ratios=(4, 2, 1), wss=(4, 4, 2))  # fmt: skip


@tokens("DaViT", "Ding et al. 2022, arXiv 2204.03645")
def davit(channels, size, n_classes):
    from timm.models.davit import DaVit

    return DaVit(in_chans=channels, num_classes=n_classes, depths=(1, 1, 1), embed_dims=(24, 48, 96),
                 num_heads=(2, 4, 4), window_size=4, mlp_ratio=2)  # fmt: skip


@tokens("LeViT", "Graham et al. 2021, arXiv 2104.01136")
def levit(channels, size, n_classes):
    from timm.models.levit import Levit

    return Levit(img_size=size, in_chans=channels, num_classes=n_classes, embed_dim=(64, 96), key_dim=16, depth=(2, 2), num_heads=(3, 4),
                 stem_type="s8")  # fmt: skip


@tokens("MobileViT", "Mehta, Rastegari 2022, arXiv 2110.02178")
def mobilevit(channels, size, n_classes):
    return from_timm("mobilevit_xxs", channels, n_classes)


@tokens("EfficientViT", "Cai et al. 2023, arXiv 2205.14756")
def efficientvit(channels, size, n_classes):
    from timm.models.efficientvit_mit import EfficientVit

    return unstrided(
        EfficientVit(in_chans=channels, num_classes=n_classes, widths=(8, 16, 32, 48, 64), depths=(1, 1, 1, 1, 1),
                     head_dim=8, head_widths=(128, 128))
    )  # fmt: skip


@tokens("EfficientFormerV2", "Li et al. 2023, arXiv 2212.08059")
def efficientformerv2(channels, size, n_classes):
    from timm.models.efficientformer_v2 import EfficientFormerV2

    return EfficientFormerV2((1, 1, 2, 2), in_chans=channels, img_size=size, embed_dims=(16, 32, 48, 64), num_vit=1,
                             num_classes=n_classes, distillation=False, layer_scale_init_value=0.1)  # fmt: skip


@tokens("CoAtNet", "Dai et al. 2021, arXiv 2106.04803")
def coatnet(channels, size, n_classes):
    return from_timm("test_coatnet", channels, n_classes, img_size=size)


@tokens("PiT", "Heo et al. 2021, arXiv 2103.16302")
def pit(channels, size, n_classes):
    from timm.models.pit import PoolingVisionTransformer

    return PoolingVisionTransformer(img_size=size, patch_size=4, stride=4, base_dims=(16, 16, 16), depth=(1, 2, 1),
                                    heads=(2, 4, 8), mlp_ratio=2, num_classes=n_classes, in_chans=channels)  # fmt: skip


@tokens("Hiera", "Ryali et al. 2023, arXiv 2306.00989")
def hiera(channels, size, n_classes):
    from timm.models.hiera import Hiera

    return Hiera(img_size=(size, size), in_chans=channels, embed_dim=32, num_classes=n_classes, stages=(1, 1, 2), q_pool=2, mask_unit_size=(4, 4),
                 mask_unit_attn=(True, True, False), patch_kernel=(3, 3), patch_stride=(2, 2),
                 patch_padding=(1, 1), mlp_ratio=2, head_init_scale=1.0)  # fmt: skip


@tokens("NesT", "Zhang et al. 2022, arXiv 2105.12723")
def nest(channels, size, n_classes):
    from timm.models.nest import Nest

    return Nest(img_size=size, in_chans=channels, num_classes=n_classes, patch_size=2, embed_dims=(32, 48, 64),
                num_heads=(2, 3, 4), depths=(1, 1, 2), mlp_ratio=2, drop_path_rate=0.0)  # fmt: skip
