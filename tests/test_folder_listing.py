"""Folders as people have them: what is an image of which class, what is passed over and counted, what is refused."""

import os
import socket
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from robustshape import datasets
from robustshape.datasets import class_order, image_files, samples
from robustshape.datasets.folder_listing import listing
from robustshape.datasets.split_folders import splits
from robustshape.errors import InputError, StoreError


@pytest.fixture(autouse=True)
def data(data_folder):
    """An empty data folder, an empty cache, and nothing said yet."""
    samples.tell.cache_clear()
    return data_folder


def colour(seed=0, side=8):
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def put(path, pixels=None, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = (
        pixels if isinstance(pixels, Image.Image) else Image.fromarray(colour() if pixels is None else pixels)
    )
    picture.save(path, **how)
    return path


def pets(folder, n=3, classes=("cat", "dog")):
    for k, name in enumerate(classes):
        for i in range(n):
            put(folder / name / f"{i}.png", colour(10 * k + i))
    return folder


def counts(name, **how):
    loaded = datasets.load(name, **how)
    return dict(
        zip(loaded.attrs["class_names"], np.bincount(loaded.label, minlength=loaded.attrs["n_classes"]))
    )


# what is passed over


def test_hidden_files_and_what_systems_leave_behind_are_counted_and_are_no_images(data, capfd):
    folder = pets(data / "pets")
    put(folder / "cat" / ".thumbnails" / "0.png")
    put(folder / "cat" / "@eaDir" / "1.png" / "SYNOPHOTO_THUMB_M.jpg")
    put(folder / "__MACOSX" / "cat" / "0.png")
    for name in (
        "cat/._0.png",
        "cat/.DS_Store",
        "dog/Thumbs.db",
        "cat/notes.txt",
        "dog/x.HEIC",
        "dog/README",
        "all.png",
    ):
        (folder / name).write_bytes(b"no image")
    expected = {
        ".heic files": 1, ".txt files": 1, "files outside class folders": 1, "files without ending": 1,
        "hidden files or folders": 6,
    }  # fmt: skip
    for _ in range(2):
        loaded = datasets.load("imagefolder:pets")
        assert loaded.sizes["sample"] == 6 and loaded.attrs["class_names"] == ["cat", "dog"]
        assert loaded.attrs["skipped"] == expected and loaded.attrs["remarks"] == {}
    said = capfd.readouterr().err
    assert said.count("6 images are read, and passed over are .heic files (1), .txt files (1)") == 1
    assert "hidden files or folders (6)" in said


def test_nothing_is_said_of_a_folder_without_surprises(data, capfd):
    pets(data / "pets")
    loaded = datasets.load("imagefolder:pets")
    assert loaded.attrs["skipped"] == {} and loaded.attrs["class_order"] == "names"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("target", ["..", "../..", "../dog", "."])
def test_links_to_a_folder_that_is_read_anyway_or_leads_back_are_counted(data, target):
    os.symlink(target, pets(data / "pets") / "cat" / "again")
    loaded = datasets.load("imagefolder:pets")
    assert counts("imagefolder:pets") == {"cat": 3, "dog": 3}
    assert loaded.attrs["skipped"] == {"links to a folder read anyway": 1}


def test_links_to_images_and_folders_elsewhere_are_followed(data, tmp_path):
    pets(tmp_path / "store", classes=("a", "b", "more"))
    (data / "pets" / "b").mkdir(parents=True)
    os.symlink(tmp_path / "store" / "a", data / "pets" / "a")
    os.symlink(tmp_path / "store" / "b" / "0.png", data / "pets" / "b" / "x.png")
    os.symlink(tmp_path / "store" / "more", data / "pets" / "b" / "more")
    assert counts("imagefolder:pets") == {"a": 3, "b": 4}


def test_two_class_folders_that_are_one_are_refused(data):
    os.symlink("dog", pets(data / "pets") / "hound")
    with pytest.raises(InputError, match=r"class folder .*hound is the folder .*dog itself; remove the link"):
        datasets.load("imagefolder:pets")


@pytest.mark.parametrize("name", ["cat/x.png", "cat/deeper", "bird"])
def test_a_link_that_leads_nowhere_is_refused(data, name):
    os.symlink("/annex/not-here.png", pets(data / "pets") / name)
    with pytest.raises(
        StoreError, match=rf"{name} is a link to /annex/not-here\.png, which .*No such file.*remove"
    ):
        datasets.load("imagefolder:pets")


def test_a_link_to_itself_is_refused(data):
    os.symlink("x.png", pets(data / "pets") / "cat" / "x.png")
    with pytest.raises(StoreError, match=r"x\.png is a link to x\.png, which cannot be reached"):
        datasets.load("imagefolder:pets")


@pytest.mark.parametrize("name", [b"cat/caf\xe9.png", b"caf\xe9/0.png"])
def test_a_name_that_is_no_text_is_refused_in_words_that_can_be_printed(data, name):
    pets(data / "pets")
    path = os.fsencode(data / "pets") + b"/" + name
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.link(data / "pets" / "dog" / "0.png", path)
    with pytest.raises(InputError, match=r"caf\\xe9.* is not UTF-8 text; rename it") as caught:
        datasets.load("imagefolder:pets")
    str(caught.value).encode("utf-8")


def test_a_folder_whose_name_is_no_text_is_refused(data):
    os.rename(pets(data / "pets"), os.fsencode(data) + b"/caf\xe9")
    with pytest.raises(InputError, match=r"the name of the folder .*caf\\xe9 is not UTF-8"):
        datasets.load("imagefolder:" + os.fsdecode(b"caf\xe9"))


def test_a_folder_that_may_not_be_read_is_named(data, monkeypatch):
    pets(data / "pets")
    scandir = os.scandir

    def refuse(place):
        if str(place).endswith("dog"):
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(StoreError, match=r"pets/dog cannot be read \(Permission denied\)"):
        datasets.load("imagefolder:pets")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: socket.socket(socket.AF_UNIX).bind(str(path))])
