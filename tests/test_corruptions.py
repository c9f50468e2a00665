"""Corruptions: by hand, plain twins, the original's numbers, independence of the batch, the errors' words."""

import importlib
import json
import subprocess
import sys
import types
from io import BytesIO
from math import ceil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from robustshape.corruptions import (
    CORRUPTIONS,
    EXTRA,
    GROUPS,
    STANDARD,
    blur,
    corrupt,
    digital,
    versions,
    weather,
)
from robustshape.corruptions.constants import CONSTANTS, FIELDS
from robustshape.corruptions.randomness import Streams
from robustshape.errors import InputError, MissingFileError

ALL = STANDARD + EXTRA
SLIDES = (*GROUPS["noise"], "contrast", "jpeg_compression", "speckle_noise", "gaussian_blur")
GOLDEN = Path(__file__).parent / "golden" / "corruptions.json"
severities = pytest.mark.parametrize("severity", range(1, 6))
names = pytest.mark.parametrize("name", ALL)


def pictures(n=4, side=32, channels=3, seed=0):
    """Smooth coloured blobs, with flat black and white among them."""
    y, x = np.mgrid[:side, :side] / side
    rng = np.random.default_rng(seed)
    waves = rng.uniform(1, 9, (n, channels, 2, 1, 1))
    images = np.sin(waves[:, :, 0] * x + waves[:, :, 1] * y + waves[:, ::-1, 0])
    return np.clip(images * 180 + 128, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


@pytest.fixture(scope="module")
def original():
    """The oracle, without OpenCV: that needs libraries of a desktop which many machines do not have."""
    stub = types.ModuleType("cv2")
    had = sys.modules.get("cv2")
    sys.modules["cv2"] = stub
    try:
        yield importlib.import_module("imagecorruptions").corrupt
    finally:
        for name in ("cv2", "imagecorruptions", "imagecorruptions.corruptions"):
            sys.modules.pop(name, None)
        if had is not None:
            sys.modules["cv2"] = had


# ------------------------------------------------------------------------------------------- the list


def test_names_groups_and_tables():
    assert len(STANDARD) == 15 and len(set(ALL)) == 19
    assert sorted(CORRUPTIONS) == sorted(ALL) == sorted(FIELDS)
    assert tuple(name for group in GROUPS.values() for name in group) == STANDARD
    for name in ALL:
        about = CORRUPTIONS.about(name)
        assert about["standard"] == (name in STANDARD) and about["what"]
        assert name in EXTRA or name in GROUPS[about["group"]]
        for table in CONSTANTS.values():
            assert len(table[name]) == 5
            assert {len(row) for row in table[name]} == {len(FIELDS[name])}


def test_listing_needs_no_scipy_and_no_pillow():
    code = (
        "import sys; from robustshape.corruptions import CORRUPTIONS; CORRUPTIONS.names();"
        "sys.exit(any(m in sys.modules for m in ('scipy', 'PIL', 'torch', 'cv2', 'imagecorruptions')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ------------------------------------------------------------------------------------------- independence


@names
@severities
def test_an_image_does_not_depend_on_its_batch(name, severity):
    images, ids = pictures(7), [f"x/{k}" for k in range(7)]
    together = corrupt(images, name, severity, ids=ids)
    order = np.random.default_rng(severity).permutation(7)
    parts = [
        corrupt(images[p], name, severity, ids=[ids[k] for k in p])
        for p in (order[:1], order[1:3], order[3:])
    ]
    np.testing.assert_array_equal(np.concatenate(parts), together[order])
    assert together.dtype == np.uint8 and together.shape == images.shape
    assert (together != images).any() or name == "pixelate"


def test_chunks_cannot_be_seen(monkeypatch):
    images = pictures(5, channels=1)
    whole = {name: corrupt(images, name, 4) for name in ALL}
    monkeypatch.setattr("robustshape.corruptions._CHUNK", 2 * 32 * 32)
    for name in ALL:
        np.testing.assert_array_equal(corrupt(images, name, 4), whole[name], err_msg=name)


@names
def test_grey_is_colour_with_three_equal_channels(name):
    grey = pictures(3, channels=1)
    single = corrupt(grey, name, 5)
    colour = corrupt(np.repeat(grey, 3, axis=3), name, 5)
    assert single.shape == grey.shape
    if CORRUPTIONS.about(name)["tints"]:
        seen = colour.astype(float) @ [0.299, 0.587, 0.114]
        assert np.abs(single[..., 0] - seen).max() <= 1.01  # colour was truncated before, grey after
    else:
        np.testing.assert_array_equal(single, colour[..., :1])


@pytest.mark.parametrize("name", [n for n in ALL if n.endswith("noise")] + ["snow", "fog", "glass_blur"])
def test_seed_id_and_severity_change_the_random_numbers(name):
    images = np.repeat(pictures(1, channels=1), 2, axis=0)
    first = corrupt(images, name, 3, ids=["a", "b"])
    assert (first[0] != first[1]).any()
    assert (corrupt(images, name, 3, ids=["a", "b"], seed=1) != first).any()
    assert (corrupt(images, name, 3, ids=[7, "7"])[0] != corrupt(images, name, 3, ids=["7", 7])[0]).any()
    np.testing.assert_array_equal(corrupt(images, name, 3), corrupt(images, name, 3, ids=np.arange(2)))


@names
@pytest.mark.parametrize("shape", [(28, 28, 1), (33, 47, 3), (5, 9, 1), (64, 64, 3)])
def test_any_size(name, shape):
    images = pictures(2, 64)[:, : shape[0], : shape[1], : shape[2]]
    before = images.copy()
    assert corrupt(images, name, 5).shape == images.shape
    np.testing.assert_array_equal(images, before)


def test_no_images():
    assert corrupt(np.zeros((0, 32, 32, 1), np.uint8), "fog", 1).shape == (0, 32, 32, 1)


@pytest.mark.parametrize("name", ALL)
def test_tables_for_larger_images_work_on_small_and_large_ones(name):
    small, large = pictures(2, 32), pictures(1, 224)
    changed = corrupt(large, name, 3)
    np.testing.assert_array_equal(changed, corrupt(large, name, 3, constants="224"))
    for table in ("64", "224"):
        assert (corrupt(small, name, 3, constants=table) != small).any()


# ------------------------------------------------------------------------------------------- by hand


def test_contrast_by_hand():
    image = np.array([0, 50, 150, 200], np.uint8).reshape(1, 2, 2, 1)  # mean 100
    # severity 3 at 32 px: 100 + .4 (x - 100)
    assert corrupt(image, "contrast", 3).ravel().tolist() == [60, 80, 120, 140]


def test_brightness_by_hand():
    image = np.array([[0, 0, 0], [100, 50, 25], [250, 125, 0]], np.uint8).reshape(1, 3, 1, 3)
    # severity 5 at 224 px adds 127.5: the largest channel rises to it, the others in proportion
    expected = [[127, 127, 127], [227, 113, 56], [255, 127, 0]]
    assert corrupt(image, "brightness", 5, constants="224").reshape(3, 3).tolist() == expected


def test_saturate_by_hand():
    image = np.array([[200, 100, 150], [80, 80, 80]], np.uint8).reshape(1, 2, 1, 3)
    # factor .1: S .5 -> .05: 200 (1 - .05), 200 (1 - .025); without colour nothing to lose
    assert corrupt(image, "saturate", 2).reshape(2, 3).tolist() == [[200, 190, 195], [80, 80, 80]]
    # 2 S + .1: S is clipped to 1; grey, whose hue is red, is tinted: 80 (1 - .1)
    assert corrupt(image, "saturate", 4).reshape(2, 3).tolist() == [[200, 0, 100], [80, 72, 72]]


def test_pixelate_by_hand():
    image = (np.arange(16) * 10).astype(np.uint8).reshape(1, 4, 4, 1)
    # severity 2 at 224 px halves: means of 2 x 2 blocks, 25 45 105 125
    expected = [[25, 25, 45, 45]] * 2 + [[105, 105, 125, 125]] * 2
    assert corrupt(image, "pixelate", 2, constants="224")[0, :, :, 0].tolist() == expected


def test_fog_of_a_black_image_is_black_and_of_a_white_one_keeps_its_brightest():
    black, white = np.zeros((1, 32, 32, 1), np.uint8), np.full((1, 32, 32, 1), 255, np.uint8)
    assert corrupt(black, "fog", 5).max() == 0
    fogged = corrupt(white, "fog", 5)
    assert fogged.max() == 255 and fogged.min() == int(255 / 2.5)  # (1 + 1.5 p) / (1 + 1.5), p in [0, 1]


@pytest.mark.parametrize("name", ["gaussian_blur", "zoom_blur", "motion_blur", "defocus_blur", "glass_blur"])
@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
@pytest.mark.parametrize("table", ["32", "224"])
def test_blurs_leave_a_flat_image_alone(name, level, table):
    flat = np.full((1, 32, 32, 1), level, np.uint8)
    for severity in range(1, 4 if name == "defocus_blur" else 6):  # the largest disks sum to more than 1
        np.testing.assert_array_equal(corrupt(flat, name, severity, constants=table), flat)


# ------------------------------------------------------------------------------------------- laws of the noises


def _noisy(name, level, severity, table="224"):
    return corrupt(np.full((20, 64, 64, 1), level, np.uint8), name, severity, constants=table) / 255


@severities
@pytest.mark.parametrize("table", ["32", "224"])
def test_noises_have_their_spread(severity, table):
    sd = CONSTANTS[table]["gaussian_noise"][severity - 1][0]
    grey = _noisy("gaussian_noise", 127, severity, table)
    assert np.median(grey) == pytest.approx(127 / 255, abs=0.005)
    low, high = np.quantile(grey, [0.3085, 0.6915])  # one standard deviation apart
    assert high - low == pytest.approx(sd, abs=0.006)

    sd = CONSTANTS[table]["speckle_noise"][severity - 1][0]
    low, high = np.quantile(_noisy("speckle_noise", 127, severity, table), [0.3085, 0.6915])
    assert high - low == pytest.approx(sd / 2, abs=0.006)
    assert _noisy("speckle_noise", 0, severity, table).max() == 0

    share = CONSTANTS[table]["impulse_noise"][severity - 1][0]
    impulses = _noisy("impulse_noise", 100, severity, table)
    assert np.mean(impulses == 0) == pytest.approx(share / 2, abs=0.003)
    assert np.mean(impulses == 1) == pytest.approx(share / 2, abs=0.003)
    assert np.mean(impulses == 100 / 255) == pytest.approx(1 - share, abs=0.004)


@severities
@pytest.mark.parametrize("table", ["32", "224"])
@pytest.mark.parametrize("level", [3, 60, 200])
def test_shot_noise_counts_photons(severity, table, level):
    from scipy.special import pdtr, pdtrc

    photons = CONSTANTS[table]["shot_noise"][severity - 1][0]
    seen = np.rint(_noisy("shot_noise", level, severity, table) * photons).astype(int)
    assert seen.max() <= photons
    rate = level / 255 * photons
    for count in {0, int(rate), int(rate + rate**0.5)}:
        if count >= photons or photons > 100:
            continue  # clipped to white, or several counts to a grey level
        assert np.mean(seen <= count) == pytest.approx(pdtr(count, rate), abs=0.006)
    expected = pdtrc(np.arange(photons), rate).sum() / photons  # the mean of min(count, photons)
    assert _noisy("shot_noise", level, severity, table).mean() == pytest.approx(expected, abs=0.006)
    assert _noisy("shot_noise", 0, severity, table).max() == 0


def test_random_numbers():
    streams = Streams(range(3), 0, "test")
    normal = streams.normal(200_000)
    assert np.abs(normal.mean(axis=1)).max() < 0.01 and np.abs(normal.std(axis=1) - 1).max() < 0.01
    assert np.abs(np.corrcoef(normal) - np.eye(3)).max() < 0.01
    assert (streams.normal(10) != normal[:, :10]).any()  # each draw is a new one
    uniform = streams.uniform(-2, 3, 100_000)
    assert uniform.min() > -2 and uniform.max() < 3 and abs(uniform.mean() - 0.5) < 0.02
    whole = streams.integers(-3, 3, 60_000)
    assert np.abs(np.unique(whole, return_counts=True)[1] / 180_000 - 1 / 6).max() < 0.005
    assert (whole.min(), whole.max()) == (-3, 2)


# ------------------------------------------------------------------------------------------- plain twins


@pytest.mark.parametrize("reach", [1, 2, 3, 4])
def test_glass_displacement_equals_the_plain_loop(reach):
    rng = np.random.default_rng(reach)
    shifts = rng.integers(-reach, reach, (3, 2, 20, 17))
    for source, (down, across) in zip(blur.displaced(shifts, reach), shifts):
        image = np.arange(20 * 17).reshape(20, 17)
        for y in range(20 - reach, reach, -1):
            for x in range(17 - reach, reach, -1):
                image[y, x] = image[y + down[y, x], x + across[y, x]]
        np.testing.assert_array_equal(source.reshape(20, 17), image)


@pytest.mark.parametrize("table", ["32", "224"])
@severities
def test_zoom_blur_equals_the_plain_loop(table, severity):
    image = pictures(1)[0]
    total, factors = image.astype(float), np.arange(1, *CONSTANTS[table]["zoom_blur"][severity - 1])
    for factor in factors:
        crop = ceil(32 / factor)
        start = (32 - crop) // 2
        part = image[start : start + crop, start : start + crop].astype(float)
        large = ndimage.zoom(part, (factor, factor, 1), order=1)
        trim = (len(large) - 32) // 2
        total += large[trim : trim + 32, trim : trim + 32]
    expected = total / (len(factors) + 1)
    found = corrupt(image[None], "zoom_blur", severity, constants=table)[0]
    assert np.abs(found - np.floor(expected + 1e-3)).max() <= 1


@pytest.mark.parametrize("degrees", [-135, -90, -46.5, -45, 0, 12.3, 45])
def test_motion_equals_the_plain_loop(degrees):
    image = pictures(1, channels=1)[0, :, :, 0].astype(float)
    weights = [np.exp(-(k**2) / (2 * 2.5**2)) for k in range(19)]
    expected = np.zeros_like(image)
    for k, weight in enumerate(weights):
        down = ceil(k * np.sin(np.deg2rad(degrees)) - 0.5)
        across = ceil(k * np.cos(np.deg2rad(degrees)) - 0.5)
        y, x = np.clip(np.arange(32) + down, 0, 31), np.clip(np.arange(32) + across, 0, 31)
        expected += weight / sum(weights) * image[y][:, x]
    found = blur.streak(image[None, None], 9, 2.5, np.array([degrees]))[0, 0]
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(
    "row", sorted({row for table in CONSTANTS.values() for row in table["defocus_blur"]})
)
def test_defocus_equals_a_plain_correlation(row):
    planes = pictures(1).transpose(0, 3, 1, 2)
    kernel = blur.disk(*row)
    assert kernel.sum() == pytest.approx(1.012 if row[0] >= 8 else 1, abs=2e-3) and len(kernel) % 2
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1])
    expected = ndimage.correlate(planes.astype(float), kernel[None, None], mode="mirror")
    np.testing.assert_allclose(blur.correlate(planes, kernel), expected, atol=1e-3)


