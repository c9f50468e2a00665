"""The table of speed: rows of several runs and machines, what the page shows of them, and what a bench says."""

import runpy
from pathlib import Path

import pandas as pd
import pytest

from robustshape.book import speed


def rows(machine: str, value: float, date: str = "2026-01-01", bench: str = "kstar") -> pd.DataFrame:
    line = {"date": date, "commit": "c", "machine": machine, "cores": 2, "bench": bench, "row": "k*, N = 10"}
    line |= {"against": "x a loop", "value": value, "wanted": ">= 2", "met": value >= 2, "load": 0.1}
    return pd.DataFrame([line])


@pytest.fixture
def clone(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(speed, "require_checkout", lambda what: tmp_path)
    return tmp_path


def test_runs_are_added_and_the_page_shows_the_last_of_the_machine_that_measured_last(clone):
    for found in (
        rows("a", 9.0),
        rows("b", 1.0),
        rows("b", 3.0, "2026-01-02"),
        rows("b", 1.5, bench="purity"),
    ):
        speed.keep(found)
    kept = pd.read_csv(clone / speed.FILE)
    assert kept["value"].tolist() == [9.0, 1.0, 3.0, 1.5] and kept.columns.tolist() == speed.COLUMNS
    made = speed.speed_pieces()
    assert made["generated/speed.csv"].decode().splitlines()[1:] == [
        '"k\\*, N = 10",3,\\>= 2,x a loop',
        '"k\\*, N = 10",1.5,\\>= 2: not met,x a loop',
    ]
    said = b"1 of 2 numbers are as wanted, on b with 2 cores, 2026-01-01 to 2026-01-02, its load up to 0.1.\n"
    assert made["generated/speed_machine.md"] == said
    assert b"<svg" in made["generated/speed.svg"]


def test_a_bench_says_whether_a_row_is_as_wanted_and_adds_it(tmp_path, monkeypatch, capsys):
    bench = runpy.run_path(str(Path(__file__).parent / "bench" / "rows.py"))
    monkeypatch.setenv(bench["GATHERED"], str(tmp_path / "rows.jsonl"))
    bench["row"]("a step", 0.5, "<= 0.4", against="x theirs")
    bench["row"]("a step", 0.3, "<= 0.4", against="x theirs")
    said = capsys.readouterr().out.splitlines()
    assert said == ["a step: 0.5 (x theirs), wanted <= 0.4  NOT MET", "a step: 0.3 (x theirs), wanted <= 0.4"]
    kept = pd.read_json(tmp_path / "rows.jsonl", lines=True, precise_float=True)
    assert kept["value"].tolist() == [0.5, 0.3] and set(kept["against"]) == {"x theirs"}


def test_what_is_kept_is_whole():
    kept = pd.read_csv(Path(__file__).parents[1] / speed.FILE)
    assert kept.columns.tolist() == speed.COLUMNS and len(kept) and kept.notna().all().all()
    better = [speed.times_wanted(v, w) >= 1 for v, w in zip(kept["value"], kept["wanted"])]
    assert better == kept["met"].tolist()


def test_a_book_without_measurements_says_so(clone):
    made = speed.speed_pieces()
    assert (
        made["generated/speed_machine.md"] == b"Not yet measured.\n"
        and b"make bench" in made["generated/speed.csv"]
    )
