"""Plots: they repeat, change with the seed, show what there is; trustworthiness by hand and by definition."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from robustshape.errors import InputError
from robustshape.indicators.embeddings import embed, trustworthiness
from robustshape.indicators.neighbours import neighbourhood_hit

LABELS = np.repeat([0, 1, 2], 25)
BLOBS = (np.random.default_rng(0).normal(size=(75, 6)) + 30 * np.eye(3, 6)[LABELS]).astype(np.float32)


def by_definition(features, plot, k):
    n = len(features)
    far, near = (cdist(x.astype(float), x.astype(float)) for x in (features, plot))
    penalty = 0
    for i in range(n):
        order = [j for j in np.argsort(far[i]) if j != i]
        for j in [j for j in np.argsort(near[i]) if j != i][:k]:
            penalty += max(0, order.index(j) + 1 - k)
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * penalty


def test_tsne_repeats_and_shows_the_groups():
    plot = embed(BLOBS, seed=3)
    assert plot.shape == (75, 2) and plot.dtype == np.float32 and np.isfinite(plot).all()
    assert np.array_equal(plot, embed(BLOBS, method="tsne", seed=3))
    assert neighbourhood_hit(plot, LABELS) == 1
    assert trustworthiness(BLOBS, plot) > 0.8


@pytest.mark.parametrize("features", [BLOBS[:, :1], BLOBS[:5], BLOBS.astype(np.float64) * 1e30])
def test_tsne_of_unusual_features(features):
    plot = embed(features)
    assert plot.shape == (len(features), 2) and np.isfinite(plot).all()


def test_the_seed_matters_where_the_start_is_random():
    assert not np.array_equal(embed(BLOBS[:, :1], seed=0), embed(BLOBS[:, :1], seed=1))


UMAP = """
import numpy as np
from robustshape.indicators.embeddings import embed
features = np.random.default_rng(0).normal(size=(8, 4))
first, again, other = (embed(features, method="umap", seed=seed) for seed in (0, 0, 1))
assert first.shape == (8, 2) and first.dtype == np.float32 and np.isfinite(first).all()
assert np.array_equal(first, again) and not np.array_equal(first, other)
print("repeats")
"""


def test_umap_repeats():
    # interpreted: to compile it takes longer than to lay out eight points
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", UMAP], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.stdout == "repeats\n", done.stderr


def test_features_that_do_not_vary_lie_at_one_point():
    assert np.array_equal(embed(np.full((20, 3), 7.0), method="umap"), np.zeros((20, 2)))


def test_trustworthiness_by_hand():
    line, plot = np.array([[0, 1, 4, 9, 16, 25, 36], [0, 1, 4, 9, 16, 36, 25]], dtype=float)[:, :, None]
    assert trustworthiness(line, 5 - 2 * line, n_neighbors=1) == 1
    # the plot swaps the last two: the neighbours of 16 become 9 and the sample at 36, its sixth: 6 - 2 too far
    assert trustworthiness(line, plot, n_neighbors=2) == pytest.approx(1 - 2 / (7 * 2 * (14 - 6 - 1)) * 4)


def test_trustworthiness_equals_its_definition():
    rng = np.random.default_rng(1)
    features, plot = rng.standard_normal((60, 5)), rng.standard_normal((60, 2))
    assert trustworthiness(features, plot, n_neighbors=7) == pytest.approx(by_definition(features, plot, 7))
    assert trustworthiness(features, plot) == pytest.approx(by_definition(features, plot, 12))


def test_a_plot_at_random_is_trusted_by_half_and_order_does_not_matter():
    rng = np.random.default_rng(2)
    features, plot = rng.standard_normal((400, 8)), rng.standard_normal((400, 2))
    order = rng.permutation(400)
    assert trustworthiness(features, plot) == pytest.approx(0.5, abs=0.03)
    assert trustworthiness(features[order] + 1000, 3 * plot[order]) == pytest.approx(
        trustworthiness(features, plot)
    )


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: embed(BLOBS, method="tsn"), "unknown embedding 'tsn'; it is one of tsne, umap"),
        (lambda: embed(BLOBS[:4]), "at least 5 samples, but was given 4"),
        (lambda: embed(np.full((9, 2), np.nan), method="umap"), "9 of 9 samples have NaN"),
        (lambda: trustworthiness(BLOBS, BLOBS[:9]), "75 samples but 9 points of the plot"),
        (lambda: trustworthiness(BLOBS, BLOBS, n_neighbors=38), "below half the 75 samples, but is 38"),
    ],
)
def test_says_what_is_wrong(call, words):
    with pytest.raises(InputError, match=words):
        call()