@pytest.mark.parametrize(
    "sigma, mode, truncate", [(0.4, "nearest", 4), (6, "nearest", 4), (19.5, "reflect", 3)]
)
def test_smooth_equals_a_plain_filter(sigma, mode, truncate):
    planes = pictures(2).transpose(0, 3, 1, 2)
    expected = ndimage.gaussian_filter(
        planes.astype(float), (0, 0, sigma, sigma), mode=mode, truncate=truncate
    )
    np.testing.assert_allclose(blur.smooth(planes, sigma, mode, truncate), expected, atol=1e-9)


@pytest.mark.parametrize(
    "mode, mirror", [("mirror", digital._mirror_about_pixel), ("reflect", digital._mirror_about_edge)]
)
def test_bilinear_reads_as_map_coordinates_does(mode, mirror):
    rng = np.random.default_rng(0)
    planes = pictures(2)[:, :20].transpose(0, 3, 1, 2)  # (2, 3, 20, 32)
    down, across = rng.uniform(-70, 70, (2, 2, 20, 32)).astype(np.float32)
    found = digital.bilinear(planes, down, across, mirror)
    for image, y, x, seen in zip(planes, down, across, found):
        for plane, read in zip(image, seen):
            expected = ndimage.map_coordinates(plane.astype(float), [y, x], order=1, mode=mode)
            np.testing.assert_allclose(read, expected, atol=2e-3)


