"""Pickled batches: those of Python 2 and 3 are read, and nothing they say is ever run."""

import os
import pickle
import struct

import numpy as np
import pytest

from robustshape.datasets.pickled_batches import read_batch
from robustshape.errors import StoreError

DATA = np.arange(12, dtype=np.uint8).reshape(2, 6)


def short(text):
    return b"U" + bytes([len(text)]) + text


def python2_batch(data, labels, key=b"labels"):
    """The bytes that Python 2's cPickle writes for {"data": data, key: labels}, opcode by opcode."""
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85" + short(b"b") + b"tR"
        b"(K\x01(" + b"".join(b"J" + struct.pack("<i", n) for n in data.shape) + b"t"
        b"cnumpy\ndtype\n(" + short(b"u1") + b"K\x00K\x01tR"
        b"(K\x03" + short(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89T" + struct.pack("<i", data.size) + data.tobytes() + b"tb"
    )
    numbers = b"".join(b"K" + bytes([label]) for label in labels)
    return b"\x80\x02}(" + short(b"data") + array + short(key) + b"](" + numbers + b"eu."


def test_a_batch_of_python_2_is_read(tmp_path):
    batch = read_batch(python2_batch(DATA, [3, 9]), tmp_path)
    assert list(batch) == ["data", "labels"] and batch["labels"] == [3, 9]
    assert np.array_equal(batch["data"], DATA) and batch["data"].dtype == np.uint8


@pytest.mark.parametrize("protocol", [3, 4])
def test_a_batch_of_python_3_is_read(tmp_path, protocol):
    given = {b"data": DATA, b"labels": [3, 9], b"batch_label": b"testing batch 1 of 1"}
    batch = read_batch(pickle.dumps(given, protocol), tmp_path)
    assert np.array_equal(batch["data"], DATA) and batch["labels"] == [3, 9]


class Runs:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize(
    ("function", "argument", "named"),
    [
        (os.system, "touch {}", "system"),
        (eval, "open({!r}, 'w')", "eval"),
        (np.fromfile, "{}", "fromfile"),
        (np.load, "{}", "load"),
        (getattr, "{}", "getattr"),
    ],
)
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, protocol, function, argument, named):
    mark = tmp_path / "mark"
    harmful = {"data": Runs(function, argument.format(str(mark))), "labels": [0]}
    with pytest.raises(StoreError, match=rf"is not a batch .* asks for .*{named}, which no batch"):
        read_batch(pickle.dumps(harmful, protocol), tmp_path / "test_batch")
    assert not mark.exists()


def test_an_attribute_of_what_is_allowed_is_refused(tmp_path):
    dotted = b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93."
    with pytest.raises(StoreError, match=r"asks for numpy\.ndarray\.tofile"):
        read_batch(dotted, tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a pickle",
        pickle.dumps([1, 2]),
        python2_batch(DATA, [3])[:-20],
        pickle.dumps(7),
        b"\x80\x7f.",
    ],
    ids=["empty", "text", "a list", "cut short", "a number", "a later protocol"],
)
def test_what_is_no_batch_is_named(tmp_path, content):
    with pytest.raises(StoreError, match="test_batch is not a batch of images or is damaged"):
        read_batch(content, tmp_path / "test_batch")
