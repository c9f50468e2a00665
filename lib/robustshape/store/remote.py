"""The object store in which a cache at an address lies: whole files put, read, copied and removed, and never waited for in silence.

Every call has a time within which it must be done, by the bytes it moves: a server that takes a connection and says nothing
would otherwise hold a run for as long as its library tries again, some minutes.
"""

import contextlib
import errno
import functools
import os
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

from robustshape.errors import StoreError
from robustshape.paths import cache_address, cache_dir, offline

ANSWER, QUIET = 10.0, 5.0  # s: that a first answer may take; after which whoever waits is told
PATIENCE, PACE = 60.0, 50_000  # s that a call may take, and one more for each so many bytes
OF_THIS_MACHINE = {  # errors of files here, not of the store
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR,
}  # fmt: skip
_ONE = threading.Lock()


class Refused(StoreError):
    """The store may be read and not written."""


class Remote:
    """The files of an object store below an address, by their names there."""

    def __init__(self, address: str):
        import fsspec

        self.address = address
        connect = functools.partial(fsspec.url_to_fs, address, use_listings_cache=False)
        self.files, root = self._within(lambda: self._answered(*connect()), ANSWER)
        self.root = root.rstrip("/")

    @staticmethod
    def _answered(files, root: str):
        files.exists(root)
        return files, root

    def content(self, name: str) -> bytes | None:
        """Return what a small file holds, or None where there is none."""
        try:
            return self._within(lambda: self.files.cat_file(f"{self.root}/{name}"), PATIENCE)
        except FileNotFoundError:
            return None

    def put(self, given: dict[str, Path]) -> None:
        """Copy files there, each under its name; raise Refused where none may be written."""
        there = [f"{self.root}/{name}" for name in given]
        here = [str(path) for path in given.values()]
        seconds = PATIENCE + sum(map(os.path.getsize, here)) / PACE
        self._written(lambda: self.files.put(here, there), seconds)

    def get(self, wanted: dict[str, Path]) -> None:
        """Copy files from there to where they belong here; one that is not there is left out."""
        there, here = [f"{self.root}/{name}" for name in wanted], [str(path) for path in wanted.values()]
        sizes = []
        with contextlib.suppress(FileNotFoundError):
            sizes = self._within(lambda: self.files.sizes(there), PATIENCE)
        with contextlib.suppress(FileNotFoundError):
            self._within(lambda: self._copied(there, here), PATIENCE + sum(sizes) / PACE)

    def _copied(self, there: list[str], here: list[str]) -> None:
        with (
            contextlib.nullcontext() if self.files.async_impl else _ONE
        ):  # memory:// has one position for all readers
            self.files.get(there, here)

    def remove(self, name: str) -> None:
        """Remove a file that is there; raise Refused where none may be."""
        with contextlib.suppress(FileNotFoundError):
            self._within(lambda: self.files.rm_file(f"{self.root}/{name}"), PATIENCE)

    def check(self) -> None:
        """Raise StoreError unless a file can be written, read and removed there."""
        name = f".robustshape-{uuid.uuid4().hex}"
        self._written(lambda: self.files.pipe_file(f"{self.root}/{name}", b"tried"), PATIENCE)
        if self.content(name) != b"tried":
            raise StoreError(self._unusable("what was written there could not be read"))
        self.remove(name)

    def _written(self, call: Callable, seconds: float) -> None:
        try:
            self._within(call, seconds)
        except FileNotFoundError as error:  # no such bucket
            raise StoreError(self._unusable(error)) from error

    def _within(self, call: Callable, seconds: float):
        """Return what a call returns, or say in words that it failed, or took longer."""
        found, done = [], threading.Event()

        def made():
            try:
                found.append((call(), None))
            except BaseException as error:
                found.append((None, error))
            done.set()

        threading.Thread(target=made, daemon=True).start()  # one that never ends is left behind
        if not done.wait(min(QUIET, seconds)) and seconds > QUIET:
            print(f"waiting for {self.address}", flush=True)
            done.wait(seconds - QUIET)
        if not found:
            raise StoreError(self._unusable(f"no answer within {seconds:.3g} s"))
        result, error = found[0]
        if isinstance(error, PermissionError):
            raise Refused(self._unusable(error)) from error
        if isinstance(error, StoreError | FileNotFoundError) or getattr(error, "errno", 0) in OF_THIS_MACHINE:
            raise error
        if error is not None:  # of whatever library speaks the protocol
            raise StoreError(self._unusable(error)) from error
        return result

    def _unusable(self, error) -> str:
        return (
            f"the cache at {self.address} cannot be used ({str(error) or type(error).__name__}); see to the address and to "
            f"its credentials, or set ROBUSTSHAPE_OFFLINE=1 to go on without; what is finished is kept in {cache_dir()}"
        )


def remote() -> Remote | None:
    """Return the store at the cache's address; None where the cache is a folder, or connections are forbidden."""
    address = cache_address()
    return _remote(address) if address and not offline() else None


_remote = functools.lru_cache(maxsize=4)(Remote)
os.register_at_fork(after_in_child=_remote.cache_clear)  # connections are their process's own
