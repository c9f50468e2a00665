"""Small JSON that is noted and read again, such as what the latest run asked for, with a checksum of its own.

{"sha256": "...", "content":
...}

A note that is damaged is named and made again, and none is worth ending a run for where nothing may be written.
"""

import hashlib
import json
import re
from pathlib import Path

from robustshape.errors import DamagedError, ReadOnlyError
from robustshape.store.atomic import discard, write_file
from robustshape.store.failures import ABSENT, reading


def _sealed(body: bytes) -> bytes:
    return b'{"sha256": "%s", "content":\n%s}\n' % (hashlib.sha256(body).hexdigest().encode(), body)


def note(path: Path, content) -> None:
    """Write what JSON can hold, in one step; where it stands there already or nothing may be written, nothing is.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     note(Path(folder) / "pace.json", {"networks": 7.0})
    ...     noted(Path(folder) / "pace.json")
    {'networks': 7.0}
    """
    data = _sealed(json.dumps(content, ensure_ascii=False).encode())
    try:
        if path.read_bytes() == data:
            return
    except OSError:  # none yet, or whatever hinders the writing too
        pass
    try:
        with write_file(path) as temporary:
            temporary.write_bytes(data)
    except ReadOnlyError as error:
        print(f"this is not noted: {error}", flush=True)


def read(path: Path):
    """Return the content of a note, or None where there is none.

    Raises
    ------
    DamagedError
        If it is not as it was written: which, and what was expected.
    StoreError
        If it cannot be read.
    """
    with reading(path):
        try:
            data = path.read_bytes()
        except ABSENT:
            return None
    return opened(data, path)


def opened(data: bytes, path):
    """Return the content of a note that was read already; raise DamagedError, which names its `path`, if it is damaged."""
    body = data.partition(b"\n")[2].removesuffix(b"}\n")
    if data != _sealed(body):
        said = re.match(rb'{"sha256": "([0-9a-f]{16})', data)
        expected = said[1].decode() if said else "one before it, where there is none"
        raise DamagedError(
            f"{path} is damaged: it is not as it was written (the sha256 of its content is "
            f"{hashlib.sha256(body).hexdigest()[:16]}, expected {expected}); delete the file"
        )
    return json.loads(body)


def noted(path: Path):
    """Return the content of a note, or None where there is none; a damaged one is named and removed."""
    try:
        return read(path)
    except DamagedError as error:
        discard(path, error)
        return None