def test_elastic_moves_pixels_about_as_far_as_it_says():
    # a ramp shows how far each pixel was read from: 7 grey levels a column
    ramp = np.broadcast_to((np.arange(32) * 7).astype(np.uint8)[:, None], (50, 32, 32, 1))
    shift = (corrupt(ramp, "elastic_transform", 1).astype(float) - ramp)[:, 8:24, 8:24] / 7
    assert 0.3 < np.abs(shift).mean() < 3 and abs(shift.mean()) < 0.5


@severities
@pytest.mark.parametrize("size", [(32, 32), (45, 45), (100, 90), (1, 5000)])
@pytest.mark.parametrize("channels", [1, 3])
def test_pixelate_equals_pillow(severity, size, channels):
    (share,) = CONSTANTS["32"]["pixelate"][severity - 1]
    noise = np.random.default_rng(0).integers(0, 256, (2, *size, channels)).astype(np.uint8)
    smaller = [max(1, int(side * share)) for side in size]
    for image, found in zip(noise, corrupt(noise, "pixelate", severity, constants="32")):
        whole = Image.fromarray(image if channels == 3 else image[..., 0])
        small = whole.resize(smaller[::-1], Image.Resampling.BOX)
        expected = np.asarray(small.resize(size[::-1], Image.Resampling.BOX)).reshape(image.shape)
        np.testing.assert_array_equal(found, expected)


