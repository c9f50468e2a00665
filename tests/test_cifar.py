"""CIFAR-10 and CIFAR-100 in all their forms and places, official or not, whole or damaged."""

import hashlib
import io
import pickle
import tarfile
import warnings

import numpy as np
import pytest

from robustshape import datasets
from robustshape.datasets import cifar, cifar_facts
from robustshape.errors import DownloadError, StoreError

BOTH = [cifar.CIFAR10, cifar.CIFAR100]
FORMS = ["npz", "binary", "python", "binary archive", "python archive"]
by_name = pytest.mark.parametrize("which", BOTH, ids=lambda which: which.name)


@pytest.fixture(autouse=True)
def place(data_folder):
    """An empty data folder and an empty cache."""
    return data_folder


def samples(which, n=20):
    """Distinct images, and labels of all classes."""
    images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    images = np.resize(images, (n, 32, 32, 3))
    return images, (np.arange(n) * 7) % len(which.classes)


def contents(which, split, images, labels):
    """The bytes of the official batches of both forms, as (folder, archive, {batch: bytes})."""
    binary, python = {}, {}
    rows = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    names = list(zip(which.binary.batches[split], which.python.batches[split]))
    for (one, other), part in zip(names, np.array_split(np.arange(len(labels)), len(names))):
        marks = labels[part].astype(np.uint8)[:, None]
        families = [np.array(which.coarse, np.uint8)[marks]] if which.coarse else []
        binary[one] = np.hstack([*families, marks, rows[part]]).tobytes()
        batch = {b"data": rows[part], which.labels.encode(): labels[part].tolist()}
        python[other] = pickle.dumps(batch, protocol=3)
    return {"binary": (which.binary, binary), "python": (which.python, python)}


def write(which, split, folder, form, images, labels):
    folder.mkdir(parents=True, exist_ok=True)
    if form == "npz":
        np.savez(folder / f"{which.name}_{split}.npz", images=images, labels=labels.astype(np.uint8))
        return
    kind, _, archived = form.partition(" ")
    names, batches = contents(which, split, images, labels)[kind]
    if archived:
        with tarfile.open(folder / names.archive, "w:gz", compresslevel=1) as archive:
            for name, content in {"../../escaped": b"never unpacked", **batches}.items():
                member = tarfile.TarInfo(f"{names.folder}/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    else:
        (folder / names.folder).mkdir()
        for name, content in batches.items():
            (folder / names.folder / name).write_bytes(content)


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@by_name
@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", ["data", "cache/datasets"])
def test_every_form_and_place_gives_the_same_samples(tmp_path, which, split, form, where):
    images, labels = samples(which)
    write(which, split, tmp_path / where, form, images, labels)
    before = files(tmp_path)
    with pytest.warns(UserWarning, match=rf"is not the known copy of {which.name} \({split}\)"):
        data = datasets.load(which.name, split=split)
    assert np.array_equal(data.image, images) and np.array_equal(data.label, labels)
    assert data.attrs["checksum"] == datasets.checksum(images, labels)
    assert data.attrs["checksum_matches"] is False and data.attrs["reading"] == "native"
    assert data.sample.values[[0, 19]].tolist() == [f"{which.name}/{split}/{i:05d}" for i in (0, 19)]
    assert files(tmp_path) == before  # nothing was unpacked
    assert str(tmp_path / where) in datasets.found()[which.name]["place"]


@by_name
def test_a_folder_of_batches_may_itself_be_named(monkeypatch, tmp_path, which):
    write(which, "test", tmp_path, "python", *samples(which))
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path / which.python.folder))
    assert cifar.find(which, "test") == (tmp_path / which.python.folder, which.python)


@by_name
@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("form", FORMS)
def test_samples_with_the_official_digests_are_official_in_every_form(monkeypatch, place, which, form, split):
    """Digests of a few made-up samples stand in for the official ones."""
    images, labels = samples(which)
    for name, content in contents(which, split, images, labels)["binary"][1].items():
        monkeypatch.setitem(which.binary.batches[split], name, hashlib.sha256(content).hexdigest())
    write(which, split, place, form, images, labels)
    assert not cifar.is_official(which, split, images, labels)  # too few
    monkeypatch.setitem(cifar.IMAGES, split, len(labels))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert datasets.load(which.name, split=split).attrs["checksum_matches"] is True
    images[13, 3, 3, 1] ^= 1
    assert not cifar.is_official(which, split, images, labels)
    images[13, 3, 3, 1] ^= 1
    labels[[0, 1]] = labels[[1, 0]]
    assert not cifar.is_official(which, split, images, labels)


@by_name
def test_python_batches_with_the_official_md5_are_official(monkeypatch, place, which):
    images, labels = samples(which)
    write(which, "train", place, "python archive", images, labels)
    for name, content in contents(which, "train", images, labels)["python"][1].items():
        monkeypatch.setitem(which.python.batches["train"], name, hashlib.md5(content).hexdigest())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert datasets.load(which.name, split="train").attrs["checksum_matches"] is True


