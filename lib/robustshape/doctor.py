"""What this machine has and what it lacks: versions, hardware, disk, data sets and weights, and how to get them."""

import itertools
import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from robustshape.errors import InputError
from robustshape.paths import cache_dir, checkout, data_dirs, device, offline, project_root
from robustshape.store import shared

PACKAGES = (
    "robustshape", "torch", "torchvision", "timm", "open-clip-torch", "numpy", "scipy", "scikit-learn", "pandas",
    "xarray", "zarr", "dask", "matplotlib", "seaborn", "papermill", "jupyter-book",
)  # fmt: skip
OPTIONAL = {"robustbench": "not installed; only models called robustbench:... need it: make robustbench"}
NVIDIA_DEVICES = ("/dev/nvidiactl", "/dev/dxg")  # Linux itself, Linux inside Windows
WEIGHTS = (".safetensors", ".pt", ".pth", ".pkl")
DEPTH, FOLDERS = 2, 2_000  # how far below a data folder, and in how many, weights are looked for


def installed() -> dict[str, str]:
    """Return the version of Python and of every package that a result depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "missing: run make, or pip install -r requirements.lock"
    for package, advice in OPTIONAL.items():
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = advice
    return found


def cpu_model() -> str:
    """Return the processor's name as its maker writes it, or its architecture where that cannot be read."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def cores() -> int:
    """Return how many cores this process may use, which containers often limit."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def hardware() -> dict[str, str]:
    """Return system, processor, cores, memory, accelerator, and on which of them networks run."""
    import psutil

    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": cpu_model(),
        "cores": str(cores()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "accelerator": accelerator(),
        "networks run on": chosen_device(),
    }


def accelerator() -> str:
    """Return the name of the accelerator that torch would use, or ``none``."""
    if platform.system() == "Linux" and not any(os.path.exists(device) for device in NVIDIA_DEVICES):
        return "none"  # torch would find the same after seconds of importing
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    return "Apple GPU" if torch.backends.mps.is_available() else "none"


def chosen_device() -> str:
    """Return the device that networks are trained and run on, or why there is none.

    >>> chosen_device().split()[0]
    'cpu'
    """
    try:
        chosen = device()
    except InputError as error:
        return f"missing: {error}"
    idle = chosen == "cpu" and accelerator() not in ("none", "Apple GPU")
    return f"{chosen} (on the accelerator with ROBUSTSHAPE_DEVICE=cuda)" if idle else chosen


def places() -> dict[str, str]:
    """Return where the library looks and writes, and how much room is left there."""
    cache, at = cache_dir(), shared.state()
    free = shutil.disk_usage(cache).free / 2**30
    searched = (
        ", ".join(map(str, data_dirs())) or "none (set ROBUSTSHAPE_DATA to the folders of your own data)"
    )
    return {
        "project": _project(),
        "cache": f"{at and at + '; copies here in '}{cache}, {free:.0f} GiB free"
        + (" (a preset may need 5)" if free < 5 else ""),
        "searched for data": searched,
        "downloads": "forbidden by ROBUSTSHAPE_OFFLINE" if offline() else "allowed",
    }


def _project() -> str:
    carried = project_root()
    if carried is None or carried == checkout():
        return str(
            carried or "missing: only the library is installed; install it from a clone of the project"
        )
    return f"{carried}, installed: the notebooks run; the book and publishing need a clone"


def data_sets() -> dict[str, str]:
    """Return for every data set where it was found, or how to get it."""
    from robustshape import datasets

    return {
        name: str(entry["place"]) if entry["place"] else f"missing: {entry['get']}"
        for name, entry in datasets.found().items()
    }


def weights() -> dict[str, str]:
    """Return the weight files found under the data folders, subfolders too; our own networks need none."""
    names = {}  # of each file its name in the innermost data folder that holds it
    for folder in data_dirs():
        names |= {path: path.relative_to(folder).as_posix() for path in _weight_files(folder)}
    found = {}
    for path, name in names.items():
        found.setdefault(name, f"{path.parent}, {path.stat().st_size / 2**20:.1f} MiB")
    return dict(sorted(found.items())) or {
        "own": "none; the networks called zoo:... are trained here and need none"
    }


def _weight_files(folder: Path) -> list[Path]:
    """Return the weight files in a folder and up to DEPTH below it."""
    found = []
    for above, inside, files in itertools.islice(os.walk(folder), FOLDERS):
        deep = len(Path(above).relative_to(folder).parts)
        inside[:] = sorted(name for name in inside if not name.startswith(".")) if deep < DEPTH else []
        found += [Path(above, file) for file in files if Path(file).suffix in WEIGHTS]
    return [path for path in found if path.is_file()]


def facts() -> dict[str, dict[str, str]]:
    """Return everything above, by heading; a value that starts with ``missing`` says how to get it."""
    return {
        "versions": installed(),
        "hardware": hardware(),
        "places": places(),
        "data sets": data_sets(),
        "weights": weights(),
    }


def report() -> str:
    """Return `facts` as text, and in the last line what is missing.

    >>> report().splitlines()[0]
    'versions'
    """
    found, text = facts(), []
    for heading, values in found.items():
        text += [heading, *(f"  {name:<18} {value}" for name, value in values.items()), ""]
    missing = [
        name for values in found.values() for name, value in values.items() if value.startswith("missing")
    ]
    text.append(
        f"missing: {', '.join(missing)} (see above how to get each)" if missing else "nothing is missing"
    )
    return "\n".join(text)
