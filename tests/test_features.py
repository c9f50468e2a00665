"""Features: kept by piece, the same whatever the pieces, never computed twice; of ImageNet's classes those there are."""

import numpy as np
import pytest

from robustshape import datasets
from robustshape.datasets.selection import Selection
from robustshape.measurements import features
from robustshape.models import load
from robustshape.models.network import Network
from robustshape.store import arrays

MLP = Network.of("zoo:mlp", dataset="digits", epochs=1)
OF_IMAGENET = "python:networks:of_imagenet"
IMAGES = Selection.parts("digits", (300, 50), seed=0)[0]


@pytest.fixture(autouse=True)
def own_cache(cache):
    return cache


def compute_all(network=MLP, selection=IMAGES):
    for call in features.missing(network, selection):
        features.compute(*call)
    return features.open_features(network, selection)


def test_store_holds_what_the_network_says_of_each_image():
    store = compute_all()
    classifier, images = load("zoo:mlp", dataset="digits", epochs=1), IMAGES.load()
    np.testing.assert_array_equal(store["logits"].values, classifier.logits(images["image"].values))
    penultimate = classifier.activations(images["image"].values, ["penultimate"])["penultimate"]
    np.testing.assert_array_equal(store["features"].values, penultimate)
    np.testing.assert_array_equal(store["label"].values, images["label"].values)
    assert list(store.sample.values) == list(images.sample.values)
    assert features.accuracy(store) == np.mean(store["logits"].values.argmax(1) == images["label"].values)
    assert store.attrs["seconds"] > 0


def test_large_features_are_read_when_they_are_used(monkeypatch):
    small = compute_all()
    assert small["features"].chunks is None
    monkeypatch.setattr(arrays, "SMALL_BYTES", 1000)
    monkeypatch.setattr(features, "PIECE", 256)
    large = compute_all()
    assert large["features"].chunks is not None  # dask-backed
    np.testing.assert_array_equal(large["features"].values, small["features"].values)


def test_pieces_do_not_change_a_number(monkeypatch):
    whole = compute_all().load()
    monkeypatch.setattr(features, "PIECE", 256)
    assert len(features.missing(MLP, IMAGES)) == 2  # the first piece, though there, is not that of 256
    in_pieces = compute_all().load()
    for name in ("features", "logits", "label", "sample"):
        np.testing.assert_array_equal(whole[name].values, in_pieces[name].values)


def test_an_interrupted_run_goes_on_after_the_last_finished_piece(monkeypatch):
    monkeypatch.setattr(features, "PIECE", 128)
    missing = features.missing(MLP, IMAGES)
    assert [start for *_, start in missing] == [0, 128, 256]
    features.compute(*missing[1])
    assert [start for *_, start in features.missing(MLP, IMAGES)] == [0, 256]
    assert features.open_features(MLP, IMAGES) is None


def test_another_process_may_finish_first():
    missing = features.missing(MLP, IMAGES)
    compute_all()
    features.compute(*missing[0])  # as seen a moment before the other finished
    assert features.open_features(MLP, IMAGES).sizes["sample"] == 300


def test_a_finished_store_is_not_computed_again(monkeypatch):
    compute_all()
    assert features.missing(MLP, IMAGES) == []


@pytest.mark.parametrize("small", [True, False])
def test_a_damaged_piece_is_named_and_computed_again_alone(monkeypatch, capsys, small):
    if not small:
        monkeypatch.setattr(arrays, "SMALL_BYTES", 0)
    monkeypatch.setattr(features, "PIECE", 256)
    right = compute_all().load()
    entries = features.kept(MLP, IMAGES)
    written = {start: entry.folder.stat().st_mtime_ns for start, entry in entries.items()}
    file = next(entries[0].folder.rglob("data.npz" if small else "c/0/0"))
    file.write_bytes(b"damaged")
    assert [start for *_, start in features.missing(MLP, IMAGES)] == [0]
    assert f"{entries[0].folder} is damaged" in capsys.readouterr().out
    assert features.open_features(MLP, IMAGES) is None
    again = compute_all()
    for name in ("features", "logits"):
        np.testing.assert_array_equal(again[name].values, right[name].values)
    assert entries[256].folder.stat().st_mtime_ns == written[256]


# networks of ImageNet's classes


def answers(store):
    """Return what the store says of each photograph: its answer among the three, and whether right of all."""
    found = zip(store["logits"].values.argmax(1).tolist(), store["right_of_all"].values.tolist())
    return {str(name)[-5]: pair for name, pair in zip(store.sample.values, found)}


def test_a_network_of_imagenet_answers_with_the_classes_there_are_and_would_be_wrong_with_all(photos):
    selection = photos("native")
    store = compute_all(Network(OF_IMAGENET), selection)
    assert store["logits"].shape == (4, 3) and store["right_of_all"].dtype == bool
    # a: nearest of the three is the cat's 0.4, of all that of class 7
    assert answers(store) == {"a": (1, False), "b": (1, True), "c": (2, True), "d": (2, True)}
    columns = load(OF_IMAGENET).logits(datasets.pixels(selection.load()))[:, [1, 285, 954]]
    np.testing.assert_array_equal(store["logits"].values, columns)


def test_a_wrong_answer_of_all_may_be_right_among_those_there_are(photos):
    store = compute_all(Network("python:networks:wrong_of_all_right_of_three"), photos("native"))
    assert answers(store)["a"] == (0, False)  # a goldfish, at 0.31


def test_only_sets_of_imagenets_classes_have_the_number_more_and_another_key(photos):
    assert features.kept(MLP, IMAGES)[0].spec["version"] == features.VERSION == 1
    assert features.kept(Network(OF_IMAGENET), photos("native"))[0].spec["version"] == 2
    assert "right_of_all" not in compute_all()


def test_of_a_framed_image_a_network_takes_the_whole(photos):
    network, framed = Network(OF_IMAGENET), photos("frame224")
    # d: a quarter of the frame is bright, 0.25; the network's own crop to the middle would show 1
    assert answers(compute_all(network, framed))["d"] == (1, False)
    own = load(OF_IMAGENET).logits(framed.load().image.values)[:, [1, 285, 954]].argmax(1)
    assert own.tolist()[[str(name)[-5] for name in framed.load().sample.values].index("d")] == 2