def test_the_classes_are_the_official_ones_and_each_family_has_five():
    assert len(set(cifar_facts.CLASSES_100)) == 100
    assert [cifar_facts.CLASSES_100[i] for i in (0, 19, 29, 99)] == ["apple", "cattle", "dinosaur", "worm"]
    assert np.bincount(cifar_facts.COARSE_100).tolist() == [5] * 20
    assert cifar_facts.COARSE_100[:10] == (4, 1, 14, 8, 0, 6, 7, 7, 18, 3)


def test_a_malicious_batch_is_refused(place):
    class Harm:
        def __reduce__(self):
            return open, (str(place / "mark"), "w")

    (place / "cifar-10-batches-py").mkdir()
    (place / "cifar-10-batches-py" / "test_batch").write_bytes(pickle.dumps({"data": Harm()}, 2))
    with pytest.raises(StoreError, match=r"cifar-10-batches-py.*asks for .*open, which no batch"):
        datasets.load("cifar10")
    assert not (place / "mark").exists()


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("cifar10_test.npz", b"PK\x03\x04 cut short", "cifar10_test.npz"),
        ("cifar10_test.npz", b"", "it is empty"),
        ("cifar-10-batches-bin/test_batch.bin", bytes(3072), "3,072 bytes are not a whole number"),
        ("cifar-10-batches-bin/test_batch.bin", b"", r"images \(0, 32, 32, 3\)"),
        ("cifar-10-batches-bin/test_batch.bin", b"\x0a" + bytes(3072), "labels from 10 to 10"),
        ("cifar-10-batches-py/test_batch", pickle.dumps({"data": [1, 2], "labels": [0]}), "data is no array"),
        ("cifar-10-batches-py/test_batch", pickle.dumps({"labels": [0]}), "'data'"),
        (
            "cifar-10-batches-py/test_batch",
            pickle.dumps({"data": np.zeros((1, 3072), "u1"), "labels": [0, 1]}),
            r"\(2,\)",
        ),
        ("cifar-10-binary.tar.gz", b"\x1f\x8b cut short", "cifar-10-binary.tar.gz"),
    ],
)
def test_a_damaged_copy_is_named_and_not_used(place, name, content, why):
    (place / name).parent.mkdir(exist_ok=True)
    (place / name).write_bytes(content)
    with pytest.raises(
        StoreError, match=rf"is not CIFAR or is damaged .*{why}|{why}.* is not CIFAR"
    ) as error:
        datasets.load("cifar10")
    assert str(place) in str(error.value)


def test_an_npz_of_other_arrays_or_types_is_refused(place):
    images, labels = samples(cifar.CIFAR10)
    for arrays, why in (
        (dict(images=images), "labels"),
        (dict(images=images / 255, labels=labels), "float64 images"),
        (dict(images=images.transpose(0, 3, 1, 2), labels=labels), r"\(20, 3, 32, 32\)"),
        (dict(images=images, labels=labels[:7]), r"labels \(7,\)"),
        (dict(images=np.array([{}], dtype=object), labels=labels), "allow_pickle"),
    ):
        np.savez(place / "cifar10_test.npz", **arrays)
        with pytest.raises(StoreError, match=why):
            datasets.load("cifar10")
    with (place / "cifar10_test.npz").open("wb") as file:
        np.save(file, images)  # one array, whatever its name says
    with pytest.raises(StoreError, match="is not CIFAR or is damaged"):
        datasets.load("cifar10")


def test_an_archive_without_the_batches_or_cut_short_is_named(place):
    which = cifar.CIFAR10
    write(which, "train", place, "binary archive", *samples(which))
    with pytest.raises(StoreError, match=r"cifar-10-binary\.tar\.gz .*it has no 'test_batch\.bin'"):
        datasets.load("cifar10")
    whole = (place / which.binary.archive).read_bytes()
    (place / which.binary.archive).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match=r"cifar-10-binary\.tar\.gz is not CIFAR or is damaged"):
        datasets.load("cifar10", split="train")


@by_name
def test_without_a_server_the_archive_and_what_to_do_are_named(monkeypatch, which):
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "0")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(cifar, "SITE", "http://127.0.0.1:1/")
    with pytest.raises(DownloadError, match=rf"127.0.0.1:1/{which.binary.archive}.*{which.python.folder}"):
        datasets.load(which.name)


@by_name
def test_a_downloaded_archive_is_read_and_found_again(monkeypatch, tmp_path, which):
    """The file comes from a stand-in for the download, which has tests of its own."""
    images, labels = samples(which)
    fetched = []

    def fetch(urls, path, *, sha256, size, instead):
        write(which, "train", path.parent, "binary archive", images, labels)
        fetched.append((urls, path.name, sha256, size))
        return path

    monkeypatch.setattr("robustshape.download.fetch", fetch)
    for _ in range(2):
        with pytest.warns(UserWarning, match="not the known copy"):
            assert np.array_equal(datasets.load(which.name, split="train").image, images)
    name = which.binary.archive
    assert fetched == [([f"https://www.cs.toronto.edu/~kriz/{name}"], name, *reversed(which.archive))]
