"""Where a number comes from: versions, commit, device, precision. Beside the numbers, never in a key."""

import functools
import subprocess
from importlib.metadata import version

from robustshape.paths import checkout

PACKAGES = ("robustshape", "torch", "torchvision", "timm", "numpy", "scipy", "scikit-learn", "xarray", "zarr")


@functools.cache
def versions() -> str:
    """Return the versions of the packages that numbers pass through, ``name version`` each."""
    return ", ".join(f"{package} {version(package)}" for package in PACKAGES)


@functools.cache
def commit() -> str:
    """Return the short commit of the project, with ``+`` if tracked files differ; '' outside a clone."""
    root = checkout()
    if root is None:
        return ""
    try:
        name = subprocess.run(
            ["git", "-C", root, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, timeout=10
        )
        changed = subprocess.run(
            ["git", "-C", root, "status", "--porcelain", "-uno"], capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return name.stdout.strip() + ("+" if changed.stdout.strip() else "") if name.returncode == 0 else ""


def provenance(device: str = "cpu", precision: str = "float32") -> dict[str, str]:
    """Return what every result row carries beside its numbers."""
    return {"versions": versions(), "commit": commit(), "device": device, "precision": precision}
