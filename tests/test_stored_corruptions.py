"""The published corrupted benchmarks: made-up ones in each layout, found by id, and what is missing named."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from robustshape.corruptions import EXTRA, STANDARD, stored
from robustshape.corruptions.jpeg import saved_as_jpeg
from robustshape.corruptions.stored import (
    check,
    missing_cells,
    paired,
    provenance,
    stored_ids,
    stored_images,
    stored_set,
)
from robustshape.datasets.pictures import Pictures
from robustshape.datasets.samples import build
from robustshape.errors import InputError, MissingFileError, StoreError

WNIDS = ["n01443537", "n02124075", "n07753592"]
CELLS = [("fog", 1), ("fog", 5), ("snow", 1), ("snow", 5)]


@pytest.fixture(autouse=True)
def place(data_folder):
    """An empty data folder and an empty cache."""
    return data_folder


def facts(name):
    reading = "frame224" if name == "imagenet" else "native"
    return dict(dataset=name, split="test", reading=reading, n_classes=3)


def imagenet():
    """Six validation images of three classes, as files of various sizes: only their ids matter here."""
    ids = [f"imagenet/test/{WNIDS[i % 3]}/ILSVRC2012_val_{i:08d}.JPEG" for i in range(6)]
    blank = np.array([""] * 6, dtype=object)
    pictures = Pictures(blank, np.array(["00" * 32] * 6, dtype=object), np.arange(6) + 9, np.arange(6) + 9, 3)
    return build(pictures, [i % 3 for i in range(6)], ids, **facts("imagenet"))


def tiny():
    images = np.zeros((6, 64, 64, 3), np.uint8)
    ids = [f"tiny_imagenet/test/val_{i}" for i in range(6)]
    return build(images, [i % 3 for i in range(6)], ids, **facts("tiny_imagenet"))


def cifar(name="cifar10", n=8):
    ids = [f"{name}/test/{i:05d}" for i in range(n)]
    return build(np.zeros((n, 32, 32, 3), np.uint8), [i % 3 for i in range(n)], ids, **facts(name))


def picture(cell, i, side):
    """Return the bytes and pixels of a JPEG file like no other."""
    seed = [CELLS.index(cell), i, side]
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(blocks).resize((side, side)).save(file, "JPEG", quality=85)
    return file.getvalue(), np.asarray(Image.open(io.BytesIO(file.getvalue())))


def write_files(root, side, name, cells=CELLS):
    for cell in cells:
        for i in range(6):
            path = root / cell[0] / str(cell[1]) / WNIDS[i % 3] / name(i)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(cell, i, side)[0])


def write_imagenet_c(root, cells=CELLS):
    write_files(root, 224, lambda i: f"ILSVRC2012_val_{i:08d}.JPEG", cells)


def write_tiny_c(place, cells=CELLS):
    write_files(place / "Tiny-ImageNet-C", 64, lambda i: f"test_{i}.JPEG", cells)


def write_cifar_c(folder, corruptions=("fog", "snow"), labels=None):
    """Every image is filled with its severity and the last digits of its number."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = np.arange(10_000)
    labels = numbers % 3 if labels is None else labels
    np.save(folder / "labels.npy", np.tile(labels, 5).astype(np.uint8))
    for corruption in corruptions:
        array = np.lib.format.open_memmap(
            folder / f"{corruption}.npy", mode="w+", dtype=np.uint8, shape=(50_000, 32, 32, 3)
        )
        for severity in range(1, 6):  # only the images looked at: the rest of the file stays a hole
            block = array[10_000 * (severity - 1) :]
            block[[*range(8), 9_999]] = severity
            block[[*range(8), 9_999], 0, 0, 0] = [*range(8), 99]
        array.flush()


@pytest.fixture(scope="module")
def cifar_c(tmp_path_factory):
    """One CIFAR-10-C for all tests that do not change it."""
    folder = tmp_path_factory.mktemp("benchmarks")
    write_cifar_c(folder / "CIFAR-10-C")
    return folder


# ------------------------------------------------------------------------------------------- what is read


