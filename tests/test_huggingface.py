"""Data sets of Hugging Face and of torchvision, from local folders; nothing is downloaded."""

import io
import pickle

import numpy as np
import pytest
from PIL import Image

import robustshape
from robustshape import datasets
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError, MissingFileError, StoreError

library = pytest.importorskip("datasets")
NAMES = ["ant", "bee", "cat"]


def pictures(n=30, side=lambda i: (12, 12), mode="RGB"):
    rng = np.random.default_rng(0)
    shape = (lambda i: (*side(i), 3)) if mode == "RGB" else side
    return [Image.fromarray(rng.integers(0, 256, shape(i), np.uint8), mode) for i in range(n)]


def table(images, labels=None, **more):
    labels = np.arange(len(images)) % 3 if labels is None else labels
    features = library.Features({"image": library.Image(), "label": library.ClassLabel(names=NAMES)})
    return library.Dataset.from_dict({"image": images, "label": labels}, features=features)


def test_a_saved_data_set_has_its_pixels_and_names(tmp_path, monkeypatch):
    images = pictures()
    table(images).save_to_disk(tmp_path / "mine")
    found = datasets.load(f"hf:{tmp_path / 'mine'}")
    assert np.array_equal(found["image"].values, np.stack([np.asarray(image) for image in images]))
    assert (
        found["label"].values.tolist() == [i % 3 for i in range(30)] and found.attrs["class_names"] == NAMES
    )
    assert found.sample.values[0] == "hf/test/000000"
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path))
    assert datasets.load("hf:mine").attrs["checksum"] == found.attrs["checksum"]
    before = datasets.state("hf:mine")
    table(pictures(33)).save_to_disk(tmp_path / "mine")
    assert datasets.state("hf:mine") != before and datasets.load("hf:mine").sizes["sample"] == 33
    with pytest.raises(InputError, match="has no splits, so it is read as test"):
        datasets.load("hf:mine", split="train")


def test_splits_grey_images_and_labels_that_are_words(tmp_path):
    grey = pictures(mode="L")
    words = library.Dataset.from_dict(
        {"img": grey, "label": [["b", "a"][i % 2] for i in range(30)]},
        features=library.Features({"img": library.Image(), "label": library.Value("string")}),
    )
    library.DatasetDict(
        {"train": words.select(range(20)), "validation": words.select(range(20, 30))}
    ).save_to_disk(tmp_path / "two")
    test = datasets.load(f"hf:{tmp_path / 'two'}")
    assert (
        test.sizes["sample"] == 10 and test.sizes["channel"] == 1 and test.attrs["class_names"] == ["a", "b"]
    )
    assert test["label"].values.tolist() == [1, 0] * 5
    assert datasets.load(f"hf:{tmp_path / 'two'}", split="train").sizes["sample"] == 20
    library.DatasetDict({"train": words}).save_to_disk(tmp_path / "one")
    with pytest.raises(InputError, match="has no split test or validation or valid or val; it has train"):
        datasets.load(f"hf:{tmp_path / 'one'}")


def test_images_of_several_sizes_are_measured_like_a_folder_of_files(tmp_path, cache):
    images = pictures(side=lambda i: (40 + i, 50))
    table(images).save_to_disk(tmp_path / "mixed")
    found = datasets.load(f"hf:{tmp_path / 'mixed'}")
    assert "image" not in found and found["height"].values.tolist() == [40 + i for i in range(30)]
    assert np.array_equal(datasets.pixels(found)[7], np.asarray(images[7]))
    [part] = Selection.parts(f"hf:{tmp_path / 'mixed'}", (9,), seed=0, reading="crop32")
    assert part.load()["image"].shape == (9, 32, 32, 3)


