"""How strong each corruption is: five severities at three image sizes.

"224" are the constants of ImageNet-C, "64" those of Tiny ImageNet-C, "32" those of CIFAR-10-C (Hendrycks and
Dietterich, "Benchmarking neural network robustness to common corruptions and perturbations", ICLR 2019).
The 32-px ones are gentler: the 224-px ones leave little of so small an image.

`FIELDS` names the numbers of a row; ``CONSTANTS[table][corruption][severity - 1]`` is the row.
"""

FIELDS = {
    "gaussian_noise": ("standard deviation",),
    "shot_noise": ("photons at white",),
    "impulse_noise": ("share of pixels",),
    "speckle_noise": ("standard deviation",),
    "gaussian_blur": ("sigma",),
    "defocus_blur": ("radius", "sigma of the antialiasing"),
    "glass_blur": ("sigma", "largest displacement", "rounds"),
    "motion_blur": ("radius", "sigma"),
    "zoom_blur": ("zoom up to", "step"),
    "snow": ("mean", "standard deviation", "zoom", "threshold", "radius", "sigma", "share of the image"),
    "frost": ("share of the image", "share of the frost", "scale of the photograph"),
    "fog": ("amount", "decay", "side of the map"),
    "brightness": ("added to the value",),
    "contrast": ("factor",),
    "elastic_transform": ("alpha", "sigma", "affine jitter"),
    "pixelate": ("share of the size",),
    "jpeg_compression": ("quality",),
    "spatter": ("mean", "standard deviation", "sigma", "threshold", "strength", "mud"),
    "saturate": ("factor", "added"),
}


def _rows(*values):
    """Return rows of one number each."""
    return tuple((value,) for value in values)