@pytest.mark.parametrize("where", ["imagenet-c", "ImageNet-C", "datasets/imagenet-c", "imagenet-c/weather"])
def test_imagenet_c_is_found_by_class_and_name(place, where):
    write_imagenet_c(place / where)
    images = stored_images(imagenet(), "fog", 5)
    assert images.shape == (6, 224, 224, 3) and images.dtype == np.uint8
    np.testing.assert_array_equal(images, [picture(("fog", 5), i, 224)[1] for i in range(6)])
    assert missing_cells(imagenet(), ["fog", "snow"], [1, 5]) == []
    assert check(imagenet(), ["fog", "snow"], [1, 5]) is None


def test_parts_of_imagenet_c_may_lie_in_several_folders(monkeypatch, tmp_path, place):
    write_imagenet_c(place / "imagenet-c", CELLS[:2])
    write_imagenet_c(tmp_path / "more" / "ImageNet-C", CELLS[2:])
    monkeypatch.setenv("ROBUSTSHAPE_DATA", f"{place}:{tmp_path / 'more' / 'ImageNet-C'}")
    assert missing_cells(imagenet(), ["fog", "snow"], [1, 5]) == []


def test_tiny_imagenet_c_is_a_set_of_its_own_with_the_labels_of_its_folders(place):
    write_tiny_c(place)
    for name in (".DS_Store", f"{WNIDS[0]}/._test_0.JPEG", f"{WNIDS[0]}/boxes.txt"):
        (place / "Tiny-ImageNet-C" / "fog" / "1" / name).touch()
    expected = [f"Tiny-ImageNet-C/{WNIDS[i % 3]}/test_{i}" for i in (0, 3, 1, 4, 2, 5)]
    labels, ids = stored_ids(tiny(), "fog", 1)
    assert labels.tolist() == [0, 0, 1, 1, 2, 2] and labels.dtype == np.int64 and ids.tolist() == expected
    for cell in CELLS:
        images, labels, ids = stored_set(tiny(), *cell)
        assert labels.tolist() == [0, 0, 1, 1, 2, 2] and ids.tolist() == expected
        np.testing.assert_array_equal(images, [picture(cell, i, 64)[1] for i in (0, 3, 1, 4, 2, 5)])
    assert missing_cells(tiny(), ["fog", "snow"], [1, 5], own=True) == []
    assert check(tiny(), ["fog", "snow"], [1, 5], own=True) is None


def test_a_set_of_its_own_is_read_in_any_order_and_part(place):
    write_tiny_c(place, [("fog", 1)])
    whole, labels, ids = stored_set(tiny(), "fog", 1)
    images, few, names = stored_set(tiny().isel(sample=[0]), "fog", 1, ids=ids[[4, 0]])
    np.testing.assert_array_equal(images, whole[[4, 0]])
    assert few.tolist() == labels[[4, 0]].tolist() and names.tolist() == ids[[4, 0]].tolist()
    with pytest.raises(InputError, match=r"fog 1 has no image 'tiny_imagenet/test/val_0'; .*stored_ids"):
        stored_set(tiny(), "fog", 1, ids=["tiny_imagenet/test/val_0"])


@pytest.mark.parametrize("name", ["test", "val"])
def test_a_benchmark_of_other_photographs_is_never_paired_whatever_its_files_are_called(place, name):
    write_files(place / "Tiny-ImageNet-C", 64, lambda i: f"{name}_{i}.JPEG")
    for call in (
        lambda: stored_images(tiny(), "fog", 1),
        lambda: missing_cells(tiny(), ["fog"], [1]),
        lambda: check(tiny(), ["fog"], [1]),
    ):
        with pytest.raises(
            InputError, match=r"Tiny-ImageNet-C shows other photographs .*stored_set.*generated"
        ):
            call()
    assert [paired(data) for data in (tiny(), imagenet(), cifar())] == [False, True, True]


def test_a_paired_benchmark_is_a_set_too(place):
    write_imagenet_c(place / "imagenet-c", [("fog", 1)])
    data = imagenet()
    images, labels, ids = stored_set(data, "fog", 1)
    np.testing.assert_array_equal(images, stored_images(data, "fog", 1))
    assert labels.tolist() == data.label.values.tolist() and ids.tolist() == data.sample.values.tolist()
    part = stored_set(data, "fog", 1, ids=data.sample.values[[5, 2]])
    np.testing.assert_array_equal(part[0], images[[5, 2]])
    assert part[1].tolist() == [2, 2] and missing_cells(data, ["fog"], [1, 5], own=True) == [("fog", 5)]