def test_a_report_on_images_of_several_sizes(tmp_path, cache):
    from networks import by_brightness

    levels = ((0, 0.45), (1, 0.5), (2, 0.55))
    rng = np.random.default_rng(0)
    shades = [
        Image.fromarray((rng.integers(0, 90, (36 + i % 5, 40, 3)) + 60 + 25 * (i % 3)).astype(np.uint8))
        for i in range(60)
    ]
    table(shades).save_to_disk(tmp_path / "shades")
    row = robustshape.evaluate(
        by_brightness(levels, 3), f"hf:{tmp_path / 'shades'}", severities=[1], corruptions=["contrast"],
        attacks=["fgsm linf 0.05 on 8"], reading="crop32", n_shown=3, n_draws=2,
    )  # fmt: skip
    assert row["class_name"].values.tolist() == NAMES and row["suspect_picture"].shape[1:3] == (32, 32)


@pytest.mark.parametrize(
    "columns, words",
    [
        ({"text": ["a", "b"], "label": [0, 1]}, "has no column of pictures; its columns are text, label"),
        ({"image": pictures(2), "sort": [0, 1]}, "has no column of class labels, nor one called label"),
        ({"image": pictures(2), "label": [0, 7]}, "number the classes from 0"),
        ({"image": pictures(2), "label": [0.5, 1.0]}, "labels are whole numbers"),
    ],
)
def test_a_data_set_that_cannot_be_used(tmp_path, columns, words):
    features = {"image": library.Image()} if "image" in columns else {}
    whole = library.Dataset.from_dict(columns)
    for name, feature in features.items():
        whole = whole.cast_column(name, feature)
    whole.save_to_disk(tmp_path / "odd")
    with pytest.raises(InputError, match=words):
        datasets.load(f"hf:{tmp_path / 'odd'}")


def test_what_is_no_data_set_or_is_damaged(tmp_path, monkeypatch):
    (tmp_path / "plain").mkdir()
    with pytest.raises(InputError, match="is no data set that save_to_disk wrote"):
        datasets.load(f"hf:{tmp_path / 'plain'}")
    with pytest.raises(MissingFileError, match="ROBUSTSHAPE_OFFLINE forbids the download"):
        datasets.load("hf:nobody/nothing")
    table(pictures()).save_to_disk(tmp_path / "mine")
    for path in (tmp_path / "mine").glob("*.arrow"):
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(StoreError, match="cannot be read"):
        datasets.load(f"hf:{tmp_path / 'mine'}")
    content = io.BytesIO()
    pictures(1)[0].save(content, "PNG")
    broken = [{"bytes": content.getvalue()[:40], "path": None}] * 4
    table(broken, [0, 1, 2, 0]).save_to_disk(tmp_path / "broken")
    with pytest.raises(StoreError, match="image 0") as told:
        datasets.load(f"hf:{tmp_path / 'broken'}")
    assert "BytesIO" not in str(told.value)


def test_without_the_package_it_says_what_to_install(monkeypatch, tmp_path):
    import builtins

    plain = builtins.__import__

    def without(name, *arguments, **more):
        if name == "datasets":
            raise ImportError(name)
        return plain(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match="pip install datasets"):
        datasets.load("hf:anything")


def test_a_data_set_of_torchvision_lies_as_torchvision_lays_it(tmp_path, monkeypatch, cache):
    rng = np.random.default_rng(0)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    from torchvision.datasets import CIFAR10

    monkeypatch.setattr(CIFAR10, "_check_integrity", lambda self: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", ""]])
    pixels = rng.integers(0, 256, (20, 3072), np.uint8)
    (folder / "test_batch").write_bytes(pickle.dumps({"data": pixels, "labels": [i % 10 for i in range(20)]}))
    names = [f"c{i}" for i in range(10)]
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": names}))
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path))
    found = datasets.load("torchvision:CIFAR10")
    assert np.array_equal(found["image"].values, pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    assert found.attrs["class_names"] == names
    with pytest.raises(MissingFileError, match="torchvision:FashionMNIST is in no folder"):
        datasets.load("torchvision:FashionMNIST")
    with pytest.raises(
        InputError, match="unknown data set of torchvision 'FashonMNIST'; closest: FashionMNIST"
    ):
        datasets.load("torchvision:FashonMNIST")
