"""Neighbours and class distances in blocks: by a full sort, equal to the indicators in memory, equal rows; who takes no blocks."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from robustshape.errors import InputError
from robustshape.indicators import INDICATORS, describe, neighbour_blocks, value
from robustshape.indicators.class_tuning import class_variance, precision
from robustshape.indicators.dimensionality import intrinsic_dimension
from robustshape.indicators.embeddings import embed
from robustshape.indicators.kstar_resampling import permutation_baseline
from robustshape.indicators.multicut import Calibration, fit_calibration, multicut_clusters
from robustshape.indicators.neighbours import knn_purity
from robustshape.indicators.separability import silhouette
from test_blocks import lazy, small_blocks  # noqa: F401


def sample(d=12, offset=0, dtype=np.float32, n=500):
    rng = np.random.default_rng(n + d)
    labels = rng.integers(4, size=n)
    features = 40 * rng.standard_normal((n, d)) + 80 * rng.standard_normal((4, d))[labels] + offset
    return features.astype(dtype), labels


def test_neighbours_are_those_of_a_full_sort():
    features, _ = sample()
    distance = cdist(features.astype(float), features.astype(float))
    np.fill_diagonal(distance, np.inf)
    given, _ = neighbour_blocks.read(lazy(features))
    found = neighbour_blocks.nearest(given, 7)
    assert np.array_equal(found, distance.argsort(axis=1)[:, :7])
    squares = neighbour_blocks.squared_distances(given, found) * given.scale**2
    assert np.allclose(squares, np.sort(distance, axis=1)[:, :7] ** 2, rtol=1e-12)


def test_more_neighbours_than_a_block_has_rows():
    features, _ = sample(n=160)
    given, _ = neighbour_blocks.read(lazy(features, 60))
    found = neighbour_blocks.nearest(given, 159)
    assert np.array_equal(np.sort(np.c_[found, np.arange(160)], axis=1), np.tile(np.arange(160), (160, 1)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("d, offset", [(3, 0), (12, 0), (40, 3000)])
def test_indicators_are_those_in_memory(d, offset, dtype):
    features, labels = sample(d, offset, dtype)
    if dtype != np.int16 or d > 3:  # whole numbers in few dimensions tie
        assert np.array_equal(knn_purity(lazy(features), labels), knn_purity(features, labels))
    assert silhouette(lazy(features), labels) == pytest.approx(silhouette(features, labels), abs=1e-9)
    assert intrinsic_dimension(lazy(features)) == pytest.approx(intrinsic_dimension(features), rel=1e-9)


def test_a_sample_is_not_its_own_neighbour_even_among_equals():
    features, labels = np.repeat([[0.0], [1.0], [5.0]], 2, axis=0), np.array([0, 1] * 3)
    assert knn_purity(lazy(features, 2), labels, k=1).tolist() == [0] * 6


def test_equal_rows_count_once_for_the_dimension():
    features, _ = sample()
    often = np.concatenate([features, features[:150], features[:90]])
    assert intrinsic_dimension(lazy(often)) == pytest.approx(intrinsic_dimension(features), rel=1e-9)
    assert np.isnan(intrinsic_dimension(lazy(np.zeros((400, 3)))))


def test_a_class_of_one_has_no_silhouette():
    features, labels = sample()
    labels[7] = 9
    assert silhouette(lazy(features), labels) == pytest.approx(silhouette(features, labels), abs=1e-9)
    with pytest.raises(InputError, match="each of 500 is its own"):
        silhouette(lazy(features), np.arange(500))


def test_says_what_is_wrong():
    features, labels = sample()
    with pytest.raises(InputError, match="k must be 1 to 499"):
        knn_purity(lazy(features), labels, k=500)
    with pytest.raises(InputError, match=r"500 samples and labels \(499,\)"):
        silhouette(lazy(features), labels[1:])
    with pytest.raises(InputError, match="1 of 500 samples have NaN or infinite"):
        intrinsic_dimension(lazy(np.where(np.arange(500)[:, None] == 3, np.inf, features)))


def refused(name) -> bool:
    """Return whether an indicator refuses a dask array; it is none of those of logits alone."""
    features, labels = sample()
    given = {"logits": np.eye(4)[labels], "calibration": (features, labels), "rng": np.random.default_rng(0)}
    try:
        value(name, features=lazy(features), labels=labels, **given)
    except InputError as error:
        assert "holds all features in memory and takes no dask array; give it features.compute()" in str(
            error
        )
        return True
    return False


def test_every_indicator_reads_blocks_or_refuses_them(monkeypatch):
    loaded = []
    monkeypatch.setattr(
        "dask.array.Array.__array__", lambda *_, **__: loaded.append(1) or np.zeros((500, 12))
    )
    in_blocks = {name for name in INDICATORS.names() if not refused(name)}
    assert not loaded
    of_logits = {"accuracy", "accuracy_among_classes", "mean_margin", "mean_max_softmax"}
    assert in_blocks - of_logits >= {
        "kmeans_purity",
        "kmeans_ari",
        "neighbourhood_hit",
        "silhouette",
        "intrinsic_dimension",
    }
    features, labels = sample()
    for call in (
        lambda x: describe(x, labels),
        lambda x: embed(x),
        lambda x: class_variance(x, labels),
        lambda x: precision(x, labels),
        lambda x: permutation_baseline(x, labels, rng=np.random.default_rng(0)),
        lambda x: fit_calibration(x, labels),
        lambda x: multicut_clusters(x, Calibration(1.0, 0.0, 1.0)),
    ):
        with pytest.raises(InputError, match="takes no dask array"):
            call(lazy(features))
    assert not loaded
