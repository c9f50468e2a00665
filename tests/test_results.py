"""Your results and the published ones: never taken for each other."""

import numpy as np
import pytest
import xarray

from robustshape.analysis import agreement, results
from robustshape.errors import InputError
from robustshape.store.keys import key_of

SPECIFICATIONS = {"a": {"m": 1}, "b": {"m": 2}, "c": {"m": 3}}


@pytest.fixture(autouse=True)
def own_folders(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "published_dir", lambda: tmp_path / "published")


def row(value):
    return xarray.Dataset({"value": float(value), "ranks": ("sample", np.arange(3) + value), "family": "f"})


def gather(source="measure", models="abc", computed=None, value=0):
    def compute(missing):
        if computed is not None:
            computed.extend(missing)
        for model in missing:
            yield model, row("abc".index(model) + value)

    wanted = {m: SPECIFICATIONS[m] for m in models}
    return results.gather("study", wanted, preset="p", source=source, compute=compute)


def test_rows_are_measured_once_and_in_the_order_asked_for():
    computed = []
    first = gather(models="ca", computed=computed)
    second = gather(models="abc", computed=computed)
    assert computed == ["c", "a", "b"]
    assert list(first.model.values) == ["c", "a"] and list(second.model.values) == ["a", "b", "c"]
    np.testing.assert_array_equal(second["value"], [0, 1, 2])
    assert set(second["origin"].values) == {results.MEASURED}


def test_a_run_that_stops_keeps_its_finished_rows():
    def compute(missing):
        yield missing[0], row(0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results.gather("study", SPECIFICATIONS, preset="p", source="measure", compute=compute)
    computed = []
    gather(computed=computed)
    assert computed == ["b", "c"]


def test_measure_never_opens_what_is_published(tmp_path, monkeypatch):
    gather()
    results.publish("study", "p", SPECIFICATIONS)
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "new"))
    (tmp_path / "published" / "p" / "study.zarr.zip").write_bytes(b"damaged: opening it would fail")
    computed = []
    gather(computed=computed)
    assert computed == ["a", "b", "c"]


def test_published_rows_are_read_and_what_is_missing_is_said(tmp_path, monkeypatch):
    gather(models="ab")
    assert results.publish("study", "p", SPECIFICATIONS) == (2, 3)
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "new"))
    rows = results.gather_published("study", ["b", "c"], preset="p")
    assert list(rows.model.values) == ["b"] and rows.attrs["missing"] == ["c"]
    assert list(rows["origin"].values) == [results.PUBLISHED]
    with pytest.raises(InputError, match=r"none of the 1 models asked for .* it has a, b"):
        results.gather_published("study", ["c"], preset="p")


def test_extend_takes_published_rows_of_equal_key_and_measures_the_rest(tmp_path, monkeypatch):
    gather(models="ab", value=100)
    results.publish("study", "p", SPECIFICATIONS)
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "new"))
    monkeypatch.setitem(SPECIFICATIONS, "b", {"m": "defined anew"})
    computed = []
    rows = gather("extend", computed=computed)
    assert computed == ["b", "c"]
    np.testing.assert_array_equal(rows["value"], [100, 1, 2])
    assert list(rows["origin"].values) == [results.PUBLISHED, results.MEASURED, results.MEASURED]


def test_publishing_adds_to_what_was_published_and_drops_what_is_defined_anew(tmp_path, monkeypatch):
    gather(models="ab")
    results.publish("study", "p", SPECIFICATIONS)
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "new"))
    monkeypatch.setitem(SPECIFICATIONS, "b", {"m": "defined anew"})
    gather(models="c")
    assert results.publish("study", "p", SPECIFICATIONS) == (2, 3)
    assert list(results.read_published("study", "p").model.values) == ["a", "c"]


def test_publishing_nothing_says_how_to_measure():
    with pytest.raises(InputError, match=r"no finished row .*robustshape run study --preset p"):
        results.publish("study", "p", SPECIFICATIONS)


