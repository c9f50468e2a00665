"""Where things lie and where networks run: the project, the cache, the reader's own data; all from the environment.

ROBUSTSHAPE_DATA     folders searched for data sets and weights, ``:``-separated; each is searched in
                     itself and in its ``datasets/`` and ``weights/``
ROBUSTSHAPE_CACHE    where downloads, trained networks, features and your own results are kept
                     (default: ``data/cache`` of the clone, or ``~/.cache/robustshape`` outside a clone);
                     or an address such as ``s3://bucket/folder``, where what is finished is then shared, see
                     `robustshape.store.shared`
ROBUSTSHAPE_COPIES   the folder of this machine in which it works on a cache at an address (default: the folder
                     ``copies`` of the default cache)
ROBUSTSHAPE_OFFLINE  ``1``: never open a connection
ROBUSTSHAPE_TRUST_CARDS  ``1``: functions that cards name may run, see `robustshape.models.trust`
ROBUSTSHAPE_DEVICE   where networks are trained and run: ``cpu`` (the default), ``cuda``, ``cuda:1``
"""

import errno
import functools
import os
from pathlib import Path

from robustshape import addresses
from robustshape.errors import InputError, StoreError

READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)  # what a file system says where nothing may be written
INSTALLED = "project"  # the folder of this package that holds what a wheel carries, see setup.py


def checkout() -> Path | None:
    """Return the folder of the project's clone that this library is run from, or None where it is installed."""
    return _around(__file__)


@functools.cache
def _around(file: str) -> Path | None:
    for folder in Path(file).resolve().parents:
        if (folder / "_config.yml").is_file() and (folder / "notebooks").is_dir():
            return folder
    return None


def project_root() -> Path | None:
    """Return the folder with ``notebooks`` and ``data``: the clone, or what an installed package carries, or None.

    Nothing is written into what is installed; what does write asks for the clone, see `require_checkout`.
    """
    carried = Path(__file__).resolve().parent / INSTALLED
    return checkout() or (carried if (carried / "notebooks").is_dir() else None)


def require_project() -> Path:
    """Return `project_root`, or say how to get one."""
    root = project_root()
    if root is None:
        raise StoreError(
            "this needs the project's notebooks and data, but robustshape is installed without them; "
            "install it from a clone of the project (pip install PATH-OF-THE-CLONE), or run it there"
        )
    return root


def require_checkout(what: str) -> Path:
    """Return the project's clone, or say that `what`, such as ``the book``, needs one."""
    root = checkout()
    if root is None:
        raise StoreError(
            f"{what} needs a clone of the project, but this robustshape is installed without one in "
            f"{Path(__file__).resolve().parent}; clone the project and run make there"
        )
    return root


def checked_path(given, what: str) -> Path:
    """Return a path that a person gave, with ``~`` filled in, or say why there can be no file of that name.

    >>> checked_path(3, "the table")
    Traceback (most recent call last):
    robustshape.errors.InputError: the table cannot be called 3 (it is no text and no path); give another path
    """
    why = ""
    try:
        path = Path(given).expanduser()
        longest = max((len(os.fsencode(part)) for part in path.parts), default=0)
        why = (
            "it holds a zero byte"
            if "\0" in str(path)
            else f"{longest:,} bytes in one name" * (longest > 255)
        )
    except TypeError:
        why = "it is no text and no path"
    except RuntimeError:
        why = "there is no such person's home folder"
    if why:
        shown = repr(given) if len(repr(given)) < 100 else repr(given)[:97] + "..."
        raise InputError(f"{what} cannot be called {shown} ({why}); give another path")
    return path


def cache_dir(*parts: str) -> Path:
    """Return a folder under the cache, made if it can be.

    A cache that cannot be written serves what it holds; one that holds nothing then raises StoreError.
    """
    root = checkout()
    usual = root / "data" / "cache" if root else Path.home() / ".cache" / "robustshape"
    base = Path(os.environ.get("ROBUSTSHAPE_CACHE", "").strip() or usual).expanduser()
    if address := cache_address():
        copies = os.environ.get("ROBUSTSHAPE_COPIES")
        base = (Path(copies).expanduser() if copies else usual / "copies") / addresses.folder_of(address)
    folder = base.joinpath(*parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        why = None if os.access(folder, os.W_OK) else os.strerror(errno.EACCES)
        readable = _holds_something(base)
    except OSError as error:
        why, readable = error.strerror or error, error.errno in READ_ONLY and _holds_something(base)
    if why and not readable:
        raise StoreError(
            f"the cache {folder} cannot be written ({why}); set {'ROBUSTSHAPE_COPIES' if address else 'ROBUSTSHAPE_CACHE'} to "
            "a folder that can"
        )
    return folder


def cache_address() -> str:
    """Return the address that ROBUSTSHAPE_CACHE names, or "" where the cache is a folder.

    Raises
    ------
    InputError
        If it is one that cannot be a cache: of no object store, or with a password in it.
    """
    return addresses.checked(os.environ.get("ROBUSTSHAPE_CACHE", "").strip())


def _holds_something(folder: Path) -> bool:
    try:
        return any(folder.iterdir())
    except OSError:
        return False


def published_dir() -> Path:
    """Return ``data/results``, the results that come with the project."""
    return require_project() / "data" / "results"


def data_dirs() -> list[Path]:
    """Return the folders to search for local data and weights, in order, existing ones only."""
    given = [Path(p).expanduser() for p in os.environ.get("ROBUSTSHAPE_DATA", "").split(":") if p]
    folders = [folder / sub for folder in given for sub in ("", "datasets", "weights")]
    return [folder for folder in folders if folder.is_dir()]


def find_local(*relative: str) -> Path | None:
    """Return the first of the `relative` paths that exists under the data folders, or None."""
    for folder in data_dirs():
        for name in relative:
            if (folder / name).exists():
                return folder / name
    return None


def offline() -> bool:
    """Return whether connections are forbidden."""
    return os.environ.get("ROBUSTSHAPE_OFFLINE", "") not in ("", "0")


def device() -> str:
    """Return the torch device that networks are trained and run on; raise InputError if it is not there.

    Results made on another device differ in their last digits; a result says on which it was made.
    """
    return checked_device(os.environ.get("ROBUSTSHAPE_DEVICE") or "cpu", "ROBUSTSHAPE_DEVICE")


def checked_device(name, whence: str = "device") -> str:
    """Return the torch device `name` if it is one that is here; `whence` the name comes is in the words of the error."""
    name = str(name)
    if name == "cpu":
        return name
    import torch

    count = torch.cuda.device_count()
    if not count or name not in {"cuda", *(f"cuda:{number}" for number in range(count))}:
        raise InputError(
            f"{whence} is {name!r}, but must be cpu, cuda or cuda:N with N below the number of CUDA devices "
            f"here, {count}; {'unset it' if whence.isupper() else 'leave it out'} to run on the processor"
        )
    return name
