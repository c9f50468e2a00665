"""Attributes of digits: each follows what it is named for, and known changes of a drawn stroke by hand."""

import numpy as np
import pytest
from scipy import ndimage

from robustshape.corruptions import corrupt
from robustshape.errors import InputError
from robustshape.generators import severities
from robustshape.generators.attributes import (
    ATTRIBUTES,
    FIRST,
    added,
    attribute,
    identity,
    measured,
    median_filtered,
    of_quality,
)


def stroke(width=4, lean=0.0, brightness=1.0, side=32):
    """One image of an upright bar, or one that leans by `lean` columns for each row."""
    y, x = np.mgrid[:side, :side]
    inside = (np.abs(x - side / 2 + 0.5 + lean * (y - side / 2 + 0.5)) < width / 2) & (
        np.abs(y - side / 2 + 0.5) < 11
    )
    return (brightness * inside)[None].astype(float)


def one(image, name):
    return float(measured(image)[name][0])


def test_area_is_the_share_of_bright_pixels():
    assert one(stroke(width=4), "area") == pytest.approx(4 * 22 / 1024, rel=0.1)


@pytest.mark.parametrize("width", [2, 4, 8])
def test_stroke_width_is_that_of_a_bar_but_for_its_ends(width):
    assert one(stroke(width), "stroke_width") == pytest.approx(2 * width * 22 / (2 * width + 44), rel=0.06)


@pytest.mark.parametrize("lean", [-0.4, 0.0, 0.3])
def test_slant_is_the_columns_for_each_row_upwards(lean):
    assert one(stroke(lean=lean), "slant") == pytest.approx(lean, abs=0.05)


@pytest.mark.parametrize("brightness", [1.0, 0.4, 0.1])
def test_contrast_is_the_brightness_of_the_stroke_and_nothing_else_follows_it(brightness):
    image = stroke(brightness=brightness)
    assert one(image, "contrast") == pytest.approx(brightness)
    for name in ("area", "blur", "slant", "stroke_width"):
        assert one(image, name) == pytest.approx(one(stroke(), name))


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_blur_is_the_deviation_of_the_filter(sigma):
    image = ndimage.gaussian_filter(stroke(width=14, side=64), (0, sigma, sigma))  # with black around it
    assert one(image, "blur") == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize("deviation", [0.05, 0.1, 0.2])
def test_noise_is_its_deviation_where_nothing_is_clipped(deviation):
    rng = np.random.default_rng(0)
    image = 0.3 + 0.4 * stroke() + deviation * rng.standard_normal((1, 32, 32))
    assert one(image, "noise") == pytest.approx(deviation, rel=0.12)


@pytest.mark.parametrize(("corruption", "name"), [("gaussian_noise", "noise"), ("gaussian_blur", "blur")])
def test_each_grows_with_the_severity_of_its_corruption(corruption, name):
    image = (255 * stroke()[..., None]).astype(np.uint8)
    grown = [one(corrupt(image, corruption, k, constants="224")[..., 0] / 255, name) for k in range(1, 6)]
    assert one(stroke(), name) < grown[0] and grown == sorted(grown)


def test_each_image_is_measured_by_itself_and_an_empty_one_gives_nothing():
    rng = np.random.default_rng(0)
    images = np.concatenate([stroke(), stroke(8, 0.3), rng.random((1, 32, 32)), np.zeros((1, 32, 32))])
    whole = measured(images)
    assert sorted(ATTRIBUTES.names()) == list(whole)
    for k in range(3):
        for name, values in measured(images[k : k + 1]).items():
            assert values[0] == whole[name][k]
    assert whole["area"][3] == whole["contrast"][3] == whole["noise"][3] == 0
    assert all(np.isnan(whole[name][3]) for name in ("blur", "slant", "stroke_width"))


@pytest.mark.parametrize("shape", [(5, 32, 32), (3, 8, 5), (2, 1, 4), (1, 2, 2)])
def test_medians_of_nine_are_those_of_a_sort(shape):
    images = np.random.default_rng(0).integers(0, 9, shape) / 8  # with ties
    assert np.array_equal(
        median_filtered(images), ndimage.median_filter(images, size=(1, 3, 3), mode="nearest")
    )


def test_what_are_no_grey_images_is_refused():
    with pytest.raises(InputError, match=r"grey images \(n, h, w\), but were given \(2, 8, 8, 1\)"):
        measured(np.zeros((2, 8, 8, 1)))


@pytest.fixture
def symmetry(monkeypatch):
    """A seventh attribute, gone again after the test."""
    for name in ("_entries", "_about"):
        monkeypatch.setattr(ATTRIBUTES, name, dict(getattr(ATTRIBUTES, name)))

    @attribute("symmetry", quality=False, version=2)
    def symmetry(seen):
        return -np.abs(seen.images - seen.images[:, :, ::-1]).mean(axis=(1, 2))

    return symmetry


def test_an_attribute_is_one_function_with_its_facts(symmetry):
    assert added() == ["symmetry"] and "symmetry" not in of_quality()
    assert (identity("symmetry"), identity("blur")) == ("symmetry 2", "blur")
    assert list(measured(stroke())) == [*FIRST[:5], "stroke_width", "symmetry"]
    assert list(measured(stroke(), ["symmetry", "area"])) == ["symmetry", "area"]
    assert one(stroke(), "symmetry") == 0 and one(stroke(lean=0.3), "symmetry") < 0
    attribute("gloss", quality=True)(symmetry)
    assert of_quality() == ["blur", "contrast", "gloss", "noise"]


def test_an_added_attribute_changes_no_severity(request):
    images = np.random.default_rng(0).random((5, 12, 12))
    before = severities._table(images)
    request.getfixturevalue("symmetry")
    assert np.array_equal(severities._table(images), before, equal_nan=True) and before.shape == (5, 6)