def test_agreement_compares_row_by_row():
    rows = gather()
    assert agreement.agreement(rows, quantities=("value",)).empty
    results.publish("study", "p", SPECIFICATIONS)
    assert agreement.agreement(rows, quantities=("value",))["agree"].all()
    changed = rows.assign(value=rows["value"] + [0, 0.5, float("nan")])
    table = agreement.agreement(changed, quantities=("value", "ranks")).set_index("model")
    assert list(table["agree"]) == [True, False, False] and table.loc["b", "largest difference"] == 0.5
    assert table["defined alike"].all()
    published = results.gather_published("study", ["a"], preset="p")
    assert agreement.agreement(published, quantities=("value",)).empty  # never with itself


def test_unknown_source_and_unpublished_preset_say_what_there_is():
    with pytest.raises(InputError, match="unknown source 'publish'; closest: published"):
        results.check_source("publish")
    with pytest.raises(InputError, match="no published results for preset 'p'; published: none"):
        results.read_published("study", "p")


def test_every_row_says_its_key_and_preset():
    rows = gather(models="a")
    assert rows["key"].item() == key_of(SPECIFICATIONS["a"]) and rows["preset"].item() == "p"
    other = results.finished_rows(
        "study", results.keys_of(SPECIFICATIONS), "q"
    )  # the same numbers, asked for by another preset
    assert other["a"]["preset"].item() == "q"


def test_the_latest_run_is_remembered():
    assert results.latest_run("study", "p") == ({}, 0)
    gather(models="ba")
    found, wanted = results.latest_run("study", "p")
    assert list(found) == ["b", "a"] and wanted == 2


def diverging(lost, computed):
    """Return a `compute` for which the rows of the models in `lost` diverged."""

    def compute(missing):
        computed.extend(missing)
        for model in missing:
            if model in lost:
                yield model, xarray.Dataset({"diverged": True, "family": "f"})
            else:
                yield model, row("abc".index(model)).assign(diverged=False)

    return compute


def test_a_row_that_diverged_is_shown_but_not_kept():
    computed, given = [], {"preset": "p", "source": "measure"}
    rows = results.gather("study", SPECIFICATIONS, **given, compute=diverging("b", computed))
    assert list(rows.model.values) == ["a", "b", "c"] and rows["diverged"].values.tolist() == [
        False,
        True,
        False,
    ]
    assert np.isnan(rows["value"].sel(model="b")) and rows["value"].values[[0, 2]].tolist() == [0, 2]
    assert rows["key"].values.tolist() == [key_of(spec) for spec in SPECIFICATIONS.values()]
    assert set(rows["origin"].values) == {results.MEASURED} and set(rows["preset"].values) == {"p"}
    assert not results.row_folder("study", key_of(SPECIFICATIONS["b"])).exists()
    found, wanted = results.latest_run("study", "p")
    assert list(found) == ["a", "c"] and wanted == 3
    # it is asked for again, alone, and kept once it has numbers
    again = results.gather("study", SPECIFICATIONS, **given, compute=diverging("b", computed))
    assert computed == ["a", "b", "c", "b"] and again.identical(rows)
    last = results.gather("study", SPECIFICATIONS, **given, compute=diverging("", computed))
    assert computed[4:] == ["b"] and last["value"].values.tolist() == [0, 1, 2]
    results.gather("study", SPECIFICATIONS, **given, compute=diverging("", computed))
    assert len(computed) == 5


def test_rows_that_diverged_are_not_published_and_asked_for_when_others_are_extended():
    computed = []
    compute = diverging("b", computed)
    results.gather("study", SPECIFICATIONS, preset="p", source="measure", compute=compute)
    assert results.publish("study", "p", SPECIFICATIONS) == (2, 3)
    assert list(results.read_published("study", "p").model.values) == ["a", "c"]
    rows = results.gather("study", SPECIFICATIONS, preset="p", source="extend", compute=compute)
    assert computed == ["a", "b", "c", "b"] and list(rows.model.values) == ["a", "b", "c"]
    assert rows["origin"].values.tolist() == [results.PUBLISHED, results.MEASURED, results.PUBLISHED]
    assert rows["diverged"].values.tolist() == [False, True, False]
