"""Images and labels of one's own as arrays, in an .npz or from a function: read rightly, or every mistake named."""

import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from robustshape import datasets
from robustshape.datasets import DATASETS, given
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError, MissingFileError, StoreError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 9, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


@pytest.fixture(autouse=True)
def data(data_folder, monkeypatch, tmp_path):
    """An empty data folder and an empty cache; the current folder is another, and no module stays imported."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", False)  # Python's own default
    yield data_folder
    for name in ("my_images", "my_level"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    "keys", [("images", "labels"), ("x", "y"), ("x_test", "y_test"), ("test_images", "test_labels")]
)
def test_an_npz_is_read_by_any_of_its_usual_keys(data, keys):
    np.savez(data / "mine.npz", **dict(zip(keys, (IMAGES, LABELS))))
    loaded = datasets.load("npz:mine.npz")
    assert np.array_equal(loaded.image, IMAGES) and np.array_equal(loaded.label, LABELS)
    assert loaded.sample.values[0] == "npz/test/000000" and loaded.attrs["class_names"] == ["0", "1", "2"]
    assert loaded.attrs["checksum"] == datasets.checksum(IMAGES, LABELS) and loaded.attrs["checksum_matches"]
    assert datasets.load(f"npz:{data / 'mine.npz'}").identical(
        loaded.assign_attrs(dataset=f"npz:{data / 'mine.npz'}")
    )
    with pytest.raises(InputError, match="unknown split 'train'; closest: test"):
        datasets.load("npz:mine.npz", split="train")


def test_an_npz_may_hold_both_splits_grey_images_and_names(data):
    np.savez_compressed(
        data / "mine.npz", train_images=IMAGES[..., 0], train_labels=LABELS[:, None].astype(float),
        test_images=IMAGES[:2, ..., 0], test_labels=np.array([True, False]), class_names=["cat", "dog", "newt", "ox"],
    )  # fmt: skip
    train, test = (datasets.load("npz:mine.npz", split=split) for split in ("train", "test"))
    assert train.image.shape == (6, 8, 9, 1) and train.label.values.tolist() == LABELS.tolist()
    assert test.label.values.tolist() == [1, 0]
    assert test.attrs["class_names"] == ["cat", "dog", "newt", "ox"] and test.attrs["n_classes"] == 4


def test_an_npz_that_changes_is_read_anew(data):
    np.savez(data / "mine.npz", images=IMAGES, labels=LABELS)
    (selection,) = Selection.parts("npz:mine.npz", (6,), seed=0)
    first = selection.identity()
    assert first["dataset"] == "npz"
    np.savez(data / "mine.npz", images=255 - IMAGES, labels=LABELS)
    assert selection.identity()["checksum"] != first["checksum"]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (dict(images=IMAGES), "mine.npz has images; it needs images and labels"),
        (dict(images=IMAGES, x=IMAGES, y=LABELS), "has images and x, which may both be the split test"),
        (dict(images=IMAGES / 255, labels=LABELS), r"images: images must be uint8.*\(images \* 255\)\.round"),
        (dict(images=IMAGES.transpose(0, 3, 1, 2), labels=LABELS), r"channels in front; .*transpose\(0, 2, 3, 1\)"),
        (dict(images=IMAGES[..., :2], labels=LABELS), "1 or 3 channels"),
        (dict(images=IMAGES, labels=LABELS[:5]), r"holds 6 images, but labels of shape \(5,\)"),
        (dict(images=IMAGES, labels=np.eye(3)[LABELS]), r"shape \(6, 3\); .*labels\.argmax\(1\)"),
        (dict(images=IMAGES, labels=LABELS + 0.5), "holds the label 0.5, but labels are whole numbers"),
        (dict(images=IMAGES, labels=[0, 1, np.nan, 0, 1, 0]), "holds the label nan"),
        (dict(images=IMAGES, labels=LABELS - 1), "holds the label -1"),
        (dict(images=IMAGES, labels=LABELS + 1), "labels up to 3, but none is 0; number the classes from 0"),
        (dict(images=IMAGES, labels=LABELS * 2), "labels up to 4, but none is 1"),
        (dict(images=IMAGES, labels=["a", "b"] * 3), r"labels of type <U1.*numpy\.unique"),
        (dict(images=IMAGES, labels=LABELS * 0), "holds one class, but at least 2"),
        (dict(images=IMAGES, labels=LABELS, class_names=["a", "b"]), "the label 2, but only 2 class_names"),
        (dict(images=IMAGES, labels=LABELS, class_names=["a", "b", "a"]), "has a class name twice"),
        (dict(images=IMAGES, labels=LABELS, class_names=[1, 2, 3]), "class_names of type int64"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(data, arrays, words):
    np.savez(data / "mine.npz", **arrays)
    with pytest.raises(InputError, match=words):
        datasets.load("npz:mine.npz")


def test_a_file_that_is_no_npz_of_plain_arrays_is_named(data):
    np.savez(data / "objects.npz", images=IMAGES, labels=np.array([*"aabbcc"], dtype=object))
    np.save(data / "one.npy", IMAGES)
    (data / "text.npz").write_text("no arrays")
    whole = data / "cut.npz"
    np.savez(whole, images=IMAGES, labels=LABELS)
    whole.write_bytes(whole.read_bytes()[:-50])
    for name in ("objects.npz", "one.npy", "text.npz", "cut.npz"):
        with pytest.raises(StoreError, match=rf"{name} cannot be read as an \.npz of plain arrays"):
            datasets.load(f"npz:{name}")
    with pytest.raises(MissingFileError, match=r"no file 'none\.npz', here or in ROBUSTSHAPE_DATA"):
        datasets.load("npz:none.npz")


# functions


def write(code):
    with open("my_images.py", "w", encoding="utf-8") as file:
        file.write("import numpy as np, xarray as xr\n" + code)


TWO = "np.arange(6 * 48, dtype='u1').reshape(6, 4, 4, 3), np.arange(6) % 2"


def test_a_function_gives_a_test_split_and_names_if_it_likes():
    write(f"def plain():\n    return {TWO}\ndef named():\n    return (*({TWO}), ['cat', 'dog'])\n")
    plain, named = (datasets.load(f"python:my_images:{name}") for name in ("plain", "named"))
    assert plain.image.shape == (6, 4, 4, 3) and plain.sample.values[5] == "python/test/000005"
    assert plain.attrs["class_names"] == ["0", "1"] and named.attrs["class_names"] == ["cat", "dog"]
    assert DATASETS["python:my_images:plain"].locate().endswith("my_images.py")


def test_a_function_that_takes_a_split_gives_both():
    write(
        f"def both(split):\n    images, labels = {TWO}\n    n = 4 if split == 'train' else 2\n    return images[:n], labels[:n]\n"
    )
    assert [datasets.load("python:my_images:both", split=s).sizes["sample"] for s in ("train", "test")] == [
        4,
        2,
    ]


def test_a_function_may_return_a_data_set_with_ids_of_its_own():
    write(
        f"def made():\n    images, labels = {TWO}\n"
        "    variables = {'image': (('sample', 'y', 'x', 'channel'), images), 'label': ('sample', labels)}\n"
        "    return xr.Dataset(variables, {'sample': [f'mine/{i}' for i in range(6)]}, {'class_names': ['a', 'b']})\n"
        "def without():\n    return xr.Dataset()\n"
    )
    loaded = datasets.load("python:my_images:made")
    assert isinstance(loaded, xr.Dataset) and loaded.sample.values.tolist() == [f"mine/{i}" for i in range(6)]
    assert loaded.attrs["class_names"] == ["a", "b"]
    with pytest.raises(InputError, match=r"an xarray\.Dataset without image and label"):
        datasets.load("python:my_images:without")


def test_a_function_whose_file_was_edited_is_called_anew():
    write(f"def plain():\n    return {TWO}\n")
    (selection,) = Selection.parts("python:my_images:plain", (6,), seed=0)
    first = selection.load()
    assert selection.load() is first and selection.identity()["dataset"] == "python"
    write(f"def plain():\n    images, labels = {TWO}\n    return 255 - images, labels\n")
    assert int(selection.load().image.values.max()) == 255 - int(first.image.values.min())
    assert not selection.load().identical(first)


def test_a_function_whose_module_imports_an_edited_one_is_called_anew():
    Path("my_level.py").write_text("LEVEL = 3\n", encoding="utf-8")
    write(
        f"from my_level import LEVEL\ndef plain():\n    images, labels = {TWO}\n    return images * 0 + LEVEL, labels\n"
    )
    (selection,) = Selection.parts("python:my_images:plain", (6,), seed=0)
    assert int(selection.load().image.values.max()) == 3
    Path("my_level.py").write_text("LEVEL = 7\n", encoding="utf-8")
    assert int(selection.load().image.values.max()) == 7
    assert int(datasets.load("python:my_images:plain").image.values.max()) == 7


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("python:my_images", InputError, "names no function; write it as python:package.module:function"),
        ("python:no_such_module:f", MissingFileError, "'no_such_module' cannot be imported.*PYTHONPATH"),
        ("python:my_images:plian", InputError, "unknown function of my_images 'plian'; closest: plain"),
        ("python:my_images:number", InputError, r"returned int, but it returns \(images, labels\)"),
        ("python:my_images:floats", InputError, "floats: images must be uint8"),
    ],
)
def test_functions_that_do_not_fit_are_refused(name, kind, words):
    write(
        f"def plain():\n    return {TWO}\ndef number():\n    return 3\ndef floats():\n    return np.ones((2, 4, 4, 3)), [0, 1]\n"
    )
    with pytest.raises(kind, match=words):
        datasets.load(name)


def test_labels_of_every_whole_type_are_the_same():
    for kind in ("i1", "u8", "f2", "f8"):
        found = given.checked_labels(LABELS.astype(kind), 6, "these")
        assert found.dtype == np.int64 and np.array_equal(found, LABELS)
