"""Archives and compressed arrays read within limits: what a file of anyone's unpacks to is known before room is made for it.

A thousand bytes of zeros pack into one, a header of a few bytes may promise any number of items, and a name in an archive
may stand for another that stands for itself. All of it is refused with a ValueError, which the readers of data sets put
into words with the file's name.
"""

import io
import math
import tarfile
import zipfile
from pathlib import Path

MOST_FILE = 1 << 28  # bytes of one file of an archive; that of CIFAR-100's training images has 154 million
MOST_WHOLE = 1 << 29  # bytes of a packed archive once unpacked
MOST_ARRAYS = 16 << 30  # bytes of all arrays of an .npz
BLOCK = 1 << 20  # bytes unpacked at a time
SMALL = 1 << 26  # bytes that anything may unpack to
RATIO = 100  # times its packed size that what is larger may unpack to; images do to 10


def gunzipped(path: Path, most: int = MOST_FILE) -> bytes:
    """Return the content of a .gz file; raise ValueError if it is of more than `most` bytes."""
    import gzip

    content = io.BytesIO()
    with gzip.open(path, "rb") as file:
        while block := file.read(BLOCK):  # asked for all at once, it would make room for all
            content.write(block)
            if content.tell() > most:
                raise ValueError(f"it unpacks to more than {most:,} bytes")
    return content.getvalue()


class Limited(io.RawIOBase):
    """A binary file of which no more than `most` bytes are read or passed over; what asks for more raises ValueError."""

    def __init__(self, file, most: int):
        self.file, self.most = file, most

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes lie before."""
        return self.file.tell()

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer at the end."""
        if size is None or size < 0 or self.file.tell() + size > self.most:
            raise ValueError(f"it asks for more than {self.most:,} bytes")
        return self.file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte."""
        if whence != io.SEEK_SET or offset > self.most:
            raise ValueError(f"it asks for more than {self.most:,} bytes")
        return self.file.seek(offset)

    def close(self) -> None:
        """Close the file, too."""
        self.file.close()
        super().close()


class _Tar(tarfile.TarFile):
    """Closes the file that it was given, too."""

    def close(self):
        """Close both."""
        super().close()
        self.fileobj.close()


def open_tar(path: Path):
    """Return a tar, packed with gzip (``.gz``, ``.tgz``) or not, whose headers can ask for no more than the limits."""
    import gzip

    path = Path(path)
    if path.suffix in (".gz", ".tgz"):
        source = Limited(gzip.open(path, "rb"), MOST_WHOLE)  # noqa: SIM115 (the tar closes it)
    else:
        source = Limited(path.open("rb"), path.stat().st_size + tarfile.RECORDSIZE)
    try:
        return _Tar.open(fileobj=source, mode="r:")
    except BaseException:
        source.close()
        raise


def tar_bytes(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """Return the content of a plain file in a tar; refuse links, devices, files with holes, and more than `MOST_FILE`."""
    if not member.isfile() or member.sparse is not None:
        raise ValueError(f"{member.name} is no plain file but a link, device, folder or file with holes")
    if member.size > MOST_FILE:
        raise ValueError(f"{member.name} has {member.size:,} bytes, more than {MOST_FILE:,}")
    return archive.extractfile(member).read()


def zip_bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the content of a file in a zip; raise KeyError if there is none, ValueError if it is packed in a strange way."""
    info = archive.getinfo(name)
    _check_packed(info)
    if info.file_size > MOST_FILE:
        raise ValueError(f"{name} has {info.file_size:,} bytes, more than {MOST_FILE:,}")
    return archive.read(info)


def _check_packed(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 1:
        raise ValueError(f"{info.filename} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{info.filename} is packed in a way that NumPy does not write")
    if info.file_size > max(SMALL, RATIO * info.compress_size):
        raise ValueError(
            f"{info.filename} unpacks from {info.compress_size:,} to {info.file_size:,} bytes, which no images do"
        )


def check_npz(path: Path) -> None:
    """Raise ValueError unless a file is an .npz whose arrays are as large as their headers say and within the limits.

    Only directory and headers are read.
    """
    from numpy.lib import format as npy

    path = Path(path)
    with path.open("rb") as file:
        if (begin := file.read(2)) != b"PK":
            raise ValueError("it is no archive of arrays" if begin else "it is empty")
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if len({info.filename for info in infos}) != len(infos):
            raise ValueError("it holds two arrays of one name")
        if sum(info.compress_size for info in infos) > path.stat().st_size:
            raise ValueError("its arrays lie over each other")
        if sum(info.file_size for info in infos) > MOST_ARRAYS:
            raise ValueError(f"its arrays have more than {MOST_ARRAYS:,} bytes")
        for info in infos:
            _check_packed(info)
            with archive.open(info) as member:
                version = npy.read_magic(member)
                read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                shape, _, kind = read(member)
                promised, there = math.prod(shape) * kind.itemsize, info.file_size - member.tell()
            if promised != there and not kind.hasobject:
                raise ValueError(f"{info.filename} promises {promised:,} bytes and holds {there:,}")