@severities
@pytest.mark.parametrize(
    "shape",
    [(32, 32, 1), (28, 30, 1), (32, 32, 3), (64, 48, 3), (30, 41, 3), (7, 4, 3), (1, 1, 3), (70, 80, 3)],
)
@pytest.mark.parametrize("table", ["32", "224"])
def test_jpeg_equals_a_file_per_image(severity, shape, table):
    images = pictures(3, 96)[:, : shape[0], : shape[1], : shape[2]].copy()
    images[2] = np.random.default_rng(0).integers(0, 256, shape)
    (quality,) = CONSTANTS[table]["jpeg_compression"][severity - 1]
    for image, found in zip(images, corrupt(images, "jpeg_compression", severity, constants=table)):
        file = BytesIO()
        Image.fromarray(image if shape[2] == 3 else image[..., 0]).save(file, "JPEG", quality=quality)
        np.testing.assert_array_equal(
            found.reshape(image.shape), np.asarray(Image.open(file)).reshape(image.shape)
        )


def test_diamond_square_equals_the_plain_loop():
    side, decay = 8, 2.0
    noise = np.random.default_rng(0).uniform(-1, 1, (1, side, side))
    heights, step, wibble = np.zeros((side, side)), side, 100.0
    while step >= 2:
        half = step // 2
        for y in range(0, side, step):
            for x in range(0, side, step):
                corners = [heights[(y + a) % side, (x + b) % side] for a in (0, step) for b in (0, step)]
                heights[y + half, x + half] = sum(corners) / 4 + wibble**2 * noise[0, y + half, x + half]
        for y in range(0, side, half):
            for x in range((y + half) % step, side, step):
                around = [
                    heights[(y + a) % side, (x + b) % side]
                    for a, b in ((-half, 0), (half, 0), (0, -half), (0, half))
                ]
                heights[y, x] = sum(around) / 4 + wibble**2 * noise[0, y, x]
        step, wibble = half, wibble / decay
    expected = (heights - heights.min()) / (heights.max() - heights.min())
    np.testing.assert_allclose(weather.diamond_square(noise, decay)[0], expected, atol=1e-6)


