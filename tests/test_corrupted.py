"""Predictions on corrupted images: made here, saved as JPEG, or the published ones; each cell kept by itself."""

import shutil
import warnings

import numpy as np
import pytest

from benchmarks import write_cifar10, write_cifar10_c
from robustshape.corruptions import corrupt, stored
from robustshape.corruptions.jpeg import saved_as_jpeg
from robustshape.datasets.selection import Selection, _load
from robustshape.errors import InputError, MissingFileError
from robustshape.measurements import corrupted, prepare
from robustshape.measurements.corrupted import CorruptedImages
from robustshape.measurements.population import Population
from robustshape.models import load
from robustshape.models.network import Network
from robustshape.store.keys import key_of
from robustshape.studies import common

QUICK = dict(dataset="digits", epochs=1)
MLP = Network.of("zoo:mlp", **QUICK)
IMAGES = Selection.parts("digits", (300, 50), seed=0)[0]


@pytest.fixture(autouse=True)
def own_cache(cache):
    return cache


def test_predictions_are_those_of_the_corrupted_images_one_by_one():
    images = CorruptedImages(IMAGES, ("gaussian_noise", "contrast"), (2, 4), seed=7)
    for call in corrupted.missing([MLP], images):
        corrupted.predict(*call)
    right = corrupted.correct(MLP, images)
    assert right.dims == ("corruption", "severity", "sample") and right.shape == (2, 2, 300)
    assert right.dtype == bool and right.attrs["seconds"] > 0
    data, classifier = IMAGES.load(), load("zoo:mlp", **QUICK)
    for i in (0, 123, 299):
        one = data.isel(sample=[i])
        shown = corrupt(one["image"].values, "contrast", 4, seed=7, ids=one.sample.values)
        expected = classifier.logits(shown).argmax() == int(one["label"].values[0])
        assert bool(right.sel(corruption="contrast", severity=4)[i]) == expected


def test_only_networks_without_an_entry_are_asked_for_and_all_see_the_same_images(monkeypatch):
    other = Network.of("zoo:mlp-noise", **QUICK)
    images = CorruptedImages(IMAGES, ("contrast",), (5,), seed=0)
    [call] = corrupted.missing([MLP], images)
    corrupted.predict(*call)
    [call] = corrupted.missing([MLP, other], images)
    assert call[0] == (other,)
    monkeypatch.setattr(corrupted, "VERSION", "as if nothing were kept")
    [call] = corrupted.missing([MLP, other], images)
    assert call[0] == (MLP, other)
    shown, make = [], CorruptedImages.images
    monkeypatch.setattr(CorruptedImages, "images", lambda *a: shown.append(a[1:]) or make(*a))
    corrupted.predict(*call)
    assert len(shown) == 1 and corrupted.missing([MLP, other], images) == []  # corrupted once for both


def test_pieces_do_not_change_a_number(monkeypatch):
    images = CorruptedImages(IMAGES, ("gaussian_noise",), (3,), seed=1)
    whole = corrupted.correct(MLP, images)  # what is not there is made
    monkeypatch.setattr(corrupted, "VERSION", "as if nothing were kept")
    monkeypatch.setattr(corrupted, "PIECE", 128)
    np.testing.assert_array_equal(corrupted.correct(MLP, images), whole)


def test_the_key_holds_what_defines_the_numbers():
    def spec(corruption="fog", severity=3, **changed):
        given = dict(corruptions=("fog", "snow"), severities=(1, 3), seed=0) | changed
        return corrupted.kept(MLP, CorruptedImages(IMAGES, **given), corruption, severity).spec

    changes = [
        {},
        dict(corruption="snow"),
        dict(severity=1),
        dict(seed=1),
        dict(constants="224"),
        dict(made="generated jpeg85"),
    ]
    assert len({key_of(spec(**change)) for change in changes}) == 6
    assert key_of(spec(corruptions=("fog",), severities=(3,))) == key_of(spec())  # whatever else is asked for
    assert spec() | {"model": {}, "images": {}} == {  # what is in caches must stay found
        "kind": "corrupted predictions",
        "version": 1,
        "model": {},
        "images": {},
        "corruption": "fog",
        "severity": 3,
        "made": {"as": "generated", "version": 1, "seed": 0, "constants": "auto"},
    }
    assert spec()["model"] == MLP.identity and spec()["images"] == IMAGES.identity()