def test_pipes_and_sockets_are_refused_and_not_waited_for(data, make, monkeypatch):
    monkeypatch.chdir(pets(data / "pets") / "cat")  # a socket's name may not be long
    make("x.png")
    with pytest.raises(InputError, match=r"cat/x\.png is no plain file"):
        datasets.load("imagefolder:pets")


def test_classes_of_one_image_are_told(data, capfd):
    put(pets(data / "pets") / "newt" / "0.png")
    assert counts("imagefolder:pets") == {"cat": 3, "dog": 3, "newt": 1}
    assert "1 of 3 classes have one image, such as newt" in capfd.readouterr().err


def test_a_listing_opens_nothing(data, monkeypatch):
    pets(data / "pets")
    monkeypatch.setattr("builtins.open", None)
    found = listing(data / "pets")
    assert found.names[0] == "cat/0.png" and len(found.stamps) == 6


# splits


@pytest.mark.parametrize(
    ("train", "test"), [("Train", "Test"), ("TRAIN", "VAL"), ("training", "valid"), ("train", "Validation")]
)
def test_splits_are_known_in_capitals_and_by_their_other_names(data, train, test):
    pets(data / "pets" / train, 4)
    pets(data / "pets" / test, 2)
    assert counts("imagefolder:pets", split="train") == {"cat": 4, "dog": 4}
    assert counts("imagefolder:pets") == {"cat": 2, "dog": 2}


def test_folders_beside_the_splits_are_counted(data, capfd):
    for name in ("train", "test", "valid"):
        pets(data / "pets" / name)
    put(data / "pets" / "extra" / "0.png")
    assert datasets.load("imagefolder:pets").attrs["skipped"] == {"folders beside the splits": 2}
    assert "folders beside the splits (2)" in capfd.readouterr().err


def test_a_test_folder_with_labels_is_preferred_to_one_without(data):
    pets(data / "pets" / "train")
    pets(data / "pets" / "val", 2)
    put(data / "pets" / "test" / "0.png")
    assert splits(data / "pets")["test"] == data / "pets" / "val"
    assert counts("imagefolder:pets") == {"cat": 2, "dog": 2}


def test_a_split_without_class_folders_has_no_labels_but_the_other_can_be_read(data):
    pets(data / "pets" / "train")
    put(data / "pets" / "test" / "0.png")
    with pytest.raises(InputError, match=r"pets/test has 0 class folder\(s\), but at least 2"):
        datasets.load("imagefolder:pets")
    assert counts("imagefolder:pets", split="train") == {"cat": 3, "dog": 3}


def test_splits_are_never_taken_for_classes(data):
    put(data / "flat" / "train" / "0.png")
    put(data / "flat" / "Test" / "0.png")
    with pytest.raises(InputError, match="holds Test and train without class folders in them"):
        datasets.load("imagefolder:flat")
    for name in ("cat", "dog"):
        put(data / "turned" / name / "train" / "0.png")
        put(data / "turned" / name / "test" / "0.png")
    with pytest.raises(InputError, match=r"turned/cat holds splits of its own \(test, train\)"):
        datasets.load("imagefolder:turned")


def test_two_folders_of_one_split_are_refused(data):
    pets(data / "pets" / "Test")
    pets(data / "pets" / "test")
    with pytest.raises(InputError, match=r"Test and .*test are both the split test; rename one"):
        datasets.load("imagefolder:pets")


# the order of the classes


def numbered(folder, names=()):
    return pets(folder, 2, names or [str(i) for i in range(11)])