def test_a_set_of_other_classes_or_of_none_is_refused(place):
    with pytest.raises(
        MissingFileError, match=r"Tiny-ImageNet-C is not on this machine: .* of its images: fog 1;"
    ):
        stored_set(tiny(), "fog", 1)
    write_tiny_c(place, [("fog", 1)])
    with pytest.raises(
        StoreError, match=r"has 3 class folders under fog/1, but tiny_imagenet has 200 classes here"
    ):
        stored_set(tiny().assign_attrs(n_classes=200), "fog", 1)


def test_a_cell_that_lacks_an_image_of_another_is_missing(place):
    write_tiny_c(place)
    (place / "Tiny-ImageNet-C" / "snow" / "5" / WNIDS[1] / "test_4.JPEG").unlink()
    cells = ["fog", "snow", "frost"], [1, 5]
    missing = [("snow", 5), ("frost", 1), ("frost", 5)]
    assert missing_cells(tiny(), *cells, own=True) == missing
    with pytest.raises(
        MissingFileError, match=r"3 lack some or all of its images: snow 5, frost 1, frost 5; get it"
    ):
        check(tiny(), *cells, own=True)


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_cifar_c_is_found_by_number_and_severity(monkeypatch, tmp_path, cifar_c, name):
    folder = tmp_path / "CIFAR-100-C" if name == "cifar100" else cifar_c
    if name == "cifar100":
        folder.symlink_to(cifar_c / "CIFAR-10-C")
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(folder))
    for severity in (1, 5):
        images = stored_images(cifar(name), "snow", severity)
        assert images.shape == (8, 32, 32, 3) and type(images) is np.ndarray
        assert images[:, 0, 0, 0].tolist() == list(range(8)) and (images[:, 1:] == severity).all()
    assert missing_cells(cifar(name), ["fog", "snow"], [1, 2, 3, 4, 5]) == []


def test_the_last_of_the_test_images_is_the_last_of_its_block(monkeypatch, cifar_c):
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(cifar_c))
    data = build(np.zeros((1, 32, 32, 3), np.uint8), [0], ["cifar10/test/09999"], **facts("cifar10"))
    assert stored_images(data, "fog", 4)[0, 0, :2].tolist() == [[99, 4, 4], [4, 4, 4]]


@pytest.mark.parametrize("kind", ["imagenet", "cifar"])
def test_order_and_selection_are_those_of_the_data(monkeypatch, place, cifar_c, kind):
    if kind == "cifar":
        monkeypatch.setenv("ROBUSTSHAPE_DATA", str(cifar_c))
    write_imagenet_c(place / "imagenet-c", [("fog", 1)])
    data = {"imagenet": imagenet, "cifar": cifar}[kind]()
    whole, order = stored_images(data, "fog", 1), [4, 0, 3]
    np.testing.assert_array_equal(stored_images(data.isel(sample=order), "fog", 1), whole[order])
    assert len({image.tobytes() for image in whole}) == len(whole)


def test_grey_files_become_colour(place):
    write_tiny_c(place, [("fog", 1)])
    path = place / "Tiny-ImageNet-C" / "fog" / "1" / WNIDS[0] / "test_0.JPEG"
    Image.fromarray(np.full((64, 64), 77, np.uint8)).save(path)
    assert (stored_set(tiny(), "fog", 1)[0][0] == 77).all()


def test_provenance_names_the_benchmark_and_no_path(place):
    for data, name in [(imagenet(), "ImageNet-C"), (tiny(), "Tiny-ImageNet-C"), (cifar(), "CIFAR-10-C")]:
        text = provenance(data)
        assert text.startswith(name + " (https://zenodo.org/records/") and "ROBUSTSHAPE_DATA" in text
        assert str(place) not in text and len(text.split(" /")) == 1


