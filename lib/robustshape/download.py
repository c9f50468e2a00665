"""Downloads: from several sources, resumed where they were cut, verified, then renamed into place.

The bytes gather in ``NAME.part`` beside the target; only a file with the right checksum gets the name, so
whatever bears it is whole. A lock beside it lets one process fetch a file while others wait and then find it.
"""

import hashlib
import os
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from robustshape.errors import DownloadError, MissingFileError, StoreError
from robustshape.paths import offline
from robustshape.store.failures import reading

BLOCK = 1 << 16  # bytes read, written and shown at a time
MOST = 8 << 30  # bytes of a file whose size is not known beforehand: a source may send without an end
TRIES = 3  # of each source, as long as it goes on giving bytes
SLOWEST = 1 << 10  # bytes a second, below which a source is given up: the largest file would take a month


class _Refused(Exception):
    """Why one attempt at one source gave no file; `resumable` if asking again may continue it."""

    def __init__(self, why: str, resumable: bool = False):
        super().__init__(why)
        self.resumable = resumable


def fetch(
    urls, path, *, sha256: str, size: int | None = None, timeout: float = 30, instead: str = ""
) -> Path:
    """Return `path`, downloaded from the first of the `urls` that gives the right bytes, unless it is there.

    Parameters
    ----------
    urls : sequence of str
        Where the same file can be had, best first.
    path : path-like
        Where to keep it. A file of that name with the wrong checksum is replaced.
    sha256 : str
        Hexadecimal digest of the whole file.
    size : int, optional
        Its bytes, for the progress bar, the messages, and to stop a source that sends more.
    timeout : float
        Seconds without an answer or a byte after which a source is given up; so is one that gave fewer than `SLOWEST` bytes
        a second for so long.
    instead : str
        What else the person could do ("or ..."), added to the messages.

    Raises
    ------
    MissingFileError
        If ROBUSTSHAPE_OFFLINE forbids the download.
    DownloadError
        If no source gave the file; what has arrived is kept and the next call continues it.
    StoreError
        If the disk is full or the folder cannot be written.
    """
    path, urls = Path(path), list(urls)
    if has_checksum(path, sha256):
        return path
    amount = f"{size:,} bytes" if size else "size unknown"
    by_hand = f"put the file ({amount}, sha256 {sha256}) from {urls[0]} at {path}"
    advice = ", ".join(filter(None, (by_hand, instead)))
    if offline():
        state = "is damaged (wrong checksum)" if path.exists() else "is not on this machine"
        raise MissingFileError(
            f"{path} {state} and ROBUSTSHAPE_OFFLINE forbids the download; unset it, or {advice}"
        )
    part, failures = path.with_name(path.name + ".part"), []
    with _writing(path), _alone(path):
        if has_checksum(path, sha256):  # another process fetched it while this one waited
            return path
        for url in urls:
            why = _try_source(url, part, sha256, size, timeout)
            if why is None:
                os.replace(part, path)
                return path
            failures.append(f"{url}: {why}")
    raise DownloadError(
        f"could not download {path.name}: {'; '.join(failures)}. Try again later (it continues), or {advice}"
    )


def hugging_face() -> str:
    """Return the address of the hub of Hugging Face, or of the mirror that its libraries are told of."""
    return os.environ.get("HF_ENDPOINT") or "https://huggingface.co"