def test_classes_named_by_whole_numbers_are_in_their_order_and_that_is_said(data, capfd):
    numbered(data / "digits")
    loaded = datasets.load("imagefolder:digits")
    assert (
        loaded.attrs["class_names"] == [str(i) for i in range(11)]
        and loaded.attrs["class_order"] == "numbers"
    )
    for name, label in zip(loaded.sample.values, loaded.label.values):
        assert name.split("/")[2] == str(label)
    said = capfd.readouterr().err
    assert "numbered as whole numbers: 0, 1, 2, 3, ...; torchvision's ImageFolder" in said
    assert "as text: 0, 1, 10, 2, ..." in said and "(output 2 is '10')" in said and "classes.txt" in said


@pytest.mark.parametrize(
    "names", [("0", "1", "2"), ("01", "02", "10"), ("cat2", "cat10"), ("cat", "10", "9")]
)
def test_nothing_is_said_where_both_orders_agree_or_names_are_text(data, capfd, names):
    numbered(data / "some", names)
    assert datasets.load("imagefolder:some").attrs["class_names"] == sorted(names)
    assert capfd.readouterr().err == ""


def test_torchvision_numbers_the_same_where_nothing_is_said_and_by_classes_txt_elsewhere(data):
    from torchvision.datasets import ImageFolder

    numbered(data / "digits")
    theirs = ImageFolder(data / "digits").classes
    assert datasets.load("imagefolder:digits").attrs["class_names"] != theirs
    (data / "digits" / "classes.txt").write_text("\n".join(theirs))
    loaded = datasets.load("imagefolder:digits")
    assert loaded.attrs["class_names"] == theirs and loaded.attrs["class_order"] == "classes.txt"
    assert theirs == ImageFolder(data / "digits").classes
    assert loaded.label.values[list(loaded.sample.values).index("imagefolder/test/10/0.png")] == 2


def test_classes_txt_stands_above_the_splits_and_may_name_classes_without_images(data, capfd):
    pets(data / "pets" / "train", 2, ("ant", "bee", "cat"))
    pets(data / "pets" / "test", 2, ("cat", "ant"))
    (data / "pets" / "classes.txt").write_text("cat\r\nbee\n\nant\n", encoding="utf-8-sig")
    for name in ("imagefolder:pets", "imagefolder:pets/test"):
        assert counts(name) == {"cat": 2, "bee": 0, "ant": 2}
    assert counts("imagefolder:pets", split="train") == {"cat": 2, "bee": 2, "ant": 2}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cat\n", "lacks the class folder 'dog'"),
        ("cat\ndog\ncat\n", "names 'cat' twice"),
        ("1 cat\n2 dog", "lacks"),
    ],
)
def test_a_classes_txt_that_does_not_fit_is_refused(data, text, words):
    (pets(data / "pets") / "classes.txt").write_text(text)
    with pytest.raises(InputError, match=rf"classes\.txt {words}.*names every class folder once"):
        datasets.load("imagefolder:pets")


def test_a_single_class_is_read_only_where_classes_txt_names_others(data):
    pets(data / "pets", classes=("cat",))
    with pytest.raises(InputError, match=r"1 class folder\(s\), but at least 2"):
        datasets.load("imagefolder:pets")
    (data / "pets" / "classes.txt").write_text("cat\n")
    with pytest.raises(InputError, match=r"classes\.txt names 1 class, but at least 2"):
        datasets.load("imagefolder:pets")
    (data / "pets" / "classes.txt").write_text("cat\ndog\n")
    assert counts("imagefolder:pets") == {"cat": 3, "dog": 0}


