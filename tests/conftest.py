"""For every test and the processes it starts: no network, a cache of its own, one thread, no window."""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

OFFLINE = str(Path(__file__).parent / "offline")
if str(getattr(sys.modules.get("sitecustomize"), "__file__", "")).startswith(OFFLINE) is False:
    # Here it is imported by hand; processes that tests start find it through PYTHONPATH.
    sys.modules.pop("sitecustomize", None)
    sys.path.insert(0, OFFLINE)
    import sitecustomize  # noqa: F401

CACHE = tempfile.mkdtemp(prefix="robustshape-tests-")
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)
for name in ("ROBUSTSHAPE_DATA", "ROBUSTSHAPE_DEVICE"):
    os.environ.pop(name, None)
os.environ |= {
    "PYTHONPATH": os.pathsep.join(filter(None, [OFFLINE, os.environ.get("PYTHONPATH")])),
    "ROBUSTSHAPE_CACHE": CACHE,
    "ROBUSTSHAPE_OFFLINE": "1",
    "MPLBACKEND": "Agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Iterator[Path]:
    """Give a test an empty cache, and no network that another test left in memory."""
    from robustshape.models import network

    network._kept.cache_clear()
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "cache"))
    yield tmp_path / "cache"
    network._kept.cache_clear()


@pytest.fixture
def data_folder(cache, tmp_path, monkeypatch) -> Path:
    """Give a test an empty data folder, and an empty cache."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def pytest_report_header() -> str:
    return f"connections beyond this machine are refused; cache {CACHE}"
