"""Every byte of one small store of each kind is changed: it is noticed, or what is read is the same."""

import itertools

import pytest

from robustshape.errors import StoreError
from test_flips import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_byte(kind, tmp_path, record_property):
    write, read = KINDS[kind]
    path = tmp_path / "store.safetensors"
    write(path)
    whole = read(path)
    files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.is_file())
    contents = {file: file.read_bytes() for file in files}
    noticed = harmless = 0
    bits = itertools.cycle(range(8))
    for name, content in contents.items():
        for at in range(len(content)):
            for file, right in contents.items():
                if not file.exists() or file == name:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(right)
            name.write_bytes(content[:at] + bytes([content[at] ^ 1 << next(bits)]) + content[at + 1 :])
            try:
                found = read(path)
            except StoreError:
                noticed += 1
            else:
                assert found == whole, f"byte {at} of {name} changed what is read and nobody noticed"
                harmless += 1
        if name.exists():
            name.write_bytes(content)
    assert noticed
    record_property(
        f"flips, {kind}: bytes, noticed, harmless, unnoticed",
        (f"{noticed + harmless:,}, {noticed:,}, {harmless}, 0"),
    )
