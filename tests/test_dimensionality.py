"""TwoNN: by hand, known manifolds, a plain twin, equal rows, invariances, the error's words."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from robustshape.errors import InputError
from robustshape.indicators.dimensionality import intrinsic_dimension


def plain(features, discarded=0.1):
    distance = np.sort(cdist(features, features), axis=1)
    log_ratio = np.sort(np.log(distance[:, 2] / distance[:, 1]))
    kept = int((1 - discarded) * len(log_ratio))
    x = log_ratio[:kept]
    y = np.array([-np.log(1 - (i + 1) / len(log_ratio)) for i in range(kept)])
    return np.linalg.lstsq(x[:, None], y, rcond=None)[0][0]


def test_by_hand():
    # 0, 1, 3: ratios 3, 2, 3/2; of two thirds kept, F = 1/3 and 2/3
    x, y = np.log([1.5, 2.0]), np.log([1.5, 3.0])
    expected = (x @ y) / (x @ x)
    assert intrinsic_dimension([[0.0], [1.0], [3.0]], discarded=1 / 3 - 1e-9) == pytest.approx(expected)


@pytest.mark.parametrize("dimension", [1, 2, 3, 5, 8])
def test_a_cube_has_its_dimension(dimension):
    rng = np.random.default_rng(dimension)
    cube = rng.uniform(size=(4000, dimension)) @ np.linalg.qr(rng.standard_normal((20, 20)))[0][:dimension]
    assert intrinsic_dimension(cube) == pytest.approx(dimension, rel=0.1)


def test_a_sphere_has_one_less_than_its_space():
    points = np.random.default_rng(0).standard_normal((3000, 3))
    assert intrinsic_dimension(points / np.linalg.norm(points, axis=1, keepdims=True)) == pytest.approx(
        2, rel=0.1
    )


@pytest.mark.parametrize("discarded", [0.0, 0.1, 0.5])
def test_equals_a_plain_fit(discarded):
    features = np.random.default_rng(1).standard_normal((400, 6))
    if discarded == 0:  # the largest ratio has F = 1 and can never be fitted
        expected = plain(features, 1 / 400)
    else:
        expected = plain(features, discarded)
    assert intrinsic_dimension(features, discarded=discarded) == pytest.approx(expected)


def test_equal_rows_count_once():
    features = np.random.default_rng(2).standard_normal((300, 4))
    assert intrinsic_dimension(np.concatenate([features, features[:150], features[:90]])) == pytest.approx(
        intrinsic_dimension(features)
    )


def test_order_scale_offset_and_rotation_do_not_matter():
    rng = np.random.default_rng(3)
    features = rng.standard_normal((500, 5))
    rotation = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    moved = 1e-3 * features[rng.permutation(500)] @ rotation + 100
    assert intrinsic_dimension(moved) == pytest.approx(intrinsic_dimension(features), rel=1e-6)


def test_undefined_where_nothing_differs_or_all_distances_are_equal():
    assert np.isnan(intrinsic_dimension(np.zeros((50, 4))))
    assert np.isnan(intrinsic_dimension(np.arange(6.0)[:, None] % 2))
    assert np.isnan(intrinsic_dimension(np.eye(8)))  # all equally far


@pytest.mark.parametrize(
    "features, options, words",
    [
        (np.ones((2, 2)), {}, "at least 3 samples, but was given 2"),
        (np.array([[1.0], [np.inf], [0.0]]), {}, "1 of 3 samples have NaN or infinite"),
        (np.eye(5), {"discarded": 1.0}, r"a share in \[0, 1\), such as 0.1, but is 1.0"),
        (np.ones(4), {}, r"real features \(n, d\)"),
    ],
)
def test_says_what_is_wrong(features, options, words):
    with pytest.raises(InputError, match=words):
        intrinsic_dimension(features, **options)
