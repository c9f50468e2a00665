"""Features and corrupted predictions: kept by piece, the same whatever the pieces, never computed twice."""

import shutil
import warnings

import numpy as np
import pytest
from PIL import Image
from robustshape.robustness import corrupted
from robustshape.studies.population import Population

from robustshape import datasets, features, robustness
from robustshape.corruptions import corrupt, stored
from robustshape.corruptions.jpeg import saved_as_jpeg
from robustshape.datasets.selection import Selection, _load
from robustshape.errors import InputError, MissingFileError
from robustshape.models import load
from robustshape.store.keys import key_of
from robustshape.studies import preparation

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
    with pytest.raises(InputError, match="zoo:mlp gives NaN or infinite logits"):
        features.finite(np.array([1.0, np.nan]), MODEL, "logits")


def test_networks_are_loaded_onto_the_device_that_is_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr("robustshape.models.load", lambda name, **given: asked.append((name, given)))
    for device in ("cpu", "cuda:1", "cpu", "cuda:1"):
        monkeypatch.setattr(features, "device", lambda device=device: device)
        features.load_classifier(MODEL, OPTIONS)
    assert asked == [(MODEL, dict(OPTIONS) | {"device": device}) for device in ("cpu", "cuda:1")]  # each once


def test_a_device_that_is_not_there_is_refused_before_a_network_is_loaded(monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_DEVICE", "tpu")
    monkeypatch.setattr("robustshape.models.load", lambda *a, **kw: pytest.fail("it was loaded"))
    with pytest.raises(InputError, match="ROBUSTSHAPE_DEVICE is 'tpu', but must be cpu, cuda or cuda:N"):
        features.load_classifier(MODEL, OPTIONS)


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
    given = (IMAGES, ("gaussian_noise", "contrast"), (2, 4), 7, "auto", "generated")
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
    given = (IMAGES, ("contrast",), (5,), 0, "auto", "generated")
    [call] = robustness.missing([(MODEL, OPTIONS)], *given)
    robustness.predict(*call)
    [call] = robustness.missing([(MODEL, OPTIONS), other], *given)
    assert call[0] == (other,)


def test_the_key_holds_what_defines_the_numbers():
    def spec(**changed):
        given = dict(corruption="fog", seed=0, constants="auto", made="generated") | changed
        return robustness.spec(MODEL, OPTIONS, IMAGES, **given)

    changes = [
        {},
        dict(corruption="snow"),
        dict(seed=1),
        dict(constants="224"),
        dict(made="generated jpeg85"),
    ]
    assert len({key_of(spec(**change)) for change in changes}) == 5
    assert spec() | {"model": {}, "images": {}} == {  # what is in caches must stay found
        "kind": "corrupted predictions",
        "version": 1,
        "model": {},
        "images": {},
        "corruption": "fog",
        "made": {"as": "generated", "version": 1, "seed": 0, "constants": "auto"},
    }


# networks of ImageNet's classes, and images cut as they cut them


WNIDS = ("n01443537", "n02124075", "n07753592")  # 1, 285 and 954 of ImageNet
GOLDFISH, CAT, BANANA = 0.0, 0.4, 1.0  # the brightness of each
LEVELS = ((1, GOLDFISH), (285, CAT), (954, BANANA), (7, 0.3))


def by_brightness(**options):
    """A network of 1,000 classes as (name, options); 7, which is none of the three, is its answer to 0.3."""
    given = dict(levels=LEVELS, n_classes=1000, side=8, resize=16) | options
    return "python:networks:by_brightness", tuple(given.items())


@pytest.fixture
def photos(monkeypatch, tmp_path):
    """Four photographs; the last is bright in its middle alone, so that a crop sees another image."""
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path))
    middle = np.zeros((256, 256, 3), np.uint8)
    middle[72:184, 72:184] = 255  # a quarter of the 224 px that frame224 leaves, all of the middle of those
    values = [("a", 0, 0.31 * 255), ("b", 1, 130), ("c", 2, 250), ("d", 2, middle)]
    for name, label, value in values:
        folder = tmp_path / "photos" / WNIDS[label]
        folder.mkdir(parents=True, exist_ok=True)
        image = np.zeros((256, 256, 3)) + value
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{name}.png")
    _load.cache_clear()
    yield lambda reading: Selection.parts("imagefolder:photos", (4,), seed=0, reading=reading)[0]
    _load.cache_clear()


