"""Run every bench, print one table of what is wanted and what was found, and add it to data/speed.csv.

python tests/bench [NAME]...      NAME such as kstar: that bench alone; its rows are kept like the others
python tests/bench --quick        tries that all run; its numbers say little and are not kept
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from rows import GATHERED, met

from robustshape.book import speed
from robustshape.store.provenance import commit

HERE = Path(__file__).parent
QUICK = {"blocks", "kstar", "selectivity", "generator"}  # benches that know --quick


def gathered(name: str, quick: bool) -> tuple[list[dict], int]:
    """Run one bench; return its rows, and its exit status."""
    call = [sys.executable, str(HERE / f"bench_{name}.py"), *(["--quick"] if quick and name in QUICK else [])]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        file.touch()
        before = os.getloadavg()[0]
        status = subprocess.run(call, env=os.environ | {GATHERED: str(file)}).returncode
        load = round(max(before, os.getloadavg()[0]), 1)
        found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [{"bench": name, "load": load, **line} for line in found], status


def main() -> int:
    """Run the benches; return 1 if one of them failed."""
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[*known, []], metavar="NAME", help=", ".join(known))
    parser.add_argument("--quick", action="store_true", help="try that all run; nothing is kept")
    given = parser.parse_args()
    tables, broken = [], []
    for name in given.names or known:
        print(f"\n== {name}", flush=True)
        found, status = gathered(name, given.quick)
        broken += [name] if status else []
        if found:
            table = pd.DataFrame(found)
            table["met"] = [met(value, wanted) for value, wanted in zip(table["value"], table["wanted"])]
            tables.append(table)
            if not given.quick:
                today = datetime.date.today().isoformat()
                speed.keep(table.assign(date=today, commit=commit(), **speed.machine()))
    if tables:
        table = pd.concat(tables)
        print("\n== all\n" + table.to_string(index=False, float_format=speed.shown))
        print(f"{table['met'].sum()} of {len(table)} as wanted")
    if broken:
        print(f"failed: {', '.join(broken)}", file=sys.stderr)
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
