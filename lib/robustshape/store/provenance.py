"""Where a number comes from: code, versions, device, precision, time. Beside the numbers, never in a key."""

import functools
import hashlib
import json
import subprocess
from importlib.metadata import version
from pathlib import Path

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
    ask = functools.partial(subprocess.run, capture_output=True, text=True, timeout=30, check=True)
    try:
        inside = ask(["git", "-C", root, "rev-parse", "--show-prefix"]).stdout.strip()
        name = ask(["git", "-C", root, "rev-parse", "--short=12", "HEAD"]).stdout.strip()
        changed = ask(["git", "-C", root, "status", "--porcelain", "-uno"]).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
    return "" if inside else name + ("+" if changed else "")  # inside another repository it is not its commit


@functools.cache
def code() -> str:
    """Return which code runs: the commit, or where there is no git the version and a hash of the package's files."""
    return commit() or f"robustshape {version('robustshape')} {package_hash()}"


def package_hash() -> str:
    """Return 16 hex digits for the Python files of the package, by name and content."""
    folder, digest = Path(__file__).parents[1], hashlib.blake2b(digest_size=8)
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def provenance(device: str = "cpu", precision: str = "float32", **more) -> dict:
    """Return what is said beside every result, JSON-able; `more` is added, such as seconds. A row holds it as text.

    >>> sorted(provenance(seconds={"row": 0.5}))
    ['code', 'device', 'precision', 'seconds', 'versions']
    """
    return {"code": code(), "versions": versions(), "device": device, "precision": precision} | more


def read(row) -> dict:
    """Return the provenance of one row of a study."""
    return json.loads(str(row["provenance"].values))