def test_every_benchmark_says_what_it_needs():
    from robustshape.datasets.readings import READINGS

    for name, benchmark in stored.BENCHMARKS.items():
        assert benchmark.ids.startswith(f"{name}/test/" if benchmark.paired else f"{benchmark.title}/")
        assert benchmark.reading in READINGS
        assert benchmark.layout.startswith(benchmark.folders[0] + "/")
        assert benchmark.title in benchmark.folders and benchmark.url.startswith(
            "https://zenodo.org/records/"
        )


def test_importing_needs_no_pillow_and_no_xarray():
    code = (
        "import sys; import robustshape.corruptions.stored;"
        "sys.exit(any(m in sys.modules for m in ('PIL', 'xarray', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ------------------------------------------------------------------------------------------- what is missing


def test_exactly_the_incomplete_folders_are_missing(place):
    root = place / "imagenet-c"
    write_imagenet_c(root)
    next((root / "snow" / "5" / WNIDS[2]).iterdir()).unlink()
    for path in (root / "fog" / "1" / WNIDS[1]).iterdir():
        path.unlink()
    (root / "fog" / "1" / WNIDS[1]).rmdir()
    assert missing_cells(imagenet(), ["snow", "fog", "frost"], [5, 1]) == [
        ("snow", 5),
        ("fog", 1),
        ("frost", 5),
        ("frost", 1),
    ]
    first = imagenet().isel(sample=[0, 3])  # both of the first class, whose files are all there
    assert missing_cells(first, ["snow", "fog", "frost"], [1]) == [("frost", 1)]


def test_a_folder_that_may_not_be_read_is_named(monkeypatch, place):
    write_imagenet_c(place / "imagenet-c", [("fog", 1)])

    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("os.listdir", refuse)
    with pytest.raises(StoreError, match=r"fog/1/n01443537 cannot be read \(Permission denied\)"):
        missing_cells(imagenet(), ["fog"], [1])


def test_a_file_under_another_class_is_missing(place):
    write_imagenet_c(place / "imagenet-c", [("fog", 1)])
    folder, name = place / "imagenet-c" / "fog" / "1", "ILSVRC2012_val_00000000.JPEG"
    (folder / WNIDS[0] / name).rename(folder / WNIDS[1] / name)
    assert missing_cells(imagenet(), ["fog"], [1]) == [("fog", 1)]
    with pytest.raises(MissingFileError, match="of these 6 images: fog 1; get it from"):
        stored_images(imagenet(), "fog", 1)


def test_a_file_where_a_folder_should_be_is_missing(place):
    write_imagenet_c(place / "imagenet-c", [("fog", 1)])
    (place / "imagenet-c" / "fog" / "5").touch()
    (place / "imagenet-c" / "snow").touch()
    assert missing_cells(imagenet(), ["fog", "snow"], [1, 5]) == CELLS[1:]


def test_absent_arrays_are_missing_and_without_labels_all(place):
    write_cifar_c(place / "CIFAR-10-C", ["fog"])
    assert missing_cells(cifar(), ["fog", "snow"], [2, 3]) == [("snow", 2), ("snow", 3)]
    with pytest.raises(MissingFileError, match="snow 2"):
        stored_images(cifar(), "snow", 2)
    (place / "CIFAR-10-C" / "labels.npy").unlink()
    assert missing_cells(cifar(), ["fog"], [2]) == [("fog", 2)]


def test_the_error_says_where_was_looked_and_what_to_do(monkeypatch, place):
    with pytest.raises(MissingFileError) as caught:
        check(cifar(), STANDARD, [1, 2, 3, 4, 5])
    assert str(caught.value) == (
        f"CIFAR-10-C is not on this machine: no CIFAR-10-C in the folders of ROBUSTSHAPE_DATA ({place}); "
        "of 75 (corruption, severity), 75 lack some or all of these 8 images: gaussian_noise 1, gaussian_noise 2, "
        "gaussian_noise 3, gaussian_noise 4, gaussian_noise 5 and 70 more; get it from "
        "https://zenodo.org/records/2535967 and unpack it as CIFAR-10-C/CORRUPTION.npy and CIFAR-10-C/labels.npy in "
        "a folder of ROBUSTSHAPE_DATA, or use corrupted='generated'"
    )
    monkeypatch.delenv("ROBUSTSHAPE_DATA")
    with pytest.raises(MissingFileError, match=r"no imagenet-c or ImageNet-C in .* \(it names none"):
        check(imagenet(), ["fog"], [1])


def test_the_error_says_what_may_be_left_out(place):
    write_imagenet_c(place / "imagenet-c", [("fog", 1), ("fog", 5), ("snow", 1)])
    with pytest.raises(MissingFileError) as caught:
        check(imagenet(), ["fog", "snow"], [1, 5])
    text = str(caught.value)
    assert text.startswith(
        f"ImageNet-C in {place / 'imagenet-c'} is not complete; of 4 (corruption, severity), 1 "
    )
    assert "images: snow 5; get it" in text
    assert "or run the rest with corruptions=['fog'] or severities=[1], or use corrupted='generated'" in text


# ------------------------------------------------------------------------------------------- what is refused


def test_data_without_a_benchmark_name_those_with_one():
    data = cifar().assign_attrs(dataset="mnist")
    for call in (
        lambda: provenance(data),
        lambda: stored_images(data, "fog", 1),
        lambda: check(data, ["fog"], [1]),
    ):
        with pytest.raises(InputError, match=r"of mnist no .*imagenet, tiny_imagenet, cifar10, cifar100"):
            call()


@pytest.mark.parametrize(
    ("data", "attrs", "words"),
    [
        (cifar, {"split": "train"}, "split test of cifar10, but was asked for train; use that split"),
        (cifar, {"reading": "resize64"}, "the reading native shows of cifar10, but .* read as resize64"),
        (imagenet, {"reading": "native"}, "the reading frame224 shows of imagenet, but .* read as native"),
        (imagenet, {"reading": "crop224"}, "read as crop224; use that reading, or corrupted='generated'"),
    ],
)
def test_images_it_was_not_made_from_or_does_not_show_so_are_refused(data, attrs, words):
    with pytest.raises(InputError, match=words):
        missing_cells(data().assign_attrs(attrs), ["fog"], [1])


def test_foreign_ids_are_refused():
    data = cifar().assign_coords(sample=[f"mine/{i}" for i in range(8)])
    with pytest.raises(InputError, match="'mine/0'"):
        missing_cells(data, ["fog"], [1])
    far = build(np.zeros((1, 32, 32, 3), np.uint8), [0], ["cifar10/test/10000"], **facts("cifar10"))
    with pytest.raises(InputError, match="asked for number 10000"):
        missing_cells(far, ["fog"], [1])


@pytest.mark.parametrize("severity", [0, 6, 1.0, True, "1"])
def test_other_severities_are_refused(severity):
    with pytest.raises(InputError, match="severity"):
        stored_images(cifar(), "fog", severity)


def test_unknown_corruptions_are_refused_and_the_extra_ones_are_not(place):
    with pytest.raises(InputError, match="unknown corruption 'fogg'; closest: fog"):
        missing_cells(cifar(), ["fogg"], [1])
    assert missing_cells(cifar(), EXTRA, [1]) == [(name, 1) for name in EXTRA]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"not a picture", "cannot identify"),
        (b"", "cannot identify"),
        (picture(("fog", 1), 0, 64)[0][:-300], "truncated"),
        (picture(("fog", 1), 0, 32)[0], "32 x 32 px, not 64 x 64"),
    ],
)
def test_damaged_and_wrong_sized_files_are_named(place, content, why):
    write_tiny_c(place, [("fog", 1)])
    path = place / "Tiny-ImageNet-C" / "fog" / "1" / WNIDS[0] / "test_0.JPEG"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=why) as caught:
        stored_set(tiny(), "fog", 1)
    assert str(path) in str(caught.value) and "replace it" in str(caught.value)
    assert missing_cells(tiny(), ["fog"], [1], own=True) == []  # it is there; what it holds is not looked at


