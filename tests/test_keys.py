"""Keys of entries: of what defines them alone."""

import pytest

from robustshape.errors import InputError
from robustshape.store.keys import ids_hash, key_of, since


def test_key_depends_on_content_alone():
    assert key_of({"a": 1, "b": [1, 2]}) == key_of({"b": (1, 2), "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2}) != key_of({"b": 1})
    assert len(key_of({})) == 32


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
def test_key_refuses_what_is_not_plain(value):
    with pytest.raises(InputError, match="plain JSON values"):
        key_of({"value": value})


def test_ids_hash_depends_on_order():
    assert ids_hash(["a", "b"]) != ids_hash(["b", "a"]) != ids_hash(["ab"])


def test_a_version_enters_a_key_once_it_is_raised():
    first, raised = key_of({"a": 1} | since("version", 3, 3)), key_of({"a": 1} | since("version", 4, 3))
    assert first == key_of({"a": 1}) != raised == key_of({"a": 1, "version": 4})
