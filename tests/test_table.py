"""A study's rows as a flat table: by hand, in an order that does not vary, provenance only where it is asked for."""

import numpy as np
import pytest
import xarray

from robustshape.analysis.table import table
from robustshape.errors import InputError

FIRST = ["network", "family", "recipe", "R", "accuracy", "indicator_accuracy", "corrupted_accuracy"]


def rows():
    found = xarray.Dataset(
        {
            "key": ("model", ["k1", "k2"]),
            "skewness": ("model", [1.5, 2.5]),
            "provenance": ("model", ["{}", "{}"]),
            "corrupted_accuracy": (("model", "corruption", "severity"), [[[0.4, 0.2]], [[0.8, 0.6]]]),
            "accuracy": ("model", [0.6, 1.0]),
            "robust_accuracy": (("model", "attack"), [[0.5, 0.1], [0.75, 0.25]]),
            "skewness_interval": (("model", "bound"), [[1.0, 2.0], [2.0, 3.0]]),
            "recipe": ("model", ["plain", "noise"]),
            "n_draws": ("model", [3, 3]),
            "indicator_value": (("model", "indicator", "draw"), np.arange(12.0).reshape(2, 2, 3)),
            "purity": (("model", "clustering", "draw"), np.arange(12.0).reshape(2, 2, 3) / 12),
            "calibration_auc": (("model", "draw"), [[0.5, 0.6, 0.7], [0.8, 0.9, 1.0]]),
            "rank": (("model", "sample"), [[1, 3, 2], [2, 2, 9]]),
            "label": (("model", "sample"), [[0, 0, 1]] * 2),
            "plot": (("model", "axis"), [[0.0, 1.0], [2.0, 3.0]]),
            "family": ("model", ["mlp", "vit"]),
            "indicator_accuracy": ("model", [0.7, 0.9]),
            "origin": ("model", ["measured here", "published"]),
            "dataset": ("model", ["digits"] * 2),
        },
        coords={
            "model": ["zoo:mlp", "file:cards/mine.json"], "attack": ["pgd linf 0.1", "pgd linf 0.2"],
            "bound": ["low", "high"], "indicator": ["silhouette", "hit"], "clustering": ["k-means", "multicut"],
            "sample": ["a", "b", "c"], "corruption": ["fog"], "severity": [1, 5],
        },
    )  # fmt: skip
    for name in ("key", "provenance", "recipe", "family", "origin", "dataset"):
        found[name].attrs["role"] = "about"
    return found


SHOWN = [
    *FIRST, "accuracy, pgd linf 0.1", "accuracy, pgd linf 0.2", "hit", "silhouette", "calibration_auc", "n_draws",
    "purity, k-means", "purity, multicut", "skewness", "skewness_interval, high", "skewness_interval, low", "origin", "model",
]  # fmt: skip


def test_a_line_for_each_network_by_hand():
    flat = table(rows())
    assert list(flat) == SHOWN and flat["network"].tolist() == ["mlp", "mine"]
    np.testing.assert_allclose(flat["corrupted_accuracy"], [0.3, 0.7])
    np.testing.assert_allclose(flat["R"], [0.3 / 0.6, 0.7])
    assert flat["accuracy, pgd linf 0.2"].tolist() == [0.1, 0.25]
    assert flat["skewness_interval, low"].tolist() == [1, 2] and flat["skewness_interval, high"].tolist() == [
        2,
        3,
    ]
    # means over draws; of registered indicators by their name alone
    assert flat["silhouette"].tolist() == [1, 7] and flat["hit"].tolist() == [4, 10]
    np.testing.assert_allclose(flat["purity, multicut"], np.array([4, 10]) / 12)
    np.testing.assert_allclose(flat["calibration_auc"], [0.6, 0.9])


def test_the_order_of_columns_does_not_depend_on_that_of_the_rows():
    given = rows()
    mixed = given[sorted(given.data_vars, reverse=True)].isel(attack=[1, 0], indicator=[1, 0], bound=[1, 0])
    assert sorted(table(mixed)) == sorted(SHOWN)
    under = SHOWN[7:9]
    assert [name for name in table(mixed) if name not in under] == [
        name for name in SHOWN if name not in under
    ]


def test_how_and_on_what_it_was_measured_follows_only_if_asked_for():
    flat = table(rows(), full=True)
    assert list(flat) == [*SHOWN[:-2], "dataset", "key", "provenance", "origin", "model"]
    assert flat.drop(columns=["dataset", "key", "provenance"]).equals(table(rows()))


def test_what_was_not_measured_is_no_column():
    flat = table(rows()[["accuracy", "skewness", "key"]])
    assert list(flat) == ["network", "accuracy", "skewness", "model"]
    alone = table(rows()[["corrupted_accuracy"]])
    assert list(alone) == ["network", "corrupted_accuracy", "model"]


def test_a_line_for_each_network_and_sample_or_whatever_there_is():
    flat = table(rows(), per="sample")
    assert list(flat) == ["network", "sample", "label", "rank", "model"] and len(flat) == 6
    assert flat[["network", "sample", "rank"]].values.tolist()[3:] == [
        ["mine", "a", 2],
        ["mine", "b", 2],
        ["mine", "c", 9],
    ]
    assert table(rows(), per="attack")["robust_accuracy"].tolist() == [0.5, 0.1, 0.75, 0.25]
    numbered = table(rows(), per="axis")  # a dimension without names
    assert numbered[["axis", "plot"]].values.tolist() == [[0, 0], [1, 1], [0, 2], [1, 3]]


def test_an_unknown_dimension_says_the_closest():
    with pytest.raises(InputError, match="unknown dimension of the rows 'samples'; closest: sample"):
        table(rows(), per="samples")