def test_a_network_that_gives_nan_is_named_with_the_corruption(monkeypatch):
    monkeypatch.setattr(
        "robustshape.models.classifier.Classifier.logits", lambda self, x: np.full((300, 10), np.nan)
    )
    with pytest.raises(InputError, match="zoo:mlp gives NaN or infinite logits under contrast"):
        corrupted.correct(MLP, CorruptedImages(IMAGES, ("contrast",), (1,), seed=0))


def test_of_a_corrupted_framed_image_a_network_takes_the_whole(photos):
    network, framed = Network("python:networks:of_imagenet"), photos("frame224")
    images, data = CorruptedImages(framed, ("brightness",), (1,), seed=0), framed.load()
    shown = corrupt(data.image.values, "brightness", 1, seed=0, ids=data.sample.values)
    logits = network.load(data).logits(shown)[:, [1, 285, 954]]
    expected = logits.argmax(1) == data.label.values
    np.testing.assert_array_equal(corrupted.correct(network, images).values[0, 0], expected)
    own = load(network.name).logits(shown)[:, [1, 285, 954]]
    assert (own.argmax(1) != logits.argmax(1)).any()  # what its own crop sees is another image


# images of the published benchmarks


STORED = Network("python:networks:by_brightness")


@pytest.fixture
def cifar(monkeypatch, tmp_path):
    """Twenty clean images of noise, and CIFAR-10-C of two corruptions, in ROBUSTSHAPE_DATA."""
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path / "data"))
    write_cifar10_c(tmp_path / "data" / "CIFAR-10-C", ["fog", "snow"])
    write_cifar10(tmp_path / "data")
    _load.cache_clear()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is not the known copy of cifar10")
        yield Selection.parts("cifar10", (8, 12), seed=0)[1]
    _load.cache_clear()


def predict(images, corruptions, severities, made="stored", seed=0):
    """Return which are classified rightly, and the (corruption, severity) that had to be shown for that."""
    shown = CorruptedImages(images, corruptions, severities, seed, made=made)
    calls = corrupted.missing([STORED], shown)
    for call in calls:
        corrupted.predict(*call)
    return corrupted.correct(STORED, shown), [call[2:4] for call in calls]


def entry(images, severity):
    return corrupted.kept(
        STORED, CorruptedImages(images, ("fog",), (3, 5), 0, made="stored"), "fog", severity
    )


def test_predictions_of_stored_images_are_those_worked_out_by_hand(cifar, tmp_path, monkeypatch):
    found, shown = predict(cifar, ("fog", "snow"), (3, 5))
    assert shown == [("fog", 3), ("fog", 5), ("snow", 3), ("snow", 5)]
    assert found.shape == (2, 2, 12) and list(found.sample.values) == list(cifar.load().sample.values)
    assert found.sel(corruption="fog", severity=3).all()
    assert not found.sel(corruption="fog", severity=5).any() and not found.sel(corruption="snow").any()
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "in pieces"))
    monkeypatch.setattr(corrupted, "PIECE", 5)
    np.testing.assert_array_equal(predict(cifar, ("fog", "snow"), (3, 5))[0], found)