def test_chamfer_distance_equals_the_plain_walk():
    targets = np.random.default_rng(0).random((3, 30, 40)) < [[[0.01]], [[0.001]], [[0]]]
    moves = [
        (y, x) for y in range(-2, 3) for x in range(-2, 3) if (y, x) != (0, 0) and abs(y * x) in (0, 1, 2)
    ]
    cost = {1: 1, 2: 1.4, 5: 2.1969}
    for found, target in zip(weather.chamfer_distance(targets), targets):
        padded = np.pad(np.where(target, 0, 20.0), 2, constant_values=20)
        for _ in range(20):  # relax until nothing changes
            for y, x in moves:
                if y * y + x * x in cost:
                    moved = padded[2 + y : 32 + y, 2 + x : 42 + x] + cost[y * y + x * x]
                    padded[2:-2, 2:-2] = np.minimum(padded[2:-2, 2:-2], moved)
        np.testing.assert_allclose(found, padded[2:-2, 2:-2], atol=1e-3)


def test_edges_of_a_square():
    layer = np.zeros((2, 12, 12), np.uint8)
    layer[0, 3:9, 3:9] = 200
    found = weather.edges(layer)
    assert found[0, 5:7].sum(axis=1).tolist() == [2, 2]  # one pixel on the left, one on the right
    assert not found[0, 5:7, 5:7].any() and not found[1].any()


