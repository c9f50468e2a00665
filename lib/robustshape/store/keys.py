"""The key of a stored entry: a hash of what defines its numbers, and of nothing else.

Commit, versions, device and time are provenance: they stand beside the numbers and never enter a key,
so that two machines agree on it. A change of algorithm raises the ``version`` in the specification.
"""

import hashlib
import json

from robustshape.errors import InputError


def key_of(spec: dict) -> str:
    """Return 32 hex digits that depend only on the content of `spec`.

    Parameters
    ----------
    spec : dict
        JSON-able: strings, numbers, booleans, None, lists, tuples and dictionaries of them.

    Raises
    ------
    InputError
        If a value is not JSON-able, or is NaN or infinite.

    Examples
    --------
    >>> key_of({"model": "zoo:lenet", "seed": 0}) == key_of({"seed": 0, "model": "zoo:lenet"})
    True
    """
    try:
        text = json.dumps(spec, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"a key is made of plain JSON values, but was given {spec!r} ({error})") from error
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def since(name: str, version: int, first: int) -> dict:
    """Return ``{name: version}`` once a version is no longer the `first` that counted, so that earlier keys stay.

    >>> since("study version", 2, 2), since("study version", 3, 2)
    ({}, {'study version': 3})
    """
    return {name: version} if version != first else {}


def ids_hash(ids) -> str:
    """Return 16 hex digits for a sequence of sample ids, in their order.

    >>> ids_hash(["a", "b"]) == ids_hash(["b", "a"])
    False
    """
    return hashlib.blake2b("\n".join(map(str, ids)).encode(), digest_size=8).hexdigest()