def test_another_severity_is_added_and_the_first_not_made_again(cifar, cache):
    first, _ = predict(cifar, ("fog",), (3,))
    written = entry(cifar, 3).folder.stat().st_mtime_ns
    both, shown = predict(cifar, ("fog",), (5, 3))
    assert shown == [("fog", 5)] and both.severity.values.tolist() == [5, 3]
    assert {path.name for path in (cache / "corrupted").iterdir()} == {entry(cifar, s).key for s in (3, 5)}
    assert entry(cifar, 3).folder.stat().st_mtime_ns == written
    np.testing.assert_array_equal(both.sel(severity=3), first.sel(severity=3))
    assert predict(cifar, ("fog",), (3, 5), seed=1)[1] == []  # nothing is drawn, so no seed matters


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"no archive", None])
def test_a_damaged_severity_is_named_and_made_again(cifar, capsys, content):
    right, _ = predict(cifar, ("fog",), (3, 5))
    damaged, other = entry(cifar, 3).folder, entry(cifar, 5).folder
    [file], written = damaged.glob("data.*"), other.stat().st_mtime_ns
    file.write_bytes(file.read_bytes()[:-30] if content is None else content)
    again = corrupted.correct(STORED, CorruptedImages(cifar, ("fog",), (3, 5), 0, made="stored"))
    said = capsys.readouterr().out
    assert f"{damaged} is damaged: {file.name} is not as it was written" in said and "computed again" in said
    np.testing.assert_array_equal(again, right)
    assert other.stat().st_mtime_ns == written
    assert predict(cifar, ("fog",), (3, 5))[1] == [] and capsys.readouterr().out == ""


def test_images_saved_as_jpeg_are_others_and_kept_apart(cifar, cache):
    data = cifar.load()
    generated, saved, published = (
        CorruptedImages(cifar, ("fog",), (2,), 3, made=made).images("fog", 2) for made in corrupted.MADE
    )
    ids = data.sample.values
    np.testing.assert_array_equal(generated, corrupt(data.image.values, "fog", 2, seed=3, ids=ids))
    np.testing.assert_array_equal(saved, saved_as_jpeg(generated, 85))
    assert (saved != generated).mean() > 0.5
    np.testing.assert_array_equal(published, stored.stored_images(data, "fog", 2))
    part = CorruptedImages(cifar, ("fog",), (2,), 3).images("fog", 2, slice(3, 5))
    np.testing.assert_array_equal(part, generated[3:5])
    for n, made in enumerate(corrupted.MADE):
        assert predict(cifar, ("fog",), (2,), made)[1] == [("fog", 2)]
        assert len(list((cache / "corrupted").iterdir())) == n + 1


def test_the_key_of_stored_images_says_where_they_are_from(cifar, monkeypatch):
    def made(**changed):
        images = CorruptedImages(cifar, ("fog",), (2,), **dict(seed=0, made="stored") | changed)
        return corrupted.kept(STORED, images, "fog", 2).spec["made"]

    source = "CIFAR-10-C (https://zenodo.org/records/2535967), read from a folder of ROBUSTSHAPE_DATA"
    assert made() == made(seed=1, constants="32")
    assert {key: value for key, value in made().items() if key != "files"} == {
        "as": "stored",
        "from": source,
        "version": stored.VERSION,
    }
    monkeypatch.setattr(stored, "VERSION", 2)
    assert made()["version"] == 2


def test_an_edited_file_of_a_benchmark_is_shown_again_and_no_other(cifar, tmp_path):
    before, row = predict(cifar, ("fog", "snow"), (3,))[0], key_of(population().specification(STORED))
    assert key_of(population().specification(STORED)) == row
    folder = tmp_path / "data" / "CIFAR-10-C"
    np.save(folder / "fog.npy", np.load(folder / "snow.npy"))
    after, shown = predict(cifar, ("fog", "snow"), (3,))
    assert (
        shown == [("fog", 3)] and before.sel(corruption="fog").all() and not after.sel(corruption="fog").any()
    )
    assert key_of(population().specification(STORED)) != row


def population(**changed):
    given = dict(
        models=[STORED.name], dataset="cifar10", n_samples=8, n_robustness=12, corruptions=["fog", "snow"],
        severities=[3, 5], epochs=0, seed=0, corrupted="stored",
    )  # fmt: skip
    return Population.of(**given | changed)


def test_a_population_is_shown_stored_images(cifar):
    networks = population()
    prepare.prepare(networks, networks.networks)
    row, _ = common.of_network(networks, STORED)
    assert row["corrupted_accuracy"].values.tolist() == [[1, 0], [0, 0]]
    assert networks.specification(STORED)["corrupted"] == ["stored", 1]
    keys = [population(corrupted=made).specification(STORED) for made in corrupted.MADE]
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
