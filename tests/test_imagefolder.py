"""Folders of images of one's own, of one size or various; ImageNet as such a folder; every mistake named."""

import io
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from robustshape import datasets
from robustshape.datasets import DATASETS, imagefolder, pictures
from robustshape.datasets.selection import Selection, _load
from robustshape.errors import InputError, MissingFileError, StoreError

ONE_SIZE = [(12, 10)] * 6
VARIOUS = [(12, 10), (20, 16), (9, 30), (12, 10), (33, 8), (64, 64)]


@pytest.fixture(autouse=True)
def data(monkeypatch, tmp_path):
    """An empty data folder and an empty cache, and no connection."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "1")
    _load.cache_clear()  # a name stands for another folder in every test
    return tmp_path / "data"


def picture(i, size, mode="RGB"):
    shape = (*size, 3) if mode == "RGB" else size
    return np.random.default_rng(i).integers(0, 256, shape, dtype=np.uint8)


def make(folder, sizes=ONE_SIZE, classes=("cat", "dog"), ending=".png", mode="RGB"):
    """Write the pictures in turns into the class folders; return their pixels by class."""
    pixels = {name: [] for name in classes}
    for i, size in enumerate(sizes):
        name = classes[i % len(classes)]
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(i, size, mode)).save(folder / name / f"{i}{ending}")
        pixels[name].append(picture(i, size, mode))
    return [image for name in sorted(classes) for image in pixels[name]]


def test_images_of_one_size_are_an_ordinary_data_set(data):
    pixels = make(data / "pets")
    loaded = datasets.load(f"imagefolder:{data / 'pets'}")
    assert np.array_equal(loaded.image, pixels) and loaded.image.dtype == np.uint8
    assert loaded.label.values.tolist() == [0, 0, 0, 1, 1, 1] and loaded.label.dtype == np.int64
    assert loaded.attrs["class_names"] == ["cat", "dog"] and loaded.attrs["n_classes"] == 2
    assert loaded.sample.values[0] == "imagefolder/test/cat/0.png"
    assert loaded.attrs["checksum"] == datasets.checksum(np.array(pixels), [0, 0, 0, 1, 1, 1])
    assert loaded.attrs["checksum_matches"] is True and loaded.attrs["reading"] == "native"
    assert np.array_equal(datasets.pixels(loaded), pixels)


def test_images_of_various_sizes_stand_by_their_paths_and_are_read_when_looked_at(data, monkeypatch):
    whole = make(data / "pets", VARIOUS)
    decoded, decode = [], pictures.decode
    monkeypatch.setattr(pictures, "decode", lambda file, *more: decoded.append(file) or decode(file, *more))
    loaded = datasets.load("imagefolder:pets")  # found in ROBUSTSHAPE_DATA
    assert "image" not in loaded and list(loaded.path.values) == [
        str(data / "pets" / name) for name in ("cat/0.png", "cat/2.png", "cat/4.png", "dog/1.png", "dog/3.png", "dog/5.png")
    ]  # fmt: skip
    assert loaded.height.values.tolist() == [12, 9, 33, 20, 12, 64]
    seen = datasets.pixels(loaded)
    part = seen[1:4]
    assert len(seen) == 6 and len(part) == 3 and not decoded
    assert all(np.array_equal(one, other) for one, other in zip(part, whole[1:4]))
    assert len(decoded) == 3


@pytest.mark.parametrize("reading", ["crop32", "crop64", "resize32", "resize224"])
def test_every_reading_to_one_size_is_that_of_each_image(data, reading):
    whole = make(data / "pets", VARIOUS)
    loaded = datasets.load("imagefolder:pets", reading=reading)
    size = int(reading.lstrip("cropeszi"))
    assert loaded.image.shape == (6, size, size, 3) and loaded.attrs["reading"] == reading
    for one, other in zip(loaded.image.values, whole):
        assert np.array_equal(one, datasets.readings.READINGS[reading](other[None])[0])
    assert loaded.attrs["checksum"] == datasets.checksum(loaded.image.values, loaded.label.values)


def test_what_needs_one_size_says_which_readings_give_one(data):
    make(data / "pets", VARIOUS)
    seen = datasets.pixels(datasets.load("imagefolder:pets"))
    with pytest.raises(InputError, match=r"6 images have various sizes \(12 x 10 px .*crop64"):
        datasets.check_images(seen)
    with pytest.raises(InputError, match="various sizes"):
        datasets.load("imagefolder:pets", reading="pad32")
    assert datasets.check_images(seen[:1]).shape == (1, 12, 10, 3)


def test_a_folder_too_large_for_memory_is_read_when_looked_at(data, monkeypatch):
    pixels = make(data / "pets")
    monkeypatch.setattr(imagefolder, "IN_MEMORY", 6 * 12 * 10 * 3 - 1)
    loaded = datasets.load("imagefolder:pets")
    assert "image" not in loaded
    assert np.array_equal(np.asarray(datasets.pixels(loaded)), pixels)


@pytest.mark.parametrize("sizes", [ONE_SIZE, VARIOUS], ids=["one size", "various"])
def test_ids_checksum_and_identity_do_not_depend_on_the_place(data, tmp_path, sizes):
    make(data / "pets", sizes)
    shutil.copytree(data / "pets", tmp_path / "elsewhere" / "animals")
    names = ["imagefolder:pets", f"imagefolder:{tmp_path / 'elsewhere' / 'animals'}"]
    here, there = (datasets.load(name) for name in names)
    assert here.sample.identical(there.sample) and here.attrs["checksum"] == there.attrs["checksum"]
    one, other = (Selection.parts(name, (2, 2), seed=0)[1].identity() for name in names)
    assert one == other and one["dataset"] == "imagefolder"
    changed = tmp_path / "elsewhere" / "animals" / "cat" / "0.png"
    Image.fromarray(255 - picture(0, sizes[0])).save(changed)
    assert datasets.load(names[1]).attrs["checksum"] != here.attrs["checksum"]


@pytest.mark.parametrize("reading", [None, "crop32"])
def test_a_selection_of_files_is_that_part_of_the_whole(data, reading):
    make(data / "pets", VARIOUS)
    parts = datasets.subset(datasets.load("imagefolder:pets", reading=reading), 2, 3, seed=1)
    for part, selection in zip(parts, Selection.parts("imagefolder:pets", (2, 3), seed=1, reading=reading)):
        assert part.identical(selection.load())
        assert part.attrs["checksum"] == datasets.checksum(datasets.pixels(part), part.label.values)
    assert len({part.attrs["checksum"] for part in parts}) == 2


def test_splits_are_folders_of_their_own_and_val_may_stand_for_test(data):
    for i, split in enumerate(("train", "val")):
        make(data / "pets" / split, [(8, 8 + i)] * 4)
    assert list(DATASETS.about("imagefolder:pets")["checksum"]) == ["train", "test"]
    train, test = (datasets.load("imagefolder:pets", split=split) for split in ("train", "test"))
    assert train.image.shape[2] == 8 and test.image.shape[2] == 9
    assert test.sample.values[0] == "imagefolder/test/cat/0.png"
    make(data / "pets" / "test", [(8, 10)] * 4)
    assert datasets.load("imagefolder:pets").image.shape[2] == 10


def test_splits_of_different_classes_are_refused_but_each_can_be_read_alone(data):
    make(data / "pets" / "train", classes=("ant", "bee", "cat"))
    make(data / "pets" / "test", classes=("ant", "bee", "dog"))
    for split in ("train", "test"):
        with pytest.raises(InputError, match=r"train lacks dog; .*test lacks cat; .*imagefolder:.*pets/test"):
            datasets.load("imagefolder:pets", split=split)
    assert datasets.load("imagefolder:pets/test").attrs["class_names"] == ["ant", "bee", "dog"]


def test_the_zoo_says_which_readings_make_images_of_various_sizes_equal(data):
    from robustshape import models

    for split in ("train", "test"):
        make(data / "pets" / split, VARIOUS)
    with pytest.raises(InputError, match=r"'imagefolder:pets' read as 'native' .* crop32 or crop64"):
        models.identity("zoo:lenet", dataset="imagefolder:pets")
    assert models.identity("zoo:lenet", dataset="imagefolder:pets", reading="crop32")["size"] == 32


def test_a_network_that_cannot_take_images_of_various_sizes_is_said_with_a_size(data, monkeypatch):
    from torch import nn

    from robustshape.measurements import classes
    from robustshape.models import load

    make(data / "pets", VARIOUS)
    monkeypatch.setattr("networks.by_brightness", lambda: nn.Sequential(nn.Flatten(), nn.Linear(7, 2)))
    network, images = (
        load("python:networks:by_brightness"),
        Selection.parts("imagefolder:pets", (2,), seed=0)[0],
    )
    with pytest.raises(
        InputError, match=r"by_brightness cannot take images of 3 x \d+ x \d+ \(channels.*shapes"
    ):
        classes.check(network, images.load())


def test_a_folder_without_splits_is_a_test_split_and_has_no_other(data):
    make(data / "vehicles", classes=("train", "tram"))  # a class may be called train
    assert datasets.load("imagefolder:vehicles").attrs["class_names"] == ["train", "tram"]
    with pytest.raises(InputError, match="unknown split 'train'; closest: test"):
        datasets.load("imagefolder:vehicles", split="train")


def test_grey_images_have_one_channel_and_a_colour_one_makes_all_three(data):
    make(data / "pets", mode="L")
    assert datasets.load("imagefolder:pets").image.shape == (6, 12, 10, 1)
    Image.fromarray(picture(9, (12, 10))).save(data / "pets" / "dog" / "9.png")
    loaded = datasets.load("imagefolder:pets").image
    assert loaded.shape == (7, 12, 10, 3) and np.array_equal(loaded[0, :, :, 0], loaded[0, :, :, 2])


def test_only_images_count_however_deep_they_lie_and_whatever_their_ending(data):
    make(data / "pets", ending=".PNG")
    (data / "pets" / "cat" / "deeper").mkdir()
    Image.fromarray(picture(7, (12, 10))).save(data / "pets" / "cat" / "deeper" / "x.bmp")
    for name in ("cat/._0.png", "cat/notes.txt", "dog/.DS_Store", "labels.csv"):
        (data / "pets" / name).write_text("no image")
    (data / "pets" / ".cache").mkdir()
    loaded = datasets.load("imagefolder:pets")
    assert loaded.sizes["sample"] == 7 and loaded.sample.values[3] == "imagefolder/test/cat/deeper/x.bmp"


def test_what_is_known_of_a_file_is_kept_until_it_changes(data, monkeypatch):
    make(data / "pets", VARIOUS)
    first = datasets.load("imagefolder:pets")
    described, describe = [], imagefolder.describe
    monkeypatch.setattr(imagefolder, "describe", lambda path: described.append(path.name) or describe(path))
    assert first.identical(datasets.load("imagefolder:pets")) and described == []
    Image.fromarray(picture(70, (21, 22))).save(data / "pets" / "cat" / "2.png")
    second = datasets.load("imagefolder:pets")
    assert described == ["2.png"] and second.height.values[1] == 21
    (kept,) = (data.parent / "cache").rglob("*.json")
    kept.write_text("{damaged")
    assert second.identical(datasets.load("imagefolder:pets")) and len(described) == 7


def write(folder, name, content):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def test_an_unreadable_image_is_named(data):
    make(data / "pets", VARIOUS)
    write(data, "pets/cat/8.jpg", b"no image")
    with pytest.raises(
        StoreError, match=r"pets/cat/8\.jpg cannot be read as an image .*replace it or remove"
    ):
        datasets.load("imagefolder:pets")


def test_an_image_that_is_cut_short_is_named_when_it_is_looked_at(data):
    make(data / "pets", VARIOUS, ending=".jpg")
    path = data / "pets" / "dog" / "5.jpg"
    path.write_bytes(path.read_bytes()[:-500])
    seen = datasets.pixels(datasets.load("imagefolder:pets"))
    assert seen[4].shape == (12, 10, 3)
    with pytest.raises(StoreError, match=r"dog/5\.jpg cannot be read as an image"):
        seen[5]


@pytest.mark.parametrize("name", ["dog/1.png", "dog/5.png"])
def test_an_image_that_changed_after_its_folder_was_listed_is_refused(data, name):
    make(data / "pets", VARIOUS)
    seen = datasets.pixels(datasets.load("imagefolder:pets"))
    path, i = data / "pets" / name, [str(p).endswith(name) for p in seen.paths].index(True)
    kept = seen[i]
    Image.fromarray(255 - kept).save(path)  # of the same size
    with pytest.raises(StoreError, match=rf"{name} has changed since its folder was listed; run again"):
        seen[i]
    assert np.array_equal(datasets.pixels(datasets.load("imagefolder:pets"))[i], 255 - kept)
    path.unlink()
    with pytest.raises(StoreError, match=rf"{name} cannot be read"):
        seen[i]


def test_an_image_of_more_than_eight_bits_is_refused(data):
    make(data / "pets")
    deep = Image.fromarray(np.full((12, 10), 40_000, np.uint16))
    deep.save(data / "pets" / "dog" / "deep.png")
    with pytest.raises(InputError, match=r"dog/deep\.png has more than 8 bits .*convert"):
        datasets.load("imagefolder:pets")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], r"0 class folder\(s\), but at least 2 .*PATH/CLASS/IMAGE"),
        (["a.png", "b.png"], r"0 class folder\(s\)"),
        (["cat/a.png"], r"1 class folder\(s\)"),
        (["cat/a.png", "dog/notes.txt"], r"class folder .*dog holds no image \(\.jpg .*remove it"),
    ],
    ids=["empty", "no folders", "one class", "a class without images"],
)
def test_a_folder_that_holds_too_little_is_refused(data, files, words):
    (data / "pets").mkdir()
    make(data / "made", [(4, 4)] * 2)
    for name in files:
        write(data, f"pets/{name}", (data / "made" / "cat" / "0.png").read_bytes())
    with pytest.raises(InputError, match=words):
        datasets.load("imagefolder:pets")


@pytest.mark.parametrize("place", ["nowhere", "", "/no/such/folder", "PATH"])
def test_a_folder_that_is_not_there_is_named(place):
    with pytest.raises(MissingFileError, match=rf"no folder '{place}'.*PATH/CLASS/IMAGE"):
        datasets.load(f"imagefolder:{place}")


def test_a_folder_is_listed_as_any_other_data_set_but_not_searched_for():
    assert "imagefolder:PATH" in DATASETS.names("image*") and "imagefolder:PATH" in set(datasets.table().name)
    assert "imagefolder:PATH" not in datasets.found()


# ImageNet


WNIDS = ("n02124075", "n01443537")  # Egyptian cat, goldfish


def test_a_folder_named_by_wordnet_ids_knows_its_columns_of_imagenet(data):
    make(data / "pets", classes=WNIDS)
    loaded = datasets.load("imagefolder:pets")
    assert loaded.attrs["imagenet_index"] == [1, 285]
    assert loaded.attrs["class_names"] == ["goldfish, Carassius auratus", "Egyptian cat"]


@pytest.mark.parametrize("folder", ["imagenet/val", "datasets/imagenet/validation", "ILSVRC2012_img_val"])
def test_imagenet_is_read_from_its_unpacked_folder_and_marked(data, folder):
    make(data / folder, VARIOUS, classes=WNIDS, ending=".JPEG")
    with pytest.warns(UserWarning, match=r"not the known copy of imagenet .*cannot be checked"):
        loaded = datasets.load("imagenet", reading="crop64")
    assert loaded.image.shape == (6, 64, 64, 3) and loaded.attrs["imagenet_index"] == [1, 285]
    assert loaded.sample.values[0] == "imagenet/test/n01443537/1.JPEG"
    assert datasets.found()["imagenet"]["place"] == str(data / folder)
    with pytest.raises(
        MissingFileError, match=r"imagenet \(train\) is not on this machine; .*image-net\.org"
    ):
        datasets.load("imagenet", split="train")


def test_folders_that_are_not_imagenets_are_refused_as_imagenet(data):
    make(data / "imagenet" / "val")
    with pytest.raises(StoreError, match=r"such as 'cat'; load it as imagefolder:"):
        datasets.load("imagenet")


def test_pictures_of_various_sizes_go_through_a_preprocessing_that_resizes(tmp_path):
    from robustshape.models.preprocessing import Preprocessing

    rng, paths = np.random.default_rng(0), []
    for i, size in enumerate([(12, 9), (20, 31)]):
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(paths[-1])
    facts = [imagefolder.describe(path) for path in paths]
    files = pictures.Pictures(paths, *zip(*[fact[:3] for fact in facts]), 3)
    sized = Preprocessing(channels=3, size=(8, 8), resize=8)
    found = sized(files)
    assert found.shape == (2, 3, 8, 8)
    assert (found[1] == sized(np.array(Image.open(paths[1]))[None])[0]).all()
    with pytest.raises(InputError, match="various sizes, and this network's preprocessing leaves them so"):
        Preprocessing(channels=3)(files)


def test_a_line_of_pixels_is_no_image(tmp_path):
    from robustshape.datasets.image_files import MOST_RATIO, decode, describe

    for name, width in (("just.png", MOST_RATIO), ("line.png", MOST_RATIO + 1)):
        Image.fromarray(np.zeros((1, width), np.uint8)).save(tmp_path / name)
    assert decode(tmp_path / "just.png", 1).shape == (1, MOST_RATIO, 1)
    for read in (
        describe,
        lambda path: decode(path, 3),
        lambda path: decode(io.BytesIO(path.read_bytes()), 3, path),
    ):
        with pytest.raises(
            InputError, match=r"line.png has 1 x 201 px, but one side may be 200 times the other; cut it"
        ):
            read(tmp_path / "line.png")


@pytest.mark.parametrize("read", ["describe", "decode", "read_bytes"])
def test_a_pipe_is_no_image_and_nothing_waits_for_it(tmp_path, read):
    from robustshape.datasets import image_files

    os.mkfifo(tmp_path / "pipe.png")
    more = (3,) if read == "decode" else ()
    with pytest.raises(InputError, match=r"pipe.png is no plain file .a pipe, device or socket.; remove it"):
        getattr(image_files, read)(tmp_path / "pipe.png", *more)


def test_images_of_various_sizes_are_refused_before_anything_is_computed(data, monkeypatch):
    from robustshape.measurements import features
    from robustshape.measurements.population import Population
    from robustshape.measurements.prepare import prepare

    monkeypatch.setattr(features, "missing", lambda *_: pytest.fail("features are looked for"))

    for kind in "ab":
        for i in range(4):
            (data / "mixed" / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros((30 + i, 40, 3), np.uint8)).save(data / "mixed" / kind / f"{i}.png")
    given = {
        "models": ["file:pretrained/cifar10_cnn_a_adv.json"],
        "dataset": "imagefolder:mixed",
        "n_samples": 4,
        "n_robustness": 4,
    }
    with pytest.raises(
        InputError, match=r"images have various sizes .*; choose a reading that gives one, such as crop64"
    ):
        prepare(Population.of(**given, corruptions=["fog"]), [])
