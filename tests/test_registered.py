"""The registered indicators: each is called with what it asks for, and what is said of each is there."""

import inspect
import math

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.indicators import INDICATORS, value
from robustshape.indicators.confidence import mean_margin, mean_max_softmax
from robustshape.indicators.registered import GIVEN

LABELS = np.repeat(np.arange(3), 30)


def toy():
    """Return features, logits, and features and labels of three other classes."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(180, 8)) + 3 * np.eye(6, 8)[np.repeat(np.arange(6), 30)]
    logits = rng.normal(size=(90, 3)) + 2 * np.eye(3)[LABELS]
    return features[:90], logits, (features[90:], LABELS + 3)


def test_modules_enter_themselves():
    assert {"kmeans_purity", "silhouette", "neural_collapse", "mean_margin", "mean_max_softmax"} <= set(
        INDICATORS
    )


@pytest.mark.parametrize("name", INDICATORS.names())
def test_each_is_a_number_and_says_what_it_is(name):
    features, logits, calibration = toy()
    rng = np.random.default_rng(1)
    found = value(name, features=features, labels=LABELS, logits=logits, rng=rng, calibration=calibration)
    assert type(found) is float and math.isfinite(found)
    about = INDICATORS.about(name)
    assert about["symbol"] and about["about"] and about["version"] >= 1
    parameters = inspect.signature(INDICATORS[name]).parameters
    assert {"features", "logits"} & set(parameters)
    assert {p.name for p in parameters.values() if p.default is p.empty} <= set(GIVEN)


def test_each_gets_what_it_asks_for_by_name(monkeypatch):
    features, logits, calibration = toy()
    given = dict(features=features, labels=LABELS, logits=logits, rng=np.random.default_rng(1))
    assert value("mean_margin", **given) == mean_margin(logits, LABELS)
    assert value("mean_max_softmax", **given) == mean_max_softmax(logits)
    asked = {}

    def indicator(rng, calibration, features, *, n_neighbours=5):
        asked.update(rng=rng, calibration=calibration, features=features, n_neighbours=n_neighbours)
        return np.float32(0.5)

    monkeypatch.setitem(INDICATORS._entries, "mine", indicator)
    assert value("mine", **given, calibration=calibration) == 0.5
    assert asked["features"] is features and asked["calibration"] is calibration
    assert asked["rng"] is given["rng"] and asked["n_neighbours"] == 5


def test_an_unknown_one_says_the_closest():
    with pytest.raises(InputError, match="unknown indicator 'silhouete'; closest: silhouette"):
        value("silhouete", features=[[0.0], [1.0]], labels=[0, 1])
