"""Every indicator of a network on draws is an entry of its own: a new one computes itself and voids no other."""

from dataclasses import replace

import numpy as np
import pytest

from robustshape.datasets.selection import Selection
from robustshape.indicators import INDICATORS, value
from robustshape.measurements import features
from robustshape.measurements.draws import class_draws
from robustshape.measurements.indicators import OnDraws
from robustshape.models import network
from robustshape.models.network import Network

MLP = Network.of("zoo:mlp", dataset="digits", epochs=1)
IMAGES = Selection.parts("digits", (200,), seed=3)[0]
HOW = OnDraws(IMAGES, n_classes=4, per_class=6, n_draws=2)
CHEAP = ["davies_bouldin", "mean_margin"]


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


def test_values_are_those_of_each_draw(monkeypatch):
    HOW.compute(MLP, [*CHEAP, "kmeans_purity"])
    entries, store = HOW.kept(MLP), features.open_features(MLP, IMAGES)
    x, labels, logits = (store[name].values for name in ("features", "label", "logits"))
    drawn = class_draws(labels, n_classes=4, per_class=6, n_draws=2, seed=3)
    for name in (*CHEAP, "kmeans_purity"):
        found = entries[name].open()
        assert found["indicator_value"].dims == ("indicator", "draw") and found[
            "indicator"
        ].values.tolist() == [name]
        expected = [
            value(
                name, features=x[d.scored], labels=labels[d.scored], logits=logits[d.scored],
                rng=np.random.default_rng([3, 4, i]), calibration=(x[d.calibration], labels[d.calibration]),
            )
            for i, d in enumerate(drawn)
        ]  # fmt: skip
        assert found["indicator_value"].values.tolist() == [expected]
        assert found["indicator_seconds"].dims == ("indicator",) and found["indicator_seconds"].item() > 0


def test_a_new_indicator_computes_one_entry_and_voids_none(monkeypatch):
    HOW.compute(MLP, CHEAP)
    before = {name: entry.key for name, entry in HOW.kept(MLP).items()}
    monkeypatch.setitem(INDICATORS._entries, "spread", lambda features: features.std())
    monkeypatch.setitem(
        INDICATORS._about, "spread", {"symbol": "s", "about": "standard deviation", "version": 1}
    )
    entries = HOW.kept(MLP)
    assert entries.keys() - before.keys() == {"spread"}
    assert {name: entry.key for name, entry in entries.items() if name != "spread"} == before
    lacking = [name for name in (*CHEAP, "spread") if entries[name].missing]
    assert lacking == ["spread"]
    HOW.compute(MLP, lacking)
    assert not entries["spread"].missing and entries["spread"].open().sizes == {"indicator": 1, "draw": 2}


def test_a_raised_version_of_one_makes_that_one_again(monkeypatch):
    HOW.compute(MLP, CHEAP)
    raised = INDICATORS.about("mean_margin") | {"version": 99}
    monkeypatch.setitem(INDICATORS._about, "mean_margin", raised)
    assert [name for name in CHEAP if HOW.kept(MLP)[name].missing] == ["mean_margin"]


def test_the_key_holds_what_defines_the_values():
    other = Selection.parts("digits", (200, 50), seed=4)[0]
    changed = [
        HOW, replace(HOW, n_classes=3), replace(HOW, per_class=5), replace(HOW, n_draws=3), replace(HOW, layer="logits"),
        replace(HOW, normalise=True), replace(HOW, selection=other),
    ]  # fmt: skip
    keys = [how.kept(MLP)["mean_margin"].key for how in changed]
    keys.append(HOW.kept(Network.of("zoo:mlp/1", dataset="digits", epochs=1))["mean_margin"].key)
    assert len(set(keys)) == 8
    assert len({entry.key for entry in HOW.kept(MLP).values()}) == len(INDICATORS)


def test_those_that_a_study_measures_itself_are_left_out():
    without = replace(HOW, without=("mean_margin",)).kept(MLP)
    assert without.keys() == set(INDICATORS.names()) - {"mean_margin"}
    assert without["davies_bouldin"].key == HOW.kept(MLP)["davies_bouldin"].key


def test_features_may_be_of_another_layer_and_of_length_1():
    raw, unit = replace(HOW, layer="logits"), replace(HOW, layer="logits", normalise=True)
    for how in (raw, unit):
        how.compute(MLP, ["davies_bouldin"])
    store = features.open_features(MLP, IMAGES)
    labels, logits = store["label"].values, store["logits"].values
    draw = class_draws(labels, n_classes=4, per_class=6, n_draws=1, seed=3)[0].scored
    lengths = np.linalg.norm(logits, axis=1, keepdims=True)
    for how, seen in ((raw, logits), (unit, logits / lengths)):
        found = how.kept(MLP)["davies_bouldin"].open()["indicator_value"].values[0, 0]
        assert found == pytest.approx(
            value("davies_bouldin", features=seen[draw], labels=labels[draw]), rel=1e-5
        )