def answers(store):
    """Return what the store says of each photograph: its answer among the three, and whether right of all."""
    found = zip(store["logits"].values.argmax(1).tolist(), store["right_of_all"].values.tolist())
    return {str(name)[-5]: pair for name, pair in zip(store.sample.values, found)}


def features_of(pair, selection):
    for piece in features.missing_pieces(*pair, selection):
        features.compute_piece(*piece)
    return features.open_features(*pair, selection)


def test_a_network_of_imagenet_answers_with_the_classes_there_are_and_would_be_wrong_with_all(photos):
    selection, pair = photos("native"), by_brightness()
    store = features_of(pair, selection)
    assert store["logits"].shape == (4, 3) and store["right_of_all"].dtype == bool
    # a: nearest of the three is the cat's 0.4, of all that of class 7
    assert answers(store) == {"a": (1, False), "b": (1, True), "c": (2, True), "d": (2, True)}
    columns = load(pair[0], **dict(pair[1])).logits(datasets.pixels(selection.load()))[:, [1, 285, 954]]
    np.testing.assert_array_equal(store["logits"].values, columns)


def test_a_wrong_answer_of_all_may_be_right_among_those_there_are(photos):
    levels = ((1, 0.5), (285, 0.0), (954, 1.0), (7, 0.3))  # a is a goldfish, at 0.31
    store = features_of(by_brightness(levels=levels), photos("native"))
    assert answers(store)["a"] == (0, False)  # right among three, wrong of all


def test_only_sets_of_imagenets_classes_have_the_number_more_and_another_key(photos):
    assert features.spec(MODEL, OPTIONS, IMAGES)["version"] == features.VERSION == 1
    assert features.spec(*by_brightness(), photos("native"))["version"] == 2
    assert "right_of_all" not in compute_all()


def test_of_a_framed_image_a_network_takes_the_whole(photos):
    pair = by_brightness()
    framed, cropped = photos("frame224"), photos("crop224")
    assert framed.load().attrs["framed"] and "framed" not in cropped.load().attrs
    # d: a quarter of the frame is bright, 0.25; the network's own crop to the middle would show 1
    assert answers(features_of(pair, framed))["d"] == (1, False)
    alone = load(pair[0], **dict(pair[1]))
    own = alone.logits(framed.load().image.values)[:, [1, 285, 954]].argmax(1)
    assert own.tolist()[[str(name)[-5] for name in framed.load().sample.values].index("d")] == 2
    network = features.load_classifier(*pair, framed.load())
    assert network.module is features.load_classifier(*pair).module  # loaded once
    assert network.preprocessing() != alone.preprocessing() == features.load_classifier(*pair).preprocessing()
    assert features.load_classifier(*pair, cropped.load()).preprocess == alone.preprocess
    features.check(*pair, framed)


def test_of_a_corrupted_framed_image_a_network_takes_the_whole_too(photos):
    pair, framed = by_brightness(), photos("frame224")
    given = (framed, ("brightness",), (1,), 0, "auto", "generated")
    for call in robustness.missing([pair], *given):
        robustness.predict(*call)
    data = framed.load()
    shown = corrupt(data.image.values, "brightness", 1, seed=0, ids=data.sample.values)
    network = features.load_classifier(*pair, data)
    expected = network.logits(shown)[:, [1, 285, 954]].argmax(1) == data.label.values
    np.testing.assert_array_equal(robustness.correct(*pair, *given).values[0, 0], expected)


# images of the published benchmarks


STORED = ("python:networks:by_brightness", ())


