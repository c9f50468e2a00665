"""MobileNetV1 (Howard et al. 2017) of widths that timm builds but does not list; the cards beside it name it.

This file's checksum is part of the networks' identities: after an edit their results are measured anew.
"""


def mobilenetv1(width: float):
    """Return timm's MobileNetV1 with `width` times the channels, padded as TensorFlow pads; 1000 classes."""
    from timm.models import efficientnet

    return efficientnet._gen_mobilenet_v1("mobilenetv1_100", width, pretrained=False, pad_type="same")