def check_answers(url: str, instead: str, *, seconds: float = 8) -> None:
    """Raise DownloadError unless the host of `url` answers anything within so many seconds; `instead` says what else to do.

    The libraries of hubs try for minutes, and a name server may take as long.
    """
    import threading
    from urllib.error import HTTPError
    from urllib.parse import urlsplit
    from urllib.request import Request, urlopen

    host, why = urlsplit(url).netloc, [f"no answer within {seconds:g} s"]

    def ask():
        try:
            urlopen(
                Request(url, method="HEAD", headers={"User-Agent": "robustshape"}), timeout=seconds
            ).close()
            why[0] = ""
        except HTTPError:
            why[0] = ""
        except Exception as error:  # whatever it is, there was no answer
            why[0] = _words(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    if why[0]:
        raise DownloadError(
            f"{host} cannot be reached ({why[0]}); check the network and try again, or {instead}"
        )


def has_checksum(path, sha256: str) -> bool:
    """Return whether `path` is a file with this SHA-256."""
    path = Path(path)
    if not path.is_file():
        return False
    with reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _try_source(url: str, part: Path, sha256: str, size: int | None, timeout: float) -> str | None:
    """Fill `part` from one source; return None if it is now right, else why not."""
    for _ in range(TRIES):
        resumed = part.stat().st_size if part.exists() else 0
        try:
            if not (size and resumed == size):
                _receive(url, part, size, timeout)
        except _Refused as refusal:
            why = str(refusal)
            if refusal.resumable and part.stat().st_size > resumed:
                continue
            return why
        if has_checksum(part, sha256):
            return None
        why = f"wrong checksum ({part.stat().st_size:,} bytes arrived)"
        part.unlink()
        if not resumed:  # a whole wrong file; otherwise the kept beginning may have been the fault
            return why
    return why


def _receive(url: str, part: Path, size: int | None, timeout: float) -> None:
    """Append what `part` still lacks; raise _Refused where the source fails or stops early."""
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    from tqdm import tqdm

    have = part.stat().st_size if part.exists() else 0
    if size and have > size:
        have = 0
    headers = {"User-Agent": "robustshape", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        answer = urlopen(Request(url, headers=headers), timeout=timeout)
    except HTTPError as error:
        if error.code == 416 and have:  # nothing after what we have: keep it only if the checksum says so
            return
        raise _Refused(f"HTTP {error.code} {error.reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise _Refused(_words(error)) from error
    with answer:
        if have and answer.status != 206:  # the source cannot resume and sends the whole
            have = 0
        length = answer.headers.get("Content-Length") or ""
        whole = have + int(length) if length.isascii() and length.isdigit() and len(length) < 19 else size
        pace = _Pace(timeout)
        with (
            open(part, "ab" if have else "wb") as file,
            tqdm(
                total=whole, initial=have, unit="B", unit_scale=True, desc=part.stem, file=sys.stderr
            ) as progress,
        ):
            while True:
                try:
                    block = answer.read1(BLOCK)  # what is there: to fill the block may take for ever
                except (OSError, HTTPException) as error:
                    raise _Refused(
                        f"cut short after {have:,} bytes ({_words(error)})", resumable=True
                    ) from error
                if not block:
                    break
                have += len(block)
                if have > (size or MOST):
                    raise _Refused(
                        f"more than the {'expected' if size else 'allowed'} {size or MOST:,} bytes"
                    )
                file.write(block)
                progress.update(len(block))
                if pace.too_slow(len(block)):
                    raise _Refused(
                        f"fewer than {SLOWEST:,} bytes a second for {timeout:g} s ({have:,} arrived)"
                    )
    if whole and have < whole:
        raise _Refused(f"cut short after {have:,} of {whole:,} bytes", resumable=True)


class _Pace:
    """Whether a source gives its bytes fast enough, looked at every so many seconds."""

    def __init__(self, seconds: float):
        self.seconds, self.began, self.got = seconds, time.monotonic(), 0

    def too_slow(self, new: int) -> bool:
        self.got, took = self.got + new, time.monotonic() - self.began
        if took < self.seconds:
            return False
        slow = self.got < SLOWEST * took
        self.began, self.got = time.monotonic(), 0
        return slow


@contextmanager
def _writing(path: Path):
    """Make the folder; turn every failure to write into words that name the file and the next step."""
    import errno
    import shutil

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except StoreError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            free = shutil.disk_usage(path.parent).free
            raise StoreError(
                f"the disk is full: {path} could not be written ({free:,} bytes free); make room and run again "
                "(the download continues), or set ROBUSTSHAPE_CACHE to a folder on another disk"
            ) from error
        raise StoreError(
            f"{path} cannot be written ({_words(error)}); set ROBUSTSHAPE_CACHE to a folder that can"
        ) from error


@contextmanager
def _alone(path: Path):
    """Hold the lock of a download; the system drops it with the process, however that ends."""
    import fcntl

    with open(path.with_name(path.name + ".lock"), "w") as lock:
        with suppress(OSError):  # a file system without locks: the checksum still decides
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _words(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return str(reason) or type(error).__name__