def test_a_pipe_is_refused_and_not_waited_for(place):
    write_tiny_c(place, [("fog", 1)])
    path = place / "Tiny-ImageNet-C" / "fog" / "1" / WNIDS[0] / "test_0.JPEG"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(StoreError, match=r"test_0\.JPEG is damaged .*\(it is no plain file\)"):
        stored_set(tiny(), "fog", 1)


def test_damaged_arrays_are_named(place):
    write_cifar_c(place / "CIFAR-10-C", ["fog"])
    path = place / "CIFAR-10-C" / "fog.npy"
    with path.open("r+b") as file:  # cut short
        file.truncate(10_000)
    contents = [None, b"", b"PK\x03\x04", np.zeros((10, 32, 32, 3), np.uint8), np.array([{}], dtype=object)]
    for content in contents:
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content is not None:
            np.save(path, content, allow_pickle=True)
        for call in (lambda: missing_cells(cifar(), ["fog"], [1]), lambda: stored_images(cifar(), "fog", 1)):
            with pytest.raises(StoreError, match=r"fog\.npy is damaged or not of CIFAR-10-C") as caught:
                call()
            assert not isinstance(caught.value, MissingFileError)


def test_other_labels_are_refused(place):
    labels = np.arange(10_000) % 3
    labels[[2, 5]] = 7
    write_cifar_c(place / "CIFAR-10-C", ["fog"], labels)
    with pytest.raises(StoreError, match=r"labels\.npy gives 2 of these 8 images another label"):
        check(cifar(), ["fog"], [1])
    assert missing_cells(cifar().isel(sample=[0, 1]), ["fog"], [1]) == []


