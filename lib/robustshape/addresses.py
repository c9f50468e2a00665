"""Addresses of object stores, in which the cache may lie in place of a folder; no connection is opened here."""

import functools
import hashlib
import re

from robustshape.errors import InputError

OBJECT_STORES = ("s3", "gs", "az", "abfs", "oss", "oci", "tos", "memory")  # of fsspec; the last is for tests


@functools.cache
def checked(given: str) -> str:
    """Return what may be a cache's address, or "" for the name of a folder.

    Raises
    ------
    InputError
        If it is an address, but of no object store, or with a password in it.

    Examples
    --------
    >>> checked("S3://lab/robustness/"), checked("~/a folder"), checked("C:/cache")
    ('s3://lab/robustness', '', '')
    """
    protocol, colon, rest = given.partition(":")
    protocol = protocol.lower()
    if not colon or not re.fullmatch(r"[a-z][a-z0-9+.-]+", protocol):
        return ""
    from fsspec import available_protocols

    known = protocol in available_protocols()
    if not known and not rest.startswith("/"):
        return ""  # a folder with a colon in its name
    why = ""
    if protocol in ("file", "local"):
        why = "is a folder of this machine: give the folder itself"
    elif protocol not in OBJECT_STORES:
        why = (
            f"is {'no object store, in which a file is whole or not there' if known else 'of an unknown protocol'}: give an "
            f"address that begins with {', '.join(f'{name}://' for name in OBJECT_STORES[:-1])}"
        )
    elif not re.fullmatch(r"//[^/].*", rest):
        why = "names no place: give one such as s3://bucket/folder"
    elif re.search(r":.*@", rest):
        why = "has a password in it, which messages would show: keep it in the settings of fsspec"
    if why:
        shown = re.sub(r"//.*@", "//...@", given)
        raise InputError(f"ROBUSTSHAPE_CACHE, {shown!r}, {why}")
    return f"{protocol}:{rest.rstrip('/')}"


def folder_of(address: str) -> str:
    """Return the name of the folder in which a machine keeps its copy of the cache at an address.

    >>> folder_of("s3://lab/robustness")
    's3-lab-robustness-618b3a58'
    """
    digest = hashlib.sha256(address.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^0-9A-Za-z]+', '-', address)[:80]}-{digest}"
