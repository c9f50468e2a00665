"""mnist: the complete MNIST, 60,000 training and 10,000 test digits.

LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", Proceedings of
the IEEE 86 (1998), doi:10.1109/5.726791. Read from torchvision's files (``MNIST/raw/*-ubyte``, packed or not)
or Keras's ``mnist.npz``, in the folders of ROBUSTSHAPE_DATA and in the cache; else downloaded into the cache.
A copy that is not the official one, byte for byte, is used, but its checksum says so.
"""

from pathlib import Path

from robustshape.datasets import file_state
from robustshape.datasets.samples import DATASETS, Entry, places
from robustshape.errors import StoreError
from robustshape.paths import cache_dir, data_dirs
from robustshape.unpacking import check_npz, gunzipped

SOURCES = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
FILES = {  # of each split: images, labels, as (name, bytes, sha256)
    "train": (
        (
            "train-images-idx3-ubyte.gz",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        (
            "train-labels-idx1-ubyte.gz",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
    ),
    "test": (
        (
            "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        (
            "t10k-labels-idx1-ubyte.gz",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
}
INSTEAD = "or use the data set mnist5k: 5,000 real MNIST digits that are already installed"


def read(split: str):
    """Return the images (n, 28, 28, 1) uint8, labels and ids of ``train`` (60,000) or ``test`` (10,000).

    Raises
    ------
    StoreError
        If the local copy is damaged.
    MissingFileError, DownloadError
        If there is none and it may not or cannot be downloaded.
    """
    place = find(split) or download(split)
    images, labels = read_npz(place, split) if place.suffix == ".npz" else read_folder(place, split)
    if images.shape[1:] != (28, 28) or labels.shape != images.shape[:1] or images.dtype != "uint8":
        raise _damaged(place, f"{images.dtype} images {images.shape} and labels {labels.shape}")
    return images[..., None], labels, [f"mnist/{split}/{i:05d}" for i in range(len(labels))]


def find(split: str) -> Path | None:
    """Return the first ``mnist.npz`` or folder that holds both files of a split, or None."""
    return _search(data_dirs(), split) or _search([cache_dir("datasets")], split)


def _search(folders: list[Path], split: str) -> Path | None:
    for folder in folders:
        if (folder / "mnist.npz").is_file():
            return folder / "mnist.npz"
        for raw in (folder / "MNIST" / "raw", folder / "raw", folder):
            if all(_packed_or_not(raw, name) for name, _, _ in FILES[split]):
                return raw
    return None


def download(split: str) -> Path:
    """Fetch the two files of a split into the cache and return their folder."""
    from robustshape.download import fetch

    folder = cache_dir("datasets", "MNIST", "raw")
    for name, size, sha256 in FILES[split]:
        fetch([url + name for url in SOURCES], folder / name, sha256=sha256, size=size, instead=INSTEAD)
    return folder


def read_npz(path: Path, split: str):
    """Return images and labels of a split from a file with x_train, y_train, x_test, y_test."""
    import zipfile
    import zlib

    import numpy as np

    try:
        check_npz(path)
        with np.load(path, allow_pickle=False) as arrays:
            return arrays[f"x_{split}"], arrays[f"y_{split}"]
    except (OSError, EOFError, TypeError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(path, error) from error


def read_folder(folder: Path, split: str):
    """Return images and labels of a split from torchvision's files."""
    return tuple(read_idx(_packed_or_not(folder, name)) for name, _, _ in FILES[split])


def read_idx(path: Path):
    """Return the array of an IDX file of unsigned bytes, packed with gzip or not.

    The header is 0, 0, 8 (unsigned bytes), the number of dimensions, and each length as a big-endian integer.
    """
    import zlib

    import numpy as np

    try:
        raw = gunzipped(path) if path.suffix == ".gz" else path.read_bytes()
        if raw[:3] != b"\x00\x00\x08":
            raise ValueError("not an IDX file of bytes")
        n_dims = raw[3]
        shape = np.frombuffer(raw, ">u4", n_dims, offset=4)
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * n_dims).reshape(shape)
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise _damaged(path, error) from error


def _packed_or_not(folder: Path, name: str) -> Path | None:
    candidates = (folder / name, folder / name.removesuffix(".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _damaged(path: Path, why) -> StoreError:
    return StoreError(
        f"{path} is not MNIST or is damaged ({why}); replace it, or delete it to have it downloaded, {INSTEAD}"
    )


def state(split: str) -> str:
    """Return what changes with the files of a split."""
    place = find(split)
    if place is None or place.suffix == ".npz":
        return file_state.of_files(place)
    return file_state.of_files(*(_packed_or_not(place, name) for name, _, _ in FILES[split]))


def locate() -> str | None:
    """Return the folder or file that holds both splits, or the one that is there, or None."""
    return places(find, FILES)


DATASETS.register(
    "mnist",
    title="MNIST handwritten digits",
    n_train=60_000,
    n_test=10_000,
    size="28 x 28, grey",
    n_classes=10,
    class_names=[str(digit) for digit in range(10)],
    reading="pad32",
    licence="CC BY-SA 3.0",
    source="torchvision's or Keras's files, or a download of 12 MB",
    citation="LeCun, Bottou, Bengio and Haffner (1998), doi:10.1109/5.726791",
    urls=SOURCES,
    checksum={
        "train": "sha256:d18cfd466eb143ac1097fde604dba9eec4116885869d04cc648b510949f9e88c",
        "test": "sha256:a0863a96c44e5666edbb30c4071ee79ca0514c621e6349c5967fc78e7305c891",
    },
    get="downloaded when first used (12 MB); or put mnist.npz or torchvision's MNIST/raw into a folder of ROBUSTSHAPE_DATA",
)(Entry(read, locate, state))
