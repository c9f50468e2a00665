"""Preprocessing: by hand, torchvision's and timm's own transforms, and the ways that show the whole of an image."""

from dataclasses import asdict

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import nn
from torchvision.transforms import InterpolationMode, v2

from robustshape.datasets.readings import middle, shape_of_shorter
from robustshape.models.preprocessing import Preprocessing
from robustshape.models.resizing import Cut, Squash, whole


def photos(n=3, height=80, width=64):
    return np.random.default_rng(0).integers(0, 256, (n, height, width, 3), dtype=np.uint8)


def smooth_photo(height, width):
    """Waves of colour, as smooth as a photograph."""
    y, x = np.mgrid[:height, :width] / 37.0
    waves = [np.sin(a * x + b * y + c) for a, b, c in ((1.3, 0.4, 0), (0.2, 1.7, 1), (2.1, 2.3, 2))]
    return (np.stack(waves, -1) * 100 + 128).astype(np.uint8)


SIZES = np.random.default_rng(0).integers(16, 900, (200, 2)).tolist()


def test_sides_and_middles_of_200_sizes_are_torchvisions():
    for (height, width), shorter in zip(SIZES, [16, 146, 183, 224, 256] * 40):
        picture = Image.new("L", (width, height))
        resized = v2.Resize(shorter, InterpolationMode.NEAREST)(picture)
        assert shape_of_shorter(height, width, shorter) == (resized.height, resized.width), (height, width)
        rows = torch.arange(resized.height).view(1, -1, 1)
        columns = torch.arange(resized.width).view(1, 1, -1)
        for places in (rows, columns):
            crop = v2.CenterCrop([min(shorter, 128), 1] if places is rows else [1, min(shorter, 128)])
            assert middle(places.numel(), min(shorter, 128)) == int(crop(places).flatten()[0])


def test_500_by_334_gives_383_and_80():
    x = Preprocessing(channels=1, size=(224, 224), resize=256)
    image = np.tile(np.arange(500) // 2, (334, 1)).astype(np.uint8)[None, :, :, None]
    wide = v2.Resize(256, antialias=True)(torch.from_numpy(image[:, :, :, 0]))
    assert wide.shape[2] == 383
    assert torch.equal((x(image)[0, 0] * 255).round().byte(), wide[0, 16:240, 80:304])


ODD = [(334, 500), (500, 334), (97, 100), (231, 377), (613, 290)]


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_pixels_of_odd_sizes_are_torchvisions(interpolation):
    ours = Preprocessing(channels=3, size=(64, 64), resize=73, interpolation=interpolation)
    theirs = v2.Compose([v2.Resize(73, InterpolationMode(interpolation), antialias=True), v2.CenterCrop(64)])
    for height, width in ODD:
        image = photos(1, height, width)
        expected = theirs(torch.from_numpy(image).permute(0, 3, 1, 2)).float() / 255
        assert torch.equal(ours(image), expected)


def test_logits_of_odd_sizes_are_those_of_timms_own_transform():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 7, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 5)
    )
    facts = dict(crop_pct=0.875, interpolation="bicubic", mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    theirs = timm.data.create_transform(input_size=(3, 128, 128), **facts)
    facts.pop("crop_pct")
    ours = Preprocessing(channels=3, size=(128, 128), resize=146, **facts)
    for height, width in ODD:
        image = smooth_photo(height, width)
        with torch.inference_mode():
            found = network(ours(image[None]))
            expected = network(theirs(Image.fromarray(image))[None])
        assert (found - expected).abs().max() < 0.002 < 0.02 < found.std()  # Pillow rounds a pixel otherwise


def test_scales_repeats_and_normalises():
    grey = np.full((2, 4, 4, 1), 51, np.uint8)
    x = Preprocessing(channels=3, mean=(0.1, 0.2, 0.3), std=(0.5, 0.5, 0.1))(grey)
    assert x.shape == (2, 3, 4, 4) and x.dtype == torch.float32
    assert x[0, :, 0, 0].tolist() == pytest.approx([0.2, 0.0, -1.0], abs=1e-6)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_resizes_and_crops_as_torchvision_does(interpolation):
    from torchvision.transforms import InterpolationMode, v2

    images = photos()
    ours = Preprocessing(channels=3, size=(32, 32), resize=40, interpolation=interpolation)(images)
    theirs = v2.Compose([v2.Resize(40, InterpolationMode(interpolation), antialias=True), v2.CenterCrop(32)])
    expected = theirs(torch.from_numpy(images).permute(0, 3, 1, 2)).float() / 255
    assert (ours - expected).abs().max() <= 1.01 / 255


def test_the_whole_of_an_image_is_resized_and_nothing_cut_off():
    from torchvision.transforms import v2

    given = Preprocessing(channels=3, size=(32, 48), resize=64, mean=(0.1, 0.2, 0.3), std=(0.5, 0.5, 0.1))
    for kind in (Preprocessing, Cut, Squash):
        preprocess = whole(kind(**asdict(given)))
        assert isinstance(preprocess, Squash) and asdict(preprocess) == asdict(given)
    x = torch.from_numpy(photos()).permute(0, 3, 1, 2)
    expected = v2.Resize((32, 48), antialias=True)(x).float() / 255
    assert (preprocess.pixels(photos()) - expected).abs().max() <= 1.01 / 255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (given.mean, given.std))
    assert torch.allclose(preprocess(photos()), (preprocess.pixels(photos()) - mean) / std)
    fitting = photos(2, 32, 48)  # no pixel of such an image is changed, though `resize` is larger
    assert np.array_equal((preprocess.pixels(fitting) * 255).round().permute(0, 2, 3, 1), fitting)


def test_what_takes_any_size_or_is_a_function_shows_the_whole_already():
    for preprocess in (Preprocessing(channels=3), Squash(channels=1), lambda images: images):
        assert whole(preprocess) is preprocess


def test_a_crop_larger_than_the_image_is_filled_with_black():
    x = Preprocessing(channels=1, size=(6, 6), resize=4)(np.full((1, 4, 4, 1), 255, np.uint8))
    assert x.sum() == 16 and x[0, 0, 1:5, 1:5].min() == 1
