"""imagenette and nips17 in each of their forms: the same ids and classes, and every mistake named."""

import csv
import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from robustshape import datasets
from robustshape.datasets import labelled_tar
from robustshape.errors import InputError, MissingFileError, StoreError
from robustshape.measurements.classes import class_columns

# file, index, WordNet id, source: not in their order, and goldfish before tench
ROWS = [
    ("nips17/b2.png", 285, "n02124075", "nips17"),
    ("imagenette/n01443537/val_7.png", 1, "n01443537", "imagenette (of the validation part)"),
    ("nips17/a1.png", 954, "n07753592", "nips17"),
    ("imagenette/n01440764/val_9.png", 0, "n01440764", "imagenette (of the validation part)"),
    ("imagenette/n01443537/val_3.png", 1, "n01443537", "imagenette (of the validation part)"),
    ("others/c3.png", 5, "n01494475", "another"),
]
known_copy = pytest.mark.filterwarnings("ignore:.* is not the known copy")


@pytest.fixture(autouse=True)
def place(data_folder):
    """An empty data folder and an empty cache."""
    return data_folder


def pixels(name, side=12):
    """The pixels of the file called so, whatever its folder."""
    seed = list(name.rpartition("/")[2].partition(".")[0].encode())
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def write_tar(place, rows=ROWS, contents=None):
    contents = {row[0]: png(pixels(row[0])) for row in rows} | (contents or {})
    with tarfile.open(place / labelled_tar.TAR, "w") as tar:
        for name, content in contents.items():
            if content is not None:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    write_table(place, [("file", "imagenet1k_index", "wnid", "source"), *rows])


def write_table(place, lines):
    with (place / labelled_tar.TABLE).open("w", newline="") as file:
        csv.writer(file).writerows(lines)


def write_nips17(place, rows=(("b2", 286), ("a1", 955)), header=("ImageId", "URL", "TrueLabel")):
    folder = place / "nips17"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    lines = [header, *((name, "https://", label) for name, label in rows)]
    (folder / "images.csv").write_text("".join(",".join(map(str, line)) + "\n" for line in lines))
    for name, _ in rows:
        (folder / "images" / f"{name}.png").write_bytes(png(pixels(name)))
    return folder


def write_imagenette(folder, names, sides=(12, 20)):
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(pixels(name, sides[i % len(sides)])))


# what is read


@known_copy
@pytest.mark.parametrize("form", ["tar", "official", "both"])
def test_nips17_is_of_all_the_classes_of_imagenet(place, form):
    if form != "official":
        write_tar(place)
    if form != "tar":
        write_nips17(place)
    if form == "both":  # the official files come first
        (place / labelled_tar.TAR).write_bytes(b"not looked at")
    data = datasets.load("nips17")
    assert list(data.sample.values) == ["nips17/test/a1", "nips17/test/b2"]
    assert np.array_equal(data.image, [pixels("a1"), pixels("b2")]) and data.image.dtype == np.uint8
    assert data.label.values.tolist() == [954, 285]
    assert data.attrs["n_classes"] == len(data.attrs["class_names"]) == 1000
    assert data.attrs["class_names"][285] == "Egyptian cat" and "imagenet_index" not in data.attrs
    assert data.attrs["checksum_matches"] is False
    where = place / (labelled_tar.TAR if form == "tar" else "nips17")
    assert datasets.found()["nips17"]["place"] == str(where)


@known_copy
def test_imagenette_in_a_tar_knows_its_columns_of_imagenet(place):
    write_tar(place)
    data = datasets.load("imagenette")
    names = ["n01440764/val_9", "n01443537/val_3", "n01443537/val_7"]
    assert list(data.sample.values) == [f"imagenette/test/{name}" for name in names]
    assert np.array_equal(data.image, [pixels(name) for name in names])
    assert data.label.values.tolist() == [0, 1, 1] and data.attrs["imagenet_index"] == [0, 1]
    assert data.attrs["n_classes"] == 2 and data.attrs["class_names"][1] == "goldfish, Carassius auratus"
    assert data.attrs["checksum_matches"] is False
    assert datasets.found()["imagenette"]["place"] == str(place / labelled_tar.TAR)
    with pytest.raises(MissingFileError, match=r"imagenette \(train\) is not on this machine; download"):
        datasets.load("imagenette", split="train")


@known_copy
@pytest.mark.parametrize("folder", ["imagenette2", "datasets/imagenette2-320", "imagenette2-160"])
def test_imagenette_is_read_from_its_unpacked_folders_before_a_tar(place, folder):
    write_tar(place)
    names = ["n01440764/val_9.png", "n01443537/val_3.png", "n01443537/val_7.png"]
    write_imagenette(place / folder / "val", names)
    write_imagenette(place / folder / "train", names[:2])
    data = datasets.load("imagenette")
    assert list(data.sample.values) == [f"imagenette/test/{name}" for name in names]
    assert data.height.values.tolist() == [12, 20, 12]  # of various sizes, so read when looked at
    assert np.array_equal(datasets.pixels(data)[1], pixels(names[1], 20))
    assert data.label.values.tolist() == [0, 1, 1] and data.attrs["imagenet_index"] == [0, 1]
    train = datasets.load("imagenette", split="train")
    assert list(train.sample.values) == [f"imagenette/train/{name}" for name in names[:2]]
    where = [str(place / folder / part) for part in ("train", "val")]
    assert datasets.found()["imagenette"]["place"] == ", ".join(where)