def test_a_drop_brighter_than_white_starts_again_at_black(monkeypatch):
    """As in the original program, which turns the layer into 8 bits without clipping it."""
    seen = []
    monkeypatch.setattr(weather, "smooth", lambda layer, sigma: layer.astype(np.float64))
    monkeypatch.setattr(
        weather, "embossed", lambda layer: seen.append(layer) or np.ones(layer.shape, np.float32)
    )
    values = np.full((8, 8), -9, np.float32)
    values[2, 2], values[4, 4] = (0.9 - 0.65) / 0.3, (1.1 - 0.65) / 0.3  # severity 3 of the small table
    monkeypatch.setattr(Streams, "normal", lambda self, *shape: values[None])
    corrupt(np.zeros((1, 8, 8, 3), np.uint8), "spatter", 3, constants="32")
    assert sorted(seen[0][seen[0] > 0].tolist()) == [int(1.1 * 255) - 256, int(0.9 * 255)] == [24, 229]


def test_snow_s_layer_is_truncated_before_it_is_smeared_and_rounded_after(monkeypatch):
    """As the original programs do, on an image that is black: what is added to it is the layer and its turn."""
    layers = []

    def streak(planes, *how):
        layers.append(planes)
        return planes + np.float32(0.6)

    monkeypatch.setattr(weather, "streak", streak)
    black = np.zeros((1, 32, 32, 1), np.uint8)
    snowed = corrupt(black, "snow", 1, constants="32")[0, :, :, 0].astype(int)
    (flakes,) = layers
    assert flakes.dtype == np.uint8 and 0 < flakes.max() < 255
    flakes = flakes[0, 0].astype(int) + 1  # 0.6 more, rounded
    share = CONSTANTS["32"]["snow"][0][-1]
    assert np.array_equal(
        snowed, (flakes + flakes[::-1, ::-1] + (1 - share) * 127.5 + 2**-10).clip(0, 255).astype(int)
    )


