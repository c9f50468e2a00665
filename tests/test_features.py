"""Features and corrupted predictions: kept by piece, the same whatever the pieces, never computed twice."""

import numpy as np
import pytest

from robustshape import features, robustness
from robustshape.corruptions import corrupt
from robustshape.datasets.selection import Selection
from robustshape.models import load
from robustshape.store.keys import key_of

MODEL = "zoo:mlp"
OPTIONS = (("dataset", "digits"), ("epochs", 1), ("reading", None))
IMAGES = Selection.parts("digits", (300, 50), seed=0)[0]


@pytest.fixture(autouse=True)
def own_cache(cache):
    features._kept.cache_clear()
    yield
    features._kept.cache_clear()


def compute_all():
    for piece in features.missing_pieces(MODEL, OPTIONS, IMAGES):
        features.compute_piece(*piece)
    return features.open_features(MODEL, OPTIONS, IMAGES)


def test_store_holds_what_the_network_says_of_each_image():
    store = compute_all()
    classifier = load(MODEL, **dict(OPTIONS))
    images = IMAGES.load()
    np.testing.assert_array_equal(store["logits"].values, classifier.logits(images["image"].values))
    np.testing.assert_array_equal(store["label"].values, images["label"].values)
    assert list(store.sample.values) == list(images.sample.values)
    assert store["features"].chunks is not None  # dask-backed: read when used
    assert features.accuracy(store) == np.mean(store["logits"].values.argmax(1) == images["label"].values)


def test_pieces_do_not_change_a_number(cache, monkeypatch):
    whole = compute_all().load()
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(cache.parent / "other"))
    monkeypatch.setattr(features, "PIECE", 256)
    assert len(features.missing_pieces(MODEL, OPTIONS, IMAGES)) == 2
    in_pieces = compute_all().load()
    np.testing.assert_array_equal(whole["features"].values, in_pieces["features"].values)


def test_an_interrupted_run_goes_on_after_the_last_finished_piece(monkeypatch):
    monkeypatch.setattr(features, "PIECE", 128)
    missing = features.missing_pieces(MODEL, OPTIONS, IMAGES)
    assert [start for *_, start in missing] == [0, 128, 256]
    features.compute_piece(*missing[1])
    assert [start for *_, start in features.missing_pieces(MODEL, OPTIONS, IMAGES)] == [0, 256]
    assert features.open_features(MODEL, OPTIONS, IMAGES) is None


def test_a_damaged_piece_is_named_and_computed_again(cache, monkeypatch, capsys):
    right = compute_all().load()
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(cache.parent / "other"))
    for piece in features.missing_pieces(MODEL, OPTIONS, IMAGES):
        features.compute_piece(*piece)
    [piece] = (cache.parent / "other").rglob("0.npz")
    piece.write_bytes(piece.read_bytes()[:1000])
    np.testing.assert_array_equal(
        features.open_features(MODEL, OPTIONS, IMAGES)["features"], right["features"]
    )
    assert f"{piece} is damaged" in capsys.readouterr().out


def test_another_process_may_finish_first(monkeypatch):
    missing = features.missing_pieces(MODEL, OPTIONS, IMAGES)
    compute_all()
    monkeypatch.setattr(
        features, "missing_pieces", lambda *_: []
    )  # as seen a moment before the other finished
    features.compute_piece(*missing[0])
    assert features.open_features(MODEL, OPTIONS, IMAGES).sizes["sample"] == 300


def test_a_network_that_gives_nan_is_named():
    from robustshape.errors import InputError

    with pytest.raises(InputError, match="zoo:mlp gives NaN or infinite logits"):
        features.finite(np.array([1.0, np.nan]), MODEL, "logits")


def test_a_finished_store_is_not_computed_again():
    compute_all()
    assert features.missing_pieces(MODEL, OPTIONS, IMAGES) == []


def test_a_damaged_store_is_named_and_computed_again(cache, capsys):
    right = compute_all().load()
    folder = cache / "features" / key_of(features.spec(MODEL, OPTIONS, IMAGES))
    for chunk in folder.rglob("c/0/0"):
        chunk.write_bytes(b"damaged")
    assert len(features.missing_pieces(MODEL, OPTIONS, IMAGES)) == 1
    assert f"{folder} is damaged" in capsys.readouterr().out
    np.testing.assert_array_equal(compute_all()["features"].values, right["features"].values)


def test_predictions_are_those_of_the_corrupted_images_one_by_one():
    pair = (MODEL, OPTIONS)
    given = (IMAGES, ("gaussian_noise", "contrast"), (2, 4), 7, "auto")
    for call in robustness.missing([pair], *given):
        robustness.predict(*call)
    right = robustness.correct(*pair, *given)
    assert right.dims == ("corruption", "severity", "sample") and right.shape == (2, 2, 300)
    data, classifier = IMAGES.load(), load(MODEL, **dict(OPTIONS))
    for i in (0, 123, 299):
        one = data.isel(sample=[i])
        shown = corrupt(one["image"].values, "contrast", 4, seed=7, ids=one.sample.values)
        expected = classifier.logits(shown).argmax() == int(one["label"].values[0])
        assert bool(right.sel(corruption="contrast", severity=4)[i]) == expected


def test_only_networks_without_a_store_are_asked_for():
    other = ("zoo:mlp-noise", OPTIONS)
    given = (IMAGES, ("contrast",), (5,), 0, "auto")
    [call] = robustness.missing([(MODEL, OPTIONS)], *given)
    robustness.predict(*call)
    [call] = robustness.missing([(MODEL, OPTIONS), other], *given)
    assert call[0] == (other,)


def test_the_key_holds_what_defines_the_numbers():
    def key(**changed):
        given = dict(corruption="fog", severities=(1,), seed=0, constants="auto") | changed
        return key_of(robustness.spec(MODEL, OPTIONS, IMAGES, **given))

    keys = {key(), key(corruption="snow"), key(severities=(2,)), key(seed=1), key(constants="224")}
    assert len(keys) == 5 and key() in keys
