"""Features of any layer: kept ones where there are some, else those of a plain pass; of length 1 if asked for."""

import numpy as np
import pytest

from robustshape.datasets.selection import Selection
from robustshape.errors import InputError
from robustshape.measurements import features
from robustshape.measurements.layers import layer_features
from robustshape.models import load, network
from robustshape.models.network import Network

MLP = Network.of("zoo:mlp", dataset="digits", epochs=1)
IMAGES = Selection.parts("digits", (30,), seed=0)[0]


@pytest.fixture(scope="module", autouse=True)
def kept(tmp_path_factory):
    """A cache in which the features are kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        network._kept.cache_clear()
        for call in features.missing(MLP, IMAGES):
            features.compute(*call)
        yield
        network._kept.cache_clear()


def plain(layer):
    return load("zoo:mlp", dataset="digits", epochs=1).activations(IMAGES.load()["image"].values, [layer])[
        layer
    ]


@pytest.mark.parametrize("layer", ["penultimate", "logits", "depth:0.5"])
def test_features_are_those_of_a_plain_pass(layer):
    found = layer_features(MLP, IMAGES, layer)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, plain(layer))
    some = layer_features(MLP, IMAGES, layer, positions=np.array([7, 2]))
    np.testing.assert_array_equal(some, found[[7, 2]])


def test_kept_features_need_no_network(monkeypatch):
    monkeypatch.setattr(Network, "load", lambda *a: pytest.fail("it was loaded"))
    assert (
        layer_features(MLP, IMAGES, "penultimate").shape[0]
        == layer_features(MLP, IMAGES, "logits").shape[0]
        == 30
    )


def test_normalised_features_have_length_1_and_those_that_are_nothing_stay(monkeypatch):
    found, raw = (layer_features(MLP, IMAGES, "penultimate", normalise=n) for n in (True, False))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(found * np.linalg.norm(raw, axis=1, keepdims=True), raw, rtol=1e-4, atol=1e-6)
    monkeypatch.setattr("robustshape.measurements.layers.finite", lambda *a: np.zeros((1, 3), np.float32))
    nothing = layer_features(MLP, IMAGES, "depth:0.5", normalise=True)
    assert nothing.dtype == np.float32 and nothing.tolist() == [[0, 0, 0]]


def test_an_unknown_layer_says_the_closest():
    with pytest.raises(InputError, match=r"unknown layer 'fcc' of a .*; closest: "):
        layer_features(MLP, IMAGES, "fcc")