def test_only_a_corruption_that_changed_on_its_own_has_a_version_of_its_own():
    assert versions(STANDARD) == {} and versions(["fog", "spatter"]) == {"spatter": 2}


def test_spatter_without_a_drop_changes_nothing(monkeypatch):
    monkeypatch.setattr(Streams, "normal", lambda self, *shape: np.full((len(self), *shape), -9, np.float32))
    images = pictures(2)
    for severity in range(1, 6):
        np.testing.assert_array_equal(corrupt(images, "spatter", severity), images)


def test_photographs_of_frost_are_found_and_scaled():
    full = weather._frost_photographs(1, 32, 32)
    assert [p.shape for p in full][:2] == [(3, 600, 900), (3, 315, 560)]
    fifth = weather._frost_photographs(0.2, 32, 32)
    assert fifth[0].shape == (3, 120, 180)
    np.testing.assert_array_equal(fifth[0], full[0][:, 2::5, 2::5])  # the middle of every five pixels
    assert all(p.shape[1] >= 700 and p.shape[2] >= 800 for p in weather._frost_photographs(1, 700, 800))


# ------------------------------------------------------------------------------------------- the original's numbers


@severities
@pytest.mark.parametrize(
    "name, most",
    [
        ("contrast", 0),
        ("pixelate", 0),
        ("jpeg_compression", 0),
        # a grey level apart where float rounding truncates one of the two
        ("brightness", 1),
        ("saturate", 1),
        ("gaussian_blur", 1),
        ("zoom_blur", 1),
    ],
)
def test_equals_the_original(original, name, most, severity):
    images = pictures(3)
    ours = corrupt(images, name, severity, constants="224").astype(int)
    theirs = np.stack([original(image, severity, name) for image in images])
    assert np.abs(ours - theirs).max() <= most
    assert np.mean(ours != theirs) < (0.3 if name == "saturate" else 0.1)


@severities
@pytest.mark.parametrize("name", ["gaussian_noise", "shot_noise", "speckle_noise", "impulse_noise"])
def test_noise_has_the_original_s_distribution(original, name, severity):
    images = pictures(1, 96)
    np.random.seed(0)  # noqa: NPY002  (the original draws from numpy's global state)
    theirs = original(images[0], severity, name)
    ours = corrupt(images, name, severity, constants="224")[0]
    grid = np.linspace(0, 255, 18)
    ours, theirs = (np.searchsorted(np.sort(a.ravel()), grid) / a.size for a in (ours, theirs))
    assert np.abs(ours - theirs).max() < 0.015


# ------------------------------------------------------------------------------------------- golden values


def golden_rows():
    """What is kept of every corruption: a few pixels and the mean of two images, colour and grey."""
    rows = {}
    for table in CONSTANTS:
        for name in ALL:
            for severity in range(1, 6):
                key = f"{table}/{name}/{severity}"
                kept = []
                for channels in (3, 1):
                    out = corrupt(
                        pictures(2, 32, channels), name, severity, constants=table, ids=["a", 5], seed=3
                    )
                    kept += [round(float(out.mean()), 2), *out[0, 3::9, 5::9, -1].ravel().tolist()]
                rows[key] = kept
    return rows


def test_golden_values():
    expected = json.loads(GOLDEN.read_text())
    found = golden_rows()
    assert found.keys() == expected.keys()
    for key, row in found.items():
        # another version of a library may round a pixel the other way, no more
        assert np.abs(np.subtract(row, expected[key])).max() <= 1, key


# ------------------------------------------------------------------------------------------- damage


@pytest.mark.parametrize("table", ["32", "224"])
@pytest.mark.parametrize(
    "name", [*GROUPS["noise"], "speckle_noise", "gaussian_blur", "brightness", "contrast"]
)
def test_damage_grows_with_severity(name, table):
    images = pictures(8)
    damage = [
        np.abs(corrupt(images, name, s, constants=table) - images.astype(float)).mean() for s in range(1, 6)
    ]
    assert damage == sorted(damage) and damage[0] > 0