_224 = {
    "gaussian_noise": _rows(0.08, 0.12, 0.18, 0.26, 0.38),
    "shot_noise": _rows(60, 25, 12, 5, 3),
    "impulse_noise": _rows(0.03, 0.06, 0.09, 0.17, 0.27),
    "speckle_noise": _rows(0.15, 0.2, 0.35, 0.45, 0.6),
    "gaussian_blur": _rows(1, 2, 3, 4, 6),
    "defocus_blur": ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
    "glass_blur": ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
    "motion_blur": ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    "zoom_blur": ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
    "snow": (
        (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
        (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
        (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
        (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
        (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
    ),
    "frost": ((1, 0.4, 1), (0.8, 0.6, 1), (0.7, 0.7, 1), (0.65, 0.7, 1), (0.6, 0.75, 1)),
    "fog": ((1.5, 2, 256), (2, 2, 256), (2.5, 1.7, 256), (2.5, 1.5, 256), (3, 1.4, 256)),
    "brightness": _rows(0.1, 0.2, 0.3, 0.4, 0.5),
    "contrast": _rows(0.4, 0.3, 0.2, 0.1, 0.05),
    "elastic_transform": (
        (488, 170.8, 24.4),
        (488, 19.52, 48.8),
        (12.2, 2.44, 4.88),
        (17.08, 2.44, 4.88),
        (29.28, 2.44, 4.88),
    ),
    "pixelate": _rows(0.6, 0.5, 0.4, 0.3, 0.25),
    "jpeg_compression": _rows(25, 18, 15, 10, 7),
    "spatter": (
        (0.65, 0.3, 4, 0.69, 0.6, 0),
        (0.65, 0.3, 3, 0.68, 0.6, 0),
        (0.65, 0.3, 2, 0.68, 0.5, 0),
        (0.65, 0.3, 1, 0.65, 1.5, 1),
        (0.67, 0.4, 1, 0.65, 1.5, 1),
    ),
    "saturate": ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
}

_64 = {
    "gaussian_noise": _rows(0.04, 0.08, 0.12, 0.15, 0.18),
    "shot_noise": _rows(250, 100, 50, 30, 15),
    "impulse_noise": _rows(0.01, 0.02, 0.05, 0.08, 0.14),
    "speckle_noise": _rows(0.15, 0.2, 0.25, 0.3, 0.35),
    "gaussian_blur": _rows(0.5, 0.75, 1, 1.25, 1.5),
    "defocus_blur": ((0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1)),
    "glass_blur": ((0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2)),
    "motion_blur": ((10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)),
    "zoom_blur": ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
    "snow": (
        (0.1, 0.2, 1, 0.6, 8, 3, 0.8),
        (0.1, 0.2, 1, 0.5, 10, 4, 0.8),
        (0.15, 0.3, 1.75, 0.55, 10, 4, 0.7),
        (0.25, 0.3, 2.25, 0.6, 12, 6, 0.65),
        (0.3, 0.3, 1.25, 0.65, 14, 12, 0.6),
    ),
    "frost": ((1, 0.3, 0.3), (0.9, 0.4, 0.3), (0.8, 0.45, 0.3), (0.75, 0.5, 0.3), (0.7, 0.55, 0.3)),
    "fog": ((0.4, 3, 64), (0.7, 3, 64), (1, 2.5, 64), (1.5, 2, 64), (2, 1.75, 64)),
    "brightness": _rows(0.1, 0.2, 0.3, 0.4, 0.5),
    "contrast": _rows(0.4, 0.3, 0.2, 0.1, 0.05),
    "elastic_transform": (
        (0, 0, 5.12),
        (3.2, 19.2, 3.84),
        (6.4, 5.12, 3.84),
        (6.4, 1.92, 1.92),
        (10.24, 1.92, 1.28),
    ),
    "pixelate": _rows(0.9, 0.8, 0.7, 0.6, 0.5),
    "jpeg_compression": _rows(65, 58, 50, 40, 25),
    "spatter": (
        (0.62, 0.1, 0.7, 0.7, 0.6, 0),
        (0.65, 0.1, 0.8, 0.7, 0.6, 0),
        (0.65, 0.3, 1, 0.69, 0.6, 0),
        (0.65, 0.1, 0.7, 0.68, 0.6, 1),
        (0.65, 0.1, 0.5, 0.67, 0.6, 1),
    ),
    "saturate": ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (30, 0.2)),
}

_32 = {
    "gaussian_noise": _rows(0.04, 0.06, 0.08, 0.09, 0.1),
    "shot_noise": _rows(500, 250, 100, 75, 50),
    "impulse_noise": _rows(0.01, 0.02, 0.03, 0.05, 0.07),
    "speckle_noise": _rows(0.06, 0.1, 0.12, 0.16, 0.2),
    "gaussian_blur": _rows(0.4, 0.6, 0.7, 0.8, 1),
    "defocus_blur": ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
    "glass_blur": ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
    "motion_blur": ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
    "zoom_blur": ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
    "snow": (
        (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
        (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
        (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
        (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
        (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
    ),
    "frost": ((1, 0.2, 0.2), (1, 0.3, 0.2), (0.9, 0.4, 0.2), (0.85, 0.4, 0.2), (0.75, 0.45, 0.2)),
    "fog": ((0.2, 3, 32), (0.5, 3, 32), (0.75, 2.5, 32), (1, 2, 32), (1.5, 1.75, 32)),
    "brightness": _rows(0.05, 0.1, 0.15, 0.2, 0.3),
    "contrast": _rows(0.75, 0.5, 0.4, 0.3, 0.15),
    "elastic_transform": (
        (0, 0, 2.56),
        (1.6, 6.4, 2.24),
        (2.56, 1.92, 1.92),
        (3.2, 1.28, 1.6),
        (3.2, 0.96, 0.96),
    ),
    "pixelate": _rows(0.95, 0.9, 0.85, 0.75, 0.65),
    "jpeg_compression": _rows(80, 65, 58, 50, 40),
    "spatter": (
        (0.62, 0.1, 0.7, 0.7, 0.5, 0),
        (0.65, 0.1, 0.8, 0.7, 0.5, 0),
        (0.65, 0.3, 1, 0.69, 0.5, 0),
        (0.65, 0.1, 0.7, 0.69, 0.6, 1),
        (0.65, 0.1, 0.5, 0.68, 0.6, 1),
    ),
    "saturate": ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
}

CONSTANTS = {"32": _32, "64": _64, "224": _224}
