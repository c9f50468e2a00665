"""Archives and arrays of anyone's: what they unpack to is refused before room is made for it, and links lead nowhere."""

import gzip
import io
import pickle
import struct
import tarfile
import tracemalloc
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from robustshape import datasets, unpacking
from robustshape.datasets import cifar, labelled_tar, mnist, npz, tiny_imagenet
from robustshape.datasets.pickled_batches import read_batch
from robustshape.errors import InputError, StoreError
from robustshape.unpacking import Limited, check_npz, gunzipped, open_tar, tar_bytes, zip_bytes

ZEROS = 80_000_000  # bytes, more than `unpacking.SMALL`


@contextmanager
def little_room(most=8 << 20):
    """Fail where a block takes more memory than `most`; NumPy's arrays are counted, too."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


def header(shape, kind="|u1"):
    """Return the head of an .npy of any shape."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
    return file.getvalue()


def archive(path, packing=zipfile.ZIP_DEFLATED, **members):
    with zipfile.ZipFile(path, "w", packing) as made:
        for name, content in members.items():
            made.writestr(f"{name}.npy", content)
    return path


LABELS = header((2,), "<i8") + struct.pack("<2q", 0, 1)


@pytest.mark.parametrize(
    "images, words",
    [
        (header((10**12, 1, 1, 1)), "images.npy promises 1,000,000,000,000 bytes and holds 0"),
        (header((2, 2, 2, 1)) + bytes(7), "images.npy promises 8 bytes and holds 7"),
        (
            header((1,), "|V10000000000"),
            "descr is not a valid dtype|images.npy promises 10,000,000,000 bytes",
        ),
        (header((-(10**12), 1, 1, 1)), "images.npy promises -1,000,000,000,000 bytes"),
        (
            header((ZEROS // 4, 2, 2, 1)) + bytes(ZEROS),
            "images.npy unpacks from .* bytes, which no images do",
        ),
        (b"no array at all", "magic string"),
    ],
)
def test_an_npz_that_promises_more_than_it_holds_is_refused_without_room(tmp_path, images, words):
    path = archive(tmp_path / "mine.npz", images=images, labels=LABELS)
    (tmp_path / "MNIST").mkdir()
    with (
        little_room(),
        pytest.raises(StoreError, match=f"mine.npz cannot be read as an .npz of plain arrays .*({words})"),
    ):
        datasets.load(f"npz:{path}")
    for read in (cifar.read_npz, lambda path: mnist.read_npz(path, "test")):
        with little_room(), pytest.raises(StoreError, match=words):
            read(path)


def test_an_array_file_is_no_archive_and_makes_no_room(tmp_path):
    (tmp_path / "mine.npz").write_bytes(header((10**12,)))
    with little_room(), pytest.raises(StoreError, match=r"it is no archive of arrays"):
        npz.keys_of(tmp_path / "mine.npz")


def test_arrays_that_share_their_bytes_or_name_or_are_locked_are_refused(tmp_path):
    path = archive(tmp_path / "a.npz", images=header((2, 1, 1, 1)) + bytes(2), labels=LABELS)
    check_npz(path)
    content = path.read_bytes()
    twice = tmp_path / "twice.npz"
    with zipfile.ZipFile(twice, "w") as made, pytest.warns(UserWarning, match=r"Duplicate name"):
        made.writestr("x.npy", LABELS)
        made.writestr("x.npy", LABELS)
    with pytest.raises(ValueError, match=r"two arrays of one name"):
        check_npz(twice)
    entry = content.index(b"PK\x01\x02")
    locked = bytearray(content)
    locked[entry + 8] |= 1
    (tmp_path / "locked.npz").write_bytes(locked)
    with pytest.raises(ValueError, match=r"is encrypted"):
        check_npz(tmp_path / "locked.npz")
    lying = bytearray(content)
    lying[entry + 20 : entry + 24] = struct.pack("<I", 10**9)
    (tmp_path / "lying.npz").write_bytes(lying)
    with pytest.raises(ValueError, match=r"lie over each other"):
        check_npz(tmp_path / "lying.npz")
    with pytest.raises(ValueError, match=r"packed in a way that NumPy does not write"):
        check_npz(archive(tmp_path / "b.npz", zipfile.ZIP_BZIP2, images=LABELS))


def test_an_npz_of_numpy_is_taken_whatever_its_packing(tmp_path):
    images = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "own.npz", images=images, labels=[0, 1, 0], class_names=["a", "b"])
        check_npz(tmp_path / "own.npz")
        assert (datasets.load(f"npz:{tmp_path / 'own.npz'}").image.values[..., 0] == images).all()


def test_a_packed_idx_file_of_zeros_or_of_a_great_promise_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 2**31, 2**10, 2**10)))
    with little_room(), pytest.raises(StoreError, match=r"is not MNIST or is damaged .cannot reshape"):
        mnist.read_idx(path)
    path.write_bytes(gzip.compress(bytes(3_000_000)))
    monkeypatch.setattr(mnist, "gunzipped", lambda path: gunzipped(path, 1_000_000))
    with little_room(), pytest.raises(StoreError, match=r"it unpacks to more than 1,000,000 bytes"):
        mnist.read_idx(path)
    assert len(gunzipped(path, 3_000_000)) == 3_000_000