# ------------------------------------------------------------------------------------------- saved as JPEG


@pytest.mark.parametrize(
    "shape", [(300, 32, 32, 3), (20, 28, 28, 1), (8, 64, 64, 3), (2, 224, 224, 3), (2, 97, 65, 3)]
)
def test_saved_as_jpeg_equals_a_file_per_image(shape):
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    images[0] = 200
    for image, found in zip(images, saved_as_jpeg(images)):
        file = io.BytesIO()
        picture = Image.fromarray(image if shape[3] == 3 else image[..., 0])
        picture.save(file, "JPEG", quality=85, optimize=True)  # as ImageNet-C; optimize changes no pixel
        np.testing.assert_array_equal(found, np.asarray(Image.open(file)).reshape(image.shape))


def test_saved_as_jpeg_in_parts_and_of_none(monkeypatch):
    from robustshape.corruptions import jpeg

    images = np.random.default_rng(1).integers(0, 256, (7, 32, 32, 3), dtype=np.uint8)
    whole = saved_as_jpeg(images)
    monkeypatch.setattr(jpeg, "_AT_ONCE", 2 * images[0].size)
    np.testing.assert_array_equal(saved_as_jpeg(images), whole)
    np.testing.assert_array_equal(saved_as_jpeg(images[::-1]), whole[::-1])
    assert saved_as_jpeg(images[:0]).shape == (0, 32, 32, 3)


@pytest.mark.parametrize("quality", [0, 101, 85.0, True])
def test_saved_as_jpeg_refuses_other_qualities_and_images(quality):
    with pytest.raises(InputError, match="quality"):
        saved_as_jpeg(np.zeros((1, 8, 8, 3), np.uint8), quality)
    with pytest.raises(InputError, match=r"float64 \(1, 8, 8, 3\)"):
        saved_as_jpeg(np.zeros((1, 8, 8, 3)))
    with pytest.raises(InputError, match=r"uint8 \(8, 8, 3\)"):
        saved_as_jpeg(np.zeros((8, 8, 3), np.uint8))


def test_the_state_of_files_changes_with_each_of_them_and_not_with_others_or_their_place(place):
    write_imagenet_c(place / "imagenet-c")
    data, benchmark = imagenet(), stored.benchmark_of(imagenet())
    wanted = benchmark.wanted(data["sample"].values[:4], data["label"].values[:4])
    before = benchmark.state(wanted, "fog", 1)
    (place / "imagenet-c").rename(place / "ImageNet-C")
    assert benchmark.state(wanted, "fog", 1) == before
    files = benchmark.files(wanted, "fog", 1)
    other = benchmark.files(benchmark.wanted(data["sample"].values[4:], data["label"].values[4:]), "fog", 1)[
        0
    ]
    other.write_bytes(b"another")
    assert benchmark.state(wanted, "fog", 1) == before
    os.utime(files[2], ns=(0, 1))
    assert benchmark.state(wanted, "fog", 1) != before
    files[2].unlink()
    with pytest.raises(FileNotFoundError):
        benchmark.state(wanted, "fog", 1)