@known_copy
def test_a_network_of_imagenet_answers_with_the_classes_that_a_set_stands_for(place):
    from types import SimpleNamespace

    write_tar(place)
    network = SimpleNamespace(name="mine", n_classes=1000)
    assert class_columns(network, datasets.load("nips17")) == slice(None)
    assert class_columns(network, datasets.load("imagenette")).tolist() == [0, 1]
    with pytest.raises(InputError, match="mine tells 10 classes apart, but 'nips17' has 1000"):
        class_columns(SimpleNamespace(name="mine", n_classes=10), datasets.load("nips17"))


@known_copy
def test_neither_order_in_the_tar_nor_other_sets_in_it_matter(place):
    write_tar(place)
    first = datasets.load("nips17")
    write_tar(place, [row for row in reversed(ROWS) if row[3] == "nips17"])
    assert first.identical(datasets.load("nips17"))
    with pytest.raises(StoreError, match="holds no image from 'imagenette'; replace it"):
        datasets.load("imagenette")


# what is refused


@pytest.mark.parametrize("name", ["imagenette", "nips17"])
def test_a_tar_without_its_table_is_none(place, name):
    write_tar(place)
    (place / labelled_tar.TABLE).unlink()
    assert datasets.found()[name]["place"] is None
    with pytest.raises(MissingFileError, match=rf"{name}.* is not on this machine; .*ROBUSTSHAPE_DATA"):
        datasets.load(name)


def test_nips17_has_no_training_part(place):
    write_tar(place)
    with pytest.raises(InputError, match="unknown split 'train'; closest: test"):
        datasets.load("nips17", split="train")


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({"nips17/a1.png": None}, r"damaged or incomplete \(.*nips17/a1\.png.*\); replace both"),
        ({"nips17/a1.png": b"no image"}, r"imagenet\.tar: nips17/a1\.png cannot be read as an image"),
        ({"nips17/a1.png": png(pixels("a1"))[:200]}, r"a1\.png cannot be read as an image"),
        ({"nips17/a1.png": png(pixels("a1", 13))}, r"various sizes, such as \(12, 12\) and \(13, 13\)"),
    ],
    ids=["lacks one", "no image", "cut short", "another size"],
)
def test_images_of_a_tar_that_cannot_be_used_are_named(place, contents, words):
    write_tar(place, contents=contents)
    with pytest.raises(StoreError, match=words) as error:
        datasets.load("nips17")
    assert str(place / labelled_tar.TAR) in str(error.value)
    assert not isinstance(error.value, MissingFileError)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([("file", "wnid", "source"), ("nips17/a1.png", "n07753592", "nips17")], "imagenet1k_index"),
        ([ROWS[0][:3]], "replace both"),
        ([(*ROWS[0][:1], "no number", *ROWS[0][2:])], "no number"),
        ([("nips17/b2.png", 284, "n02124075", "nips17")], "b2.png cannot be n02124075 and of index 284"),
        ([("nips17/b2.png", 1000, "n99999999", "nips17")], "cannot be n99999999"),
    ],
    ids=["no column", "short row", "no number", "another class", "no class"],
)
def test_a_table_that_cannot_be_used_is_named(place, lines, words):
    write_tar(place)
    header = [("file", "imagenet1k_index", "wnid", "source")] if lines[0][0] != "file" else []
    write_table(place, header + lines)
    with pytest.raises(StoreError, match=rf"natural_imagenet_labels\.csv beside it is damaged .*{words}"):
        datasets.load("nips17")


@pytest.mark.parametrize("content", [b"", b"no tar", "cut"], ids=["empty", "no tar", "cut short"])
def test_a_damaged_tar_is_named(place, content):
    write_tar(place)
    tar = place / labelled_tar.TAR
    tar.write_bytes(tar.read_bytes()[:1400] if content == "cut" else content)
    with pytest.raises(StoreError, match=r"natural_imagenet\.tar or .* is damaged or incomplete"):
        datasets.load("imagenette")


@pytest.mark.parametrize(
    "given",
    [
        dict(rows=[("a1", 0)]),
        dict(rows=[("a1", 1001)]),
        dict(rows=[("a1", "")]),
        dict(rows=[]),
        dict(header=("ImageId", "URL", "Label")),
        dict(header=("ImageId", "URL"), rows=[("a1", 1)]),
    ],
    ids=["label 0", "label 1001", "no label", "no row", "other column", "short row"],
)
def test_an_official_table_that_cannot_be_used_is_named(place, given):
    write_nips17(place, **given)
    with pytest.raises(StoreError, match=r"images\.csv is damaged: .*TrueLabel \(1 to 1000\)"):
        datasets.load("nips17")


def test_a_row_that_ends_early_is_named(place):
    folder = write_nips17(place)
    (folder / "images.csv").write_text("ImageId,TrueLabel\na1,955\nb2\n")
    with pytest.raises(StoreError, match=r"images\.csv is damaged"):
        datasets.load("nips17")


def test_official_images_that_cannot_be_used_are_named(place):
    folder = write_nips17(place)
    image = folder / "images" / "a1.png"
    image.write_bytes(png(pixels("a1", 13)))
    with pytest.raises(StoreError, match=r"images\.csv are of various sizes"):
        datasets.load("nips17")
    image.write_bytes(b"no image")
    with pytest.raises(StoreError, match=r"a1\.png cannot be read as an image"):
        datasets.load("nips17")
    image.unlink()
    with pytest.raises(StoreError, match=r"names a1, but .*a1\.png does not exist; unpack images/ beside it"):
        datasets.load("nips17")