def tar_of(path, *members):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as made:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            if kind == tarfile.REGTYPE:
                member.size = len(content)
                made.addfile(member, io.BytesIO(content))
            else:
                member.linkname = content
                made.addfile(member)
    return path


def test_a_link_in_a_tar_leads_nowhere(tmp_path):
    path = tar_of(
        tmp_path / "a.tar", ("itself", tarfile.SYMTYPE, "itself"), ("hard", tarfile.LNKTYPE, "hard"),
        ("out", tarfile.SYMTYPE, "/etc/passwd"), ("pipe", tarfile.FIFOTYPE, ""), ("file", tarfile.REGTYPE, b"content"),
    )  # fmt: skip
    with open_tar(path) as archive:
        for member in archive:
            if member.name != "file":
                with pytest.raises(ValueError, match=f"{member.name} is no plain file"):
                    tar_bytes(archive, member)
        assert tar_bytes(archive, archive.getmember("file")) == b"content"


def test_the_readers_of_tars_refuse_links_to_themselves(tmp_path):
    wnid = "n01440764"
    tar_of(tmp_path / labelled_tar.TAR, ("a.png", tarfile.SYMTYPE, "a.png"))
    (tmp_path / labelled_tar.TABLE).write_text(f"file,imagenet1k_index,wnid,source\na.png,0,{wnid},nips17\n")
    with pytest.raises(StoreError, match=r"a.png is no plain file"):
        labelled_tar.read(tmp_path / labelled_tar.TAR, "nips17")
    tar_of(tmp_path / tiny_imagenet.TAR, ("a.png", tarfile.SYMTYPE, "a.png"))
    (tmp_path / tiny_imagenet.TABLE).write_text(f"file,wnid\na.png,{wnid}\n")
    with (
        pytest.raises(StoreError, match=r"a.png is no plain file"),
        tiny_imagenet._files(tmp_path / tiny_imagenet.TAR, "test") as (table, content_of),
    ):
        content_of(table[0][0])


def test_headers_of_a_tar_that_ask_for_more_than_it_has_make_no_room(tmp_path, monkeypatch):
    member = tarfile.TarInfo("x")
    member.type, member.size = tarfile.XHDTYPE, 4 << 30  # a header of 4 GiB
    (tmp_path / "a.tar").write_bytes(member.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))
    with little_room(), pytest.raises(ValueError, match=r"asks for more than"):
        open_tar(tmp_path / "a.tar")
    form = cifar.CIFAR10.python
    path = tmp_path / form.archive
    path.write_bytes(gzip.compress(member.tobuf(tarfile.USTAR_FORMAT) + bytes(1024)))
    with little_room(), pytest.raises(StoreError, match=r"asks for more than"):
        cifar.read_batches(path, ["test_batch"])
    monkeypatch.setattr(unpacking, "MOST_WHOLE", 1 << 20)
    tar_of(path, ("zeros", tarfile.REGTYPE, bytes(3 << 20)), ("test_batch", tarfile.REGTYPE, b"x"))
    with little_room(), pytest.raises(StoreError, match=r"asks for more than 1,048,576 bytes"):
        cifar.read_batches(path, ["test_batch"])
    monkeypatch.setattr(unpacking, "MOST_WHOLE", 8 << 20)
    assert cifar.read_batches(path, ["test_batch"]) == [b"x"]
    monkeypatch.setattr(unpacking, "MOST_FILE", 0)
    with pytest.raises(StoreError, match=r"test_batch has 1 bytes, more than 0"):
        cifar.read_batches(path, ["test_batch"])


