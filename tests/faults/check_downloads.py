"""A server that sends slowly, too little, too much, nonsense or refusals: the right bytes in the end, or words."""

import numpy as np

from robustshape.errors import DownloadError
from test_download import BODY, get, server  # noqa: F401 (a fixture)

PAGES = [
    "good",
    "cut",
    "stuck",
    "wrong",
    "longer",
    "missing",
    "silent",
    "never",
    "whole-only",
    "nonsense",
    "negative",
    "endless",
    "huge",
    "garbled",
    "chunk-length",
    "chunk-cut",
    "drip",
]


def test_any_order_of_misbehaviour(server, tmp_path, record_property):  # noqa: F811
    rng, whole, refused = np.random.default_rng(0), 0, 0
    for turn in range(60):
        path = tmp_path / str(turn) / "x.gz"
        path.parent.mkdir()
        if turn % 3:
            have = int(rng.integers(1, len(BODY) + 9))
            begun = BODY[:have] if turn % 2 else rng.bytes(have)
            (path.parent / "x.gz.part").write_bytes(begun)
        pages = rng.choice(PAGES, 3)
        try:
            get(server, path, *pages, size=None if turn % 4 == 3 else len(BODY), timeout=0.4)
            whole += 1
        except DownloadError as error:
            assert "could not download x.gz" in str(error) and "by_hand" not in str(error)
            assert not path.exists()
            refused += 1
            get(server, path, "good", timeout=5)
        assert path.read_bytes() == BODY
    assert whole and refused
    record_property("downloads from bad servers: whole, refused in words, wrong", f"{whole}, {refused}, 0")
