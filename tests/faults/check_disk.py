"""A disk that is full or cannot be written: words, nothing half-made, and a run that goes on when there is room again."""

from faulty import in_namespace

FULL = """
import os, subprocess, sys
from pathlib import Path

import xarray
from faulty import handed, measured
from robustshape.errors import StoreError

place = Path(sys.argv[1])
rows = handed(Path(sys.argv[2]))
for room in (0, 16, 256, 768, 1536, 3072):  # KiB
    disk = place / f"disk{room}"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk], check=True)
    with open(disk / "filler", "wb") as filler:
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
        filler.write(bytes(free - room * 1024))
    said = ""
    try:
        measured(disk / "cache")
    except StoreError as error:
        said = str(error)
    assert not said or "the disk is full while writing" in said, said
    half = [path for path in disk.rglob(".*.tmp")]
    assert not half, half
    (disk / "filler").unlink()
    xarray.testing.assert_identical(measured(disk / "cache"), rows)
    print("FOUND", room, "said" if said else "enough room")
"""


def test_a_full_disk(right, tmp_path, record_property):
    said = in_namespace(FULL, tmp_path, str(right[1].parent / "rows"))
    found = [line.split(" ", 2)[1:] for line in said.splitlines() if line.startswith("FOUND")]
    assert len(found) == 6 and ["0", "said"] in found
    full = [room for room, what in found if what == "said"]
    record_property("full disks (KiB of room): said, and rows equal when there is room", ", ".join(full))


READ_ONLY = """
import contextlib, io, os, subprocess, sys
from pathlib import Path

from robustshape.book import evidence, runs
from robustshape.book.runs import Run
from robustshape.cli import main
from robustshape.paths import checkout
from robustshape.store import sealed

place = Path(sys.argv[1])
disk, here = place / "disk", place / "here"
disk.mkdir(), here.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], check=True)
os.chdir(here)
os.environ["ROBUSTSHAPE_CACHE"] = str(disk / "cache")
run = ["run", "kstar_skewness", "--preset", "smoke"]
assert main(run) == 0
shown = Run("kstar_skewness", "smoke", "measure", "laptop")
path, now = runs.execute(shown)
assert now
lines = evidence.evidence(checkout())
before = sorted((str(p), p.stat().st_mtime_ns) for p in disk.rglob("*") if p.is_file())
subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

assert main([*run, "-o", "out.ipynb"]) == 0 and (here / "out.ipynb").is_file()
assert main(run) == 0 and (here / "kstar_skewness.smoke.ipynb").is_file()
assert main(["results", "kstar_skewness", "--preset", "smoke", "--csv", "rows.csv"]) == 0
assert (here / "rows.csv").read_text().count("\\n") > 2
assert main(["doctor"]) == 0
assert runs.execute(shown) == (path, False)
assert evidence.evidence(checkout()).equals(lines)
sealed.note(disk / "cache" / "book" / "times.json", {})
assert main(["run", "kstar_skewness", "--preset", "smoke", "-p", "n_samples", "61", "-o", "no.ipynb"]) == 2
assert before == sorted((str(p), p.stat().st_mtime_ns) for p in disk.rglob("*") if p.is_file())
print("FOUND run, results, doctor, book")
"""


def test_a_read_only_disk(tmp_path, record_property):
    said = in_namespace(READ_ONLY, tmp_path)
    [found] = [line.removeprefix("FOUND ") for line in said.splitlines() if line.startswith("FOUND")]
    record_property("read-only disk with a finished cache serves", found)