def test_no_more_of_a_limited_file_is_read_or_passed_over():
    file = Limited(io.BytesIO(b"0123456789"), 4)
    assert file.read(4) == b"0123" and file.tell() == 4 and file.seek(1) == 1 and file.read(3) == b"123"
    for ask in (lambda: file.read(1), lambda: file.read(), lambda: file.seek(5), lambda: file.seek(0, 2)):
        with pytest.raises(ValueError, match=r"it asks for more than 4 bytes"):
            ask()


def test_a_file_of_a_zip_is_read_within_limits(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.zip", zeros=bytes(ZEROS), small=b"abc")
    with zipfile.ZipFile(path) as made:
        assert zip_bytes(made, "small.npy") == b"abc"
        with little_room(), pytest.raises(ValueError, match=r"which no images do"):
            zip_bytes(made, "zeros.npy")
        monkeypatch.setattr(unpacking, "MOST_FILE", 2)
        with pytest.raises(ValueError, match=r"small.npy has 3 bytes, more than 2"):
            zip_bytes(made, "small.npy")


class Array:
    """Pickles as an array whose maker is asked for a shape of its own."""

    def __reduce__(self):
        return np.empty(0).__reduce__()[0], (np.ndarray, (1 << 34,), b"b")


def test_a_batch_makes_no_room_for_shapes_that_it_only_names():
    with little_room():
        assert read_batch(pickle.dumps({"data": Array()}), Path("x"))["data"].shape == (0,)
    called = b"\x80\x02}X\x04\x00\x00\x00datacnumpy\nndarray\nJ\x00\x00\x00\x10\x85R\x73."  # numpy.ndarray(1 << 28)
    with pytest.raises(StoreError, match=r"is not a batch of images"):
        read_batch(called, Path("x"))


def test_a_batch_of_lists_within_lists_is_no_array():
    data = [0]
    for _ in range(9):
        data = [data] * 100  # 10^18 numbers in a few hundred bytes
    content = pickle.dumps({"data": data, "labels": [0]})
    with little_room(), pytest.raises(StoreError, match=r"data is no array"):
        cifar.read_python([content], "labels", Path("x"))


@pytest.mark.parametrize("name", ["../../secret.png", "/etc/passwd"])
def test_a_table_names_no_file_outside(tmp_path, name):
    folder = tmp_path / tiny_imagenet.NAME / "val"
    (folder / "images").mkdir(parents=True)
    (folder / "val_annotations.txt").write_text(f"{name}\tn01440764\n")
    with (
        pytest.raises(StoreError, match=r"is no name of a file"),
        tiny_imagenet._files(folder.parent, "test"),
    ):
        pass


def test_labels_as_large_as_one_likes_make_no_room(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 2, 2), np.uint8), labels=[0, 2**31 - 1])
    with little_room(), pytest.raises(InputError, match=r"holds labels up to 2147483647, but none is 1"):
        datasets.load(f"npz:{tmp_path / 'a.npz'}")


@pytest.mark.parametrize("names", [np.array([b"\xff", b"a"]), np.array(["\ud800", "a"])])
def test_class_names_are_text(names):
    from robustshape.datasets import given

    with pytest.raises(InputError, match=r"has class_names that are no text"):
        given.classes(np.array([0, 1]), names, "mine")