@pytest.mark.parametrize("name", SLIDES)
@severities
def test_the_large_table_is_harsher_on_small_images(name, severity):
    images = pictures(8, channels=1)
    damage = [
        np.abs(corrupt(images, name, severity, constants=table) - images.astype(float)).mean()
        for table in ("32", "224")
    ]
    assert damage[0] < damage[1]


# ------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "change, words",
    [
        (
            {"name": "gausian_noise"},
            r"unknown corruption 'gausian_noise'; closest: gaussian_noise, .*, .*robustshape list",
        ),
        ({"severity": 0}, "severity 0 cannot be used: it is a whole number from 1 .* to 5"),
        ({"severity": 6}, "severity 6"),
        ({"severity": 2.0}, "severity 2.0"),
        ({"severity": True}, "severity True"),
        ({"severity": "3"}, "severity '3'"),
        ({"seed": 0.5}, "seed 0.5"),
        ({"images": np.zeros((2, 8, 8, 1))}, "type uint8 .* given float64; convert them"),
        (
            {"images": np.zeros((8, 8, 1), np.uint8)},
            r"shape \(n, height, width, channels\).* given \(8, 8, 1\)",
        ),
        ({"images": np.zeros((2, 8, 8, 4), np.uint8)}, r"1 or 3 channels, but were given \(2, 8, 8, 4\)"),
        ({"images": np.zeros((2, 0, 8, 1), np.uint8)}, r"given \(2, 0, 8, 1\)"),
        ({"ids": ["a"]}, "2 images and 1 ids"),
        ({"ids": "ab"}, "one text or whole number per image, but were given as 'ab'"),
        ({"ids": [0.5, 1.5]}, "id is a text or a whole number, but one was given as 0.5"),
        ({"constants": "225"}, "unknown table of constants '225'; closest: 224"),
    ],
)
def test_errors_say_what_was_given_and_what_is_allowed(change, words):
    given = {"images": np.zeros((2, 8, 8, 1), np.uint8), "name": "gaussian_noise", "severity": 3, **change}
    with pytest.raises(InputError, match=words):
        corrupt(given.pop("images"), given.pop("name"), given.pop("severity"), **given)


def test_missing_photographs_of_frost(monkeypatch, tmp_path):
    weather._frost_photographs.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingFileError, match="pip install imagecorruptions-imaug"):
        corrupt(pictures(1), "frost", 1)
    there = types.SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: there)
    with pytest.raises(MissingFileError, match=r"frost1\.png, which is not there"):
        corrupt(pictures(1), "frost", 1)


if __name__ == "__main__":  # writes the golden values anew, after a deliberate change
    GOLDEN.write_text(json.dumps(golden_rows(), indent=0).replace(",\n", ", ").replace('], "', '],\n"'))


@pytest.mark.parametrize("mirror", [digital._mirror_about_pixel, digital._mirror_about_edge])
def test_coordinates_far_outside_of_a_tiny_image_take_no_memory(mirror):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 1, 8, 8), np.uint8)
    down, across = rng.uniform(-2e5, 2e5, (2, 2, 8, 8)).astype(np.float32)
    rows, top, _ = digital._neighbours(down, 8, mirror)
    assert len(rows) < 20 and np.array_equal(rows[top], mirror(np.floor(down).astype(int), 8))
    found = digital.bilinear(images, down, across, mirror)
    i = np.arange(2)[:, None, None]
    near = [mirror(np.floor(at).astype(int) + k, 8) for at in (down, across) for k in (0, 1)]
    wy, wx = down - np.floor(down), across - np.floor(across)
    a, b, c, d = (images[i, 0, near[r], near[2 + s]].astype(float) for r in (0, 1) for s in (0, 1))
    twin = (1 - wy) * ((1 - wx) * a + wx * b) + wy * ((1 - wx) * c + wx * d)
    assert np.allclose(found[:, 0], twin, atol=1e-2)
    assert corrupt(images.transpose(0, 2, 3, 1), "elastic_transform", 5).shape == (2, 8, 8, 1)