def write_cifar10_c(folder, corruptions):
    """Write labels, and images as bright as their label; from severity 4 as that of the next class; snow, all."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "labels.npy", np.tile(np.arange(10_000) % 10, 5).astype(np.uint8))
    for name in corruptions:
        array = np.lib.format.open_memmap(
            folder / f"{name}.npy", mode="w+", dtype=np.uint8, shape=(50_000, 32, 32, 3)
        )
        for severity in range(1, 6):  # of the first twenty; the rest of the file stays a hole
            further = severity >= 4 or name == "snow"
            block = array[10_000 * (severity - 1) :][:20]
            block[:] = 25 * ((np.arange(20) + further) % 10)[:, None, None, None]
        array.flush()


@pytest.fixture
def cifar(monkeypatch, tmp_path):
    """Twenty clean images of noise, and CIFAR-10-C of two corruptions, in ROBUSTSHAPE_DATA."""
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path / "data"))
    write_cifar10_c(tmp_path / "data" / "CIFAR-10-C", ["fog", "snow"])
    images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "data" / "cifar10_test.npz", images=images, labels=np.arange(20, dtype=np.uint8) % 10)
    _load.cache_clear()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is not the known copy of cifar10")
        yield Selection.parts("cifar10", (8, 12), seed=0)[1]
    _load.cache_clear()


def predict(images, corruptions, severities, made="stored", seed=0):
    """Return which are classified rightly, and the (corruption, severity) that had to be shown for that."""
    given = (images, corruptions, severities, seed, "auto", made)
    calls = robustness.missing([STORED], *given)
    for call in calls:
        robustness.predict(*call)
    return robustness.correct(*STORED, *given), [call[2:4] for call in calls]


def test_predictions_of_stored_images_are_those_worked_out_by_hand(cifar, cache, monkeypatch):
    found, shown = predict(cifar, ("fog", "snow"), (3, 5))
    assert shown == [("fog", 3), ("fog", 5), ("snow", 3), ("snow", 5)]
    assert found.shape == (2, 2, 12) and list(found.sample.values) == list(cifar.load().sample.values)
    assert found.sel(corruption="fog", severity=3).all()
    assert not found.sel(corruption="fog", severity=5).any() and not found.sel(corruption="snow").any()
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(cache.parent / "in pieces"))
    monkeypatch.setattr(corrupted, "PIECE", 5)
    np.testing.assert_array_equal(predict(cifar, ("fog", "snow"), (3, 5))[0], found)


def test_another_severity_is_added_and_the_first_not_made_again(cifar, cache):
    first, _ = predict(cifar, ("fog",), (3,))
    [file] = (cache / "corrupted").rglob("*.npz")
    written = file.stat().st_mtime_ns
    both, shown = predict(cifar, ("fog",), (5, 3))
    assert shown == [("fog", 5)] and both.severity.values.tolist() == [5, 3]
    assert sorted(path.name for path in file.parent.iterdir()) == ["3.npz", "5.npz"]
    assert file.stat().st_mtime_ns == written
    np.testing.assert_array_equal(both.sel(severity=3), first.sel(severity=3))
    assert predict(cifar, ("fog",), (3, 5), seed=1)[1] == []  # nothing is drawn, so no seed matters


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"no archive", None])
def test_a_damaged_severity_is_named_and_made_again(cifar, cache, capsys, content):
    right, _ = predict(cifar, ("fog",), (3, 5))
    [file], [other] = ((cache / "corrupted").rglob(name) for name in ("3.npz", "5.npz"))
    written = other.stat().st_mtime_ns
    file.write_bytes(file.read_bytes()[:-30] if content is None else content)
    again, shown = predict(cifar, ("fog",), (3, 5))
    assert shown == [] and f"{file} is damaged; it is computed again" in capsys.readouterr().out
    np.testing.assert_array_equal(again, right)
    assert other.stat().st_mtime_ns == written
    predict(cifar, ("fog",), (3, 5))
    assert capsys.readouterr().out == ""


def test_images_saved_as_jpeg_are_others_and_kept_apart(cifar, cache):
    data, how = cifar.load(), (3, "auto")
    generated = corrupted.corrupted_images(data, "fog", 2, *how, "generated")
    saved = corrupted.corrupted_images(data, "fog", 2, *how, "generated jpeg85")
    ids = data.sample.values
    np.testing.assert_array_equal(generated, corrupt(data.image.values, "fog", 2, seed=3, ids=ids))
    np.testing.assert_array_equal(saved, saved_as_jpeg(generated, 85))
    assert (saved != generated).mean() > 0.5
    np.testing.assert_array_equal(
        corrupted.corrupted_images(data, "fog", 2, *how, "stored"), stored.stored_images(data, "fog", 2)
    )
    for n, made in enumerate(("generated", "generated jpeg85", "stored")):
        assert predict(cifar, ("fog",), (2,), made)[1] == [("fog", 2)]
        assert len(list((cache / "corrupted").iterdir())) == n + 1


def test_the_key_of_stored_images_says_where_they_are_from(cifar, monkeypatch):
    def made(**changed):
        given = dict(corruption="fog", seed=0, constants="auto", made="stored") | changed
        return robustness.spec(*STORED, cifar, **given)["made"]

    source = "CIFAR-10-C (https://zenodo.org/records/2535967), read from a folder of ROBUSTSHAPE_DATA"
    assert (
        made() == made(seed=1, constants="32") == {"as": "stored", "from": source, "version": stored.VERSION}
    )
    monkeypatch.setattr(stored, "VERSION", 2)
    assert made()["version"] == 2


def population(**changed):
    given = dict(
        models=[STORED[0]], dataset="cifar10", n_samples=8, n_robustness=12, corruptions=["fog", "snow"],
        severities=[3, 5], epochs=0, seed=0, corrupted="stored",
    )  # fmt: skip
    return Population.of(**given | changed)


def test_a_population_is_shown_stored_images(cifar):
    networks = population()
    preparation.prepare(networks, list(networks.models))
    row = networks.row(STORED[0])
    assert row["corrupted_accuracy"].values.tolist() == [[1, 0], [0, 0]]
    assert networks.specification(STORED[0])["corrupted"] == ["stored", 1]
    keys = [population(corrupted=made).specification(STORED[0]) for made in corrupted.MADE]
    assert len(set(map(key_of, keys))) == 3


def test_a_reader_learns_which_stored_images_are_missing_and_what_to_do(cifar, tmp_path):
    folder = tmp_path / "data" / "CIFAR-10-C"
    with pytest.raises(MissingFileError) as caught:
        population(corruptions=["fog", "frost", "snow"])
    assert str(caught.value) == (
        f"CIFAR-10-C in {folder} is not complete; of 6 (corruption, severity), 2 lack some or all of these 12 "
        "images: frost 3, frost 5; get it from https://zenodo.org/records/2535967 and unpack it as "
        "CIFAR-10-C/CORRUPTION.npy and CIFAR-10-C/labels.npy in a folder of ROBUSTSHAPE_DATA, or run the rest with "
        "corruptions=['fog', 'snow'], or use corrupted='generated'"
    )
    assert population(corruptions=["fog", "snow"]).corruptions == ("fog", "snow")
    shutil.rmtree(folder)
    with pytest.raises(MissingFileError, match=r"CIFAR-10-C is not on this machine.*corrupted='generated'"):
        population()
    population(corrupted="generated")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (dict(corrupted="stord"), "corrupted is one of 'generated', 'generated jpeg85', 'stored', but was 'stord'"),
        (dict(dataset="digits"), "of digits no corrupted benchmark is published .*use corrupted='generated'"),
        (dict(reading="resize64"), "shows what the reading native shows of cifar10, but .* read as resize64"),
        (dict(severities=[0]), "severities run from 1 to 5"),
    ],
)  # fmt: skip
def test_what_no_stored_images_show_is_refused(cifar, wrong, words):
    with pytest.raises(InputError, match=words):
        population(**wrong)
