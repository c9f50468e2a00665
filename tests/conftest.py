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


@pytest.fixture(autouse=True)
def figures_are_closed():
    """Let no test see the figures of another, of which too many are a warning."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


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


@pytest.fixture
def photos(data_folder):
    """Return a function of a reading that selects four photographs of three of ImageNet's classes.

    Their brightness is 0.31, 0.51 and 0.98 of 1; the last is bright in its middle alone, so that a crop sees another.
    """
    import numpy as np
    from PIL import Image

    from networks import WNIDS
    from robustshape.datasets.selection import Selection, _load

    middle = np.zeros((256, 256, 3), np.uint8)
    middle[72:184, 72:184] = 255  # a quarter of the 224 px that frame224 leaves, all of the middle of those
    values = [("a", 0, 0.31 * 255), ("b", 1, 130), ("c", 2, 250), ("d", 2, middle)]
    for name, label, value in values:
        folder = data_folder / "photos" / WNIDS[label]
        folder.mkdir(parents=True, exist_ok=True)
        image = np.zeros((256, 256, 3)) + value
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{name}.png")
    _load.cache_clear()
    yield lambda reading: Selection.parts("imagefolder:photos", (4,), seed=0, reading=reading)[0]
    _load.cache_clear()


def pytest_report_header() -> str:
    return f"connections beyond this machine are refused; cache {CACHE}"