def test_a_classes_txt_that_is_no_text_is_named(data):
    (pets(data / "pets") / "classes.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StoreError, match=r"classes\.txt cannot be read"):
        datasets.load("imagefolder:pets")
    assert class_order.order_file(data / "pets").name == "classes.txt"


# one file


def png16(path, values):
    """Write a PNG of 16 bits per channel, which Pillow itself cannot."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6, 2: 4}[channels], 0, 0, 0)
    content = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_sixteen_bits_of_colour_are_refused_as_those_of_grey(data, channels):
    path = pets(data / "pets") / "dog" / "deep.png"
    png16(path, np.full((8, 8, channels), 4095))
    with pytest.raises(InputError, match=r"dog/deep\.png has more than 8 bits .*16 bits\); convert it"):
        datasets.load("imagefolder:pets")
    with pytest.raises(InputError, match="more than 8 bits"):
        image_files.decode(path, 3)


def test_sixteen_bits_of_a_ppm_are_refused_and_fewer_than_eight_are_not(data):
    pets(data / "pets")
    (data / "pets" / "cat" / "x.ppm").write_bytes(b"P6 8 8 15\n" + bytes([15]) * 192)
    assert image_files.decode(data / "pets" / "cat" / "x.ppm", 3).max() == 255
    (data / "pets" / "cat" / "x.ppm").write_bytes(b"P6 8 8 65535\n" + bytes(384))
    with pytest.raises(InputError, match=r"x\.ppm has more than 8 bits .*\(RGB, 16 bits\)"):
        datasets.load("imagefolder:pets")


def test_sixteen_bits_of_a_tiff_are_refused(tmp_path):
    bits, values = (16, 16, 16), np.full((2, 2, 3), 4095, "<u2")
    tags = [  # tag, type (3: short, 4: long), count, value or where it lies
        (256, 3, 1, 2), (257, 3, 1, 2), (258, 3, 3, 134), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 140),
        (277, 3, 1, 3), (278, 3, 1, 2), (279, 4, 1, 24),
    ]  # fmt: skip
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags))
    body = b"".join(struct.pack("<HHII", *tag) for tag in tags) + struct.pack("<I", 0)
    content = (head + body).ljust(134, b"\0") + struct.pack("<3H", *bits) + values.tobytes()
    (tmp_path / "x.tif").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.tif has more than 8 bits .*\(RGB, 16 bits\)"):
        image_files.describe(tmp_path / "x.tif")


def test_transparent_backgrounds_are_told(data, capfd):
    pixels = np.dstack([colour(), np.full((8, 8), 255, np.uint8)])
    put(pets(data / "pets") / "cat" / "solid.png", pixels)
    assert datasets.load("imagefolder:pets").attrs["remarks"] == {}
    pixels[:2, :, 3] = 0
    put(data / "pets" / "cat" / "cut.png", pixels)
    loaded = datasets.load("imagefolder:pets")
    assert loaded.attrs["remarks"] == {"transparent": 1}
    shown = loaded.image.values[list(loaded.sample.values).index("imagefolder/test/cat/cut.png")]
    assert np.array_equal(shown, colour())  # as torchvision's ImageFolder shows it
    assert "1 of 8 images, such as cat/cut.png, have fully transparent pixels" in capfd.readouterr().err


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_picture_that_lies_in_its_transparency_alone_is_refused(data, mode):
    ink = np.zeros((8, 8, 4), np.uint8)
    ink[2:5, 2:5, 3] = 255
    put(pets(data / "pets") / "cat" / "ink.png", Image.fromarray(ink).convert(mode))
    with pytest.raises(InputError, match=r"cat/ink\.png is drawn by its transparency alone"):
        datasets.load("imagefolder:pets")


def test_turned_pictures_and_those_of_several_frames_are_told(data, capfd):
    exif = Image.Exif()
    exif[274] = 6
    put(pets(data / "pets") / "cat" / "turned.jpg", exif=exif)
    frames = [Image.fromarray(colour(seed)) for seed in (1, 2)]
    frames[0].save(data / "pets" / "dog" / "film.gif", save_all=True, append_images=frames[1:])
    frames[0].save(data / "pets" / "dog" / "pages.tif", save_all=True, append_images=frames[1:])
    assert datasets.load("imagefolder:pets").attrs["remarks"] == {"turned": 1, "of several frames": 2}
    said = capfd.readouterr().err
    assert (
        "cat/turned.jpg, are stored turned" in said
        and "2 of 9 images, such as dog/film.gif, have several" in said
    )


def test_only_the_stated_formats_are_opened_whatever_the_ending(tmp_path):
    Image.fromarray(colour()).save(tmp_path / "x.png", "ICO")
    with pytest.raises(StoreError, match=r"x\.png cannot be read as an image"):
        image_files.describe(tmp_path / "x.png")
    for form in image_files.FORMATS:
        Image.fromarray(colour()).save(tmp_path / "x", form)
        assert image_files.describe(tmp_path / "x")[1:4] == (8, 8, 3)


def test_pictures_and_files_that_are_too_large_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    put(tmp_path / "x.png")
    monkeypatch.setattr(image_files, "MOST_PIXELS", 63)
    for call in (image_files.describe, lambda path: image_files.decode(path, 3)):
        with pytest.raises(InputError, match=r"x\.png has 8 x 8 px, but an image may have 63"):
            call(tmp_path / "x.png")
    monkeypatch.setattr(image_files, "MOST_BYTES", 10)
    with pytest.raises(InputError, match=r"x\.png has 0 MiB, but an image may have 0; make it smaller"):
        image_files.read_bytes(tmp_path / "x.png")


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_remark_never_costs_the_picture(tmp_path):
    broken = b"Exif\0\0II*\0\xff\xff\xff\x7f"  # a table that lies beyond the end
    put(tmp_path / "x.jpg", exif=broken)
    assert image_files.describe(tmp_path / "x.jpg")[1:] == (8, 8, 3, [])
