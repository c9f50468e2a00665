"""Your results and the published ones: never taken for each other; parts of rows are measured alone."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray

from robustshape.analysis import agreement
from robustshape.errors import InputError, StoreError
from robustshape.store import arrays, results
from robustshape.store import rows as stored
from robustshape.store.kept import Kept
from robustshape.store.keys import key_of
from robustshape.store.rows import Wanted, row_entry

SPECIFICATIONS = {"a": {"m": 1}, "b": {"m": 2}, "c": {"m": 3}}


@pytest.fixture(autouse=True)
def own_folders(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "published_dir", lambda: tmp_path / "published")


@pytest.fixture
def empty_again(tmp_path, monkeypatch):
    """Return a function after which the cache is another one, as on another machine."""
    return lambda: monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path / "new"))


def wanted(models="abc"):
    return {m: Wanted(row_entry("study", SPECIFICATIONS[m])) for m in models}


def row(value):
    return xarray.Dataset({"value": float(value), "ranks": ("sample", np.arange(3) + value), "family": "f"})


def gather(source="measure", models="abc", computed=None, value=0):
    def compute(missing):
        if computed is not None:
            computed.extend(missing)
        for model in missing:
            yield model, row("abc".index(model) + value)

    return results.gather("study", wanted(models), preset="p", source=source, compute=compute)


def publish(models="abc", **how):
    return results.publish("study", "p", wanted(models), **how)


def test_rows_are_measured_once_and_in_the_order_asked_for():
    computed = []
    first = gather(models="ca", computed=computed)
    second = gather(models="abc", computed=computed)
    assert computed == ["c", "a", "b"]
    assert list(first.model.values) == ["c", "a"] and list(second.model.values) == ["a", "b", "c"]
    np.testing.assert_array_equal(second["value"], [0, 1, 2])
    assert set(second["origin"].values) == {stored.MEASURED}
    assert second.attrs == {"study": "study", "preset": "p", "missing": [], "schema": results.SCHEMA}


def test_a_run_that_stops_keeps_its_finished_rows():
    def compute(missing):
        yield missing[0], row(0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results.gather("study", wanted(), preset="p", source="measure", compute=compute)
    computed = []
    gather(computed=computed)
    assert computed == ["b", "c"]


def test_measure_never_opens_what_is_published(tmp_path, empty_again):
    gather()
    publish()
    empty_again()
    (tmp_path / "published" / "p" / "study.zarr.zip").write_bytes(b"damaged: opening it would fail")
    computed = []
    gather(computed=computed)
    assert computed == ["a", "b", "c"]
    with pytest.raises(StoreError, match=r"study\.zarr\.zip is damaged"):
        gather("extend")


def test_published_rows_are_read_and_what_is_missing_is_said(empty_again, capsys):
    gather(models="ab")
    assert publish() == 2
    empty_again()
    rows = results.gather_published("study", ["b", "c"], preset="p")
    assert list(rows.model.values) == ["b"] and rows.attrs["missing"] == ["c"]
    assert list(rows["origin"].values) == [stored.PUBLISHED]
    assert capsys.readouterr().out.endswith("not published, so missing here: c\n")
    results.gather_published("study", ["b", *map(str, range(13))], preset="p")
    named = "not published, so missing here: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 3 more\n"
    assert capsys.readouterr().out.endswith(named)
    with pytest.raises(InputError, match=r"none of the 1 models asked for .* it has a, b"):
        results.gather_published("study", ["c"], preset="p")


def test_extend_takes_published_rows_of_equal_key_and_measures_the_rest(empty_again, monkeypatch):
    gather(models="ab", value=100)
    publish()
    empty_again()
    monkeypatch.setitem(SPECIFICATIONS, "b", {"m": "defined anew"})
    computed = []
    rows = gather("extend", computed=computed)
    assert computed == ["b", "c"]
    np.testing.assert_array_equal(rows["value"], [100, 1, 2])
    assert list(rows["origin"].values) == [stored.PUBLISHED, stored.MEASURED, stored.MEASURED]


def test_publishing_adds_to_what_was_published_and_names_what_goes(empty_again, monkeypatch, capsys):
    gather(models="ab", value=100)
    publish()
    empty_again()
    monkeypatch.setitem(SPECIFICATIONS, "b", {"m": "defined anew"})
    gather(models="ac")
    assert publish() == 2
    assert "otherwise than p asks now, or are none of its rows: b; measure" in capsys.readouterr().out
    published = results.read_published("study", "p")
    assert list(published.model.values) == ["a", "c"]
    publish()
    assert "no longer" not in capsys.readouterr().out  # nothing went this time
    assert published["value"].values.tolist() == [100, 2]  # what was published stays


def test_what_follows_from_other_variables_is_not_published():
    gather(models="ab")
    assert publish(without=("value",)) == 2
    assert "value" not in results.read_published("study", "p")


def test_publishing_nothing_says_how_to_measure():
    with pytest.raises(InputError, match=r"no finished row .*robustshape run study --preset p"):
        publish()


def test_agreement_compares_row_by_row():
    rows, words = gather(), agreement.WORDS
    assert agreement.agreement(rows, quantities=("value",)).empty
    publish()
    assert set(agreement.agreement(rows, quantities=("value",))["agree"]) == {words["same"]}
    changed = rows.assign(value=rows["value"] + [0, 0.5, float("nan")])
    table = agreement.agreement(changed, quantities=("value", "ranks")).set_index("model")
    assert list(table["agree"]) == [words["same"], words["unknown"], words["lacking"]]
    assert table.loc["b", "largest difference"] == 0.5 and table["defined alike"].all()
    assert np.isnan(table["ratio"]).all()  # of none are there two seeds
    assert "no published network has two seeds" in agreement.shown(changed, ("value",)).html
    published = results.gather_published("study", ["a"], preset="p")
    assert agreement.agreement(published, quantities=("value",)).empty  # never with itself


def test_arrays_of_named_things_are_compared_over_what_both_have(monkeypatch):
    def measured(values, indicators):
        known = {
            "values": (("model", "indicator"), [values]),
            "key": ("model", ["k"]),
            "origin": ("model", ["measured"]),
        }
        return xarray.Dataset(
            known, {"model": ["a"], "indicator": indicators}, {"study": "study", "preset": "p"}
        )

    stored = measured([1.0, 2.0, 9.0], ["purity", "rank", "old"])
    monkeypatch.setattr(agreement, "published_file", lambda study, preset: Path(__file__))
    monkeypatch.setattr(agreement, "read_published", lambda study, preset: stored)

    def compared(values, indicators):
        return agreement.agreement(measured(values, indicators), quantities=("values",)).iloc[0]

    line = compared([7.0, 2.0, 1.0], ["new", "rank", "purity"])  # another order, too
    assert line["agree"] == agreement.WORDS["same"] and line["values here"] == line["values published"] == 1.5
    assert compared([7.0, 2.5], ["new", "rank"])["largest difference"] == 0.5
    assert compared([7.0], ["new"])["agree"] == agreement.WORDS["lacking"]


def of_seeds(values, models):
    return xarray.Dataset({"value": (("model", "part"), np.array(values, float))}, {"model": models})


def test_what_another_seed_changes_by_hand():
    models = ["zoo:lenet", "zoo:lenet/1", "zoo:mlp", "zoo:mlp/1", "zoo:mlp/2", "zoo:vit"]
    rows = of_seeds([[1, 0], [3, 0], [10, 5], [10, 5], [13, np.nan], [99, 99]], models)
    found = agreement.seed_variance(rows, "value")
    # squares 2 and 6, of one and two free; the second number has no third seed, and vit no second
    assert found.tolist() == [pytest.approx((2 + 6) / 3), 0.0]
    assert np.isnan(agreement.seed_variance(rows.isel(model=[0, 2, 5]), "value")).all()


def test_a_second_seed_is_about_one_away_whatever_the_units():
    rng = np.random.default_rng(0)
    models = [f"zoo:lenet/{i}" for i in range(1, 400)]
    rows = of_seeds(rng.normal(size=(399, 2)) * [1, 1000], models)
    variance = agreement.seed_variance(rows, "value")
    pairs = np.diff(rows["value"].values, axis=0)[::2]
    squares = [agreement.seed_ratio(one, variance) ** 2 for one in pairs]
    assert np.mean(squares) == pytest.approx(1, abs=0.2)
    assert np.mean(np.sqrt(squares) <= agreement.ALIKE) > 0.95
    assert agreement.seed_ratio([10.0, 0.0], variance) > agreement.ALIKE


def test_unknown_source_and_unpublished_preset_say_what_there_is():
    with pytest.raises(InputError, match="unknown source 'publish'; closest: published"):
        results.check_source("publish")
    with pytest.raises(InputError, match="no published results for preset 'p'; published: none"):
        results.read_published("study", "p")


def test_every_row_says_its_key_and_preset():
    rows = gather(models="a")
    assert rows["key"].item() == key_of(SPECIFICATIONS["a"]) and rows["preset"].item() == "p"
    other = results.gather(  # the same numbers, asked for by another preset
        "study",
        wanted("a"),
        preset="q",
        source="measure",
        compute=lambda missing: pytest.fail("measured again"),
    )
    assert other["preset"].item() == "q" and other["value"].item() == 0
    assert list(stored.finished(wanted())) == ["a"]


def test_the_latest_run_is_remembered():
    assert results.latest_run("study", "p") == ({}, 0)
    gather(models="ba")
    found, n = results.latest_run("study", "p")
    assert list(found) == ["b", "a"] and n == 2
    assert [found[m]["value"].item() for m in "ba"] == [1, 0] and found["a"]["preset"].item() == "p"


def test_rows_that_the_latest_run_took_from_the_published_ones_are_among_its_own(empty_again):
    gather(models="ab", value=100)
    publish()
    empty_again()
    gather("extend")
    found, n = results.latest_run("study", "p")
    assert list(found) == ["a", "b", "c"] and n == 3
    assert [found[m]["value"].item() for m in "abc"] == [100, 101, 2]
    assert [found[m]["origin"].item() for m in "abc"] == [stored.PUBLISHED] * 2 + [stored.MEASURED]


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
    rows = results.gather("study", wanted(), **given, compute=diverging("b", computed))
    assert list(rows.model.values) == ["a", "b", "c"]
    assert rows["diverged"].values.tolist() == [False, True, False]
    assert np.isnan(rows["value"].sel(model="b")) and rows["value"].values[[0, 2]].tolist() == [0, 2]
    assert rows["key"].values.tolist() == [key_of(spec) for spec in SPECIFICATIONS.values()]
    assert set(rows["origin"].values) == {stored.MEASURED} and set(rows["preset"].values) == {"p"}
    assert wanted()["b"].row.missing
    found, n = results.latest_run("study", "p")
    assert list(found) == ["a", "c"] and n == 3
    # it is asked for again, alone, and kept once it has numbers
    again = results.gather("study", wanted(), **given, compute=diverging("b", computed))
    assert computed == ["a", "b", "c", "b"] and again.identical(rows)
    last = results.gather("study", wanted(), **given, compute=diverging("", computed))
    assert computed[4:] == ["b"] and last["value"].values.tolist() == [0, 1, 2]
    results.gather("study", wanted(), **given, compute=diverging("", computed))
    assert len(computed) == 5


def test_rows_that_diverged_are_not_published_and_asked_for_when_others_are_extended():
    computed = []
    compute = diverging("b", computed)
    results.gather("study", wanted(), preset="p", source="measure", compute=compute)
    assert publish() == 2
    assert list(results.read_published("study", "p").model.values) == ["a", "c"]
    rows = results.gather("study", wanted(), preset="p", source="extend", compute=compute)
    assert computed == ["a", "b", "c", "b"] and list(rows.model.values) == ["a", "b", "c"]
    assert rows["origin"].values.tolist() == [stored.PUBLISHED, stored.MEASURED, stored.PUBLISHED]
    assert rows["diverged"].values.tolist() == [False, True, False]


# rows with parts that have keys of their own


PARTS = {"x": 1, "y": 1}  # the version of each


def with_parts(models="ab"):
    return {
        m: Wanted(
            row_entry("study", SPECIFICATIONS[m]),
            {p: Kept("parts", {"part": p, "version": v, "of": SPECIFICATIONS[m]}) for p, v in PARTS.items()},
            "part",
        )
        for m in models
    }


def gather_parts(source="measure", models="ab", lost=""):
    """Return the rows, and which rows and which parts had to be computed."""
    rows, parts = [], {}

    def compute_parts(missing):
        parts.update({m: list(names) for m, names in missing.items()})
        for m, names in missing.items():
            for p in names:
                value = 10 * "ab".index(m) + "xyz".index(p) + 100 * PARTS[p]
                found = {"score": (("part", "draw"), [[value, value + 0.5]]), "took": ("part", [0.1])}
                with_parts()[m].parts[p].save(xarray.Dataset(found, {"part": [p]}))

    found = results.gather(
        "study", with_parts(models), preset="p", source=source,
        compute=diverging(lost, rows), compute_parts=compute_parts,
    )  # fmt: skip
    return found, rows, parts


def test_a_row_has_its_parts_with_their_keys():
    found, rows, parts = gather_parts()
    assert rows == ["a", "b"] and parts == {"a": ["x", "y"], "b": ["x", "y"]}
    assert found["score"].dims == ("model", "part", "draw") and found["took"].dims == ("model", "part")
    assert found["score"].sel(part="y").values.tolist() == [[101, 101.5], [111, 111.5]]
    keys = [[entry.key for entry in one.parts.values()] for one in with_parts().values()]
    assert found["part_key"].values.tolist() == keys
    again, rows, parts = gather_parts()
    assert (rows, parts) == ([], {}) and again.identical(found)


def test_a_part_that_is_added_or_raised_is_computed_alone(monkeypatch):
    first, _, _ = gather_parts()
    monkeypatch.setitem(PARTS, "z", 1)
    found, rows, parts = gather_parts()
    assert rows == [] and parts == {"a": ["z"], "b": ["z"]}
    assert found.sel(part=["x", "y"]).drop_vars("part_key").identical(first.drop_vars("part_key"))
    monkeypatch.setitem(PARTS, "x", 2)
    found, rows, parts = gather_parts()
    assert rows == [] and parts == {"a": ["x"], "b": ["x"]}
    assert found["score"].sel(model="a", draw=0).values.tolist() == [200, 101, 102]
    monkeypatch.delitem(PARTS, "y")
    found, rows, parts = gather_parts()
    assert (rows, parts) == ([], {}) and found["part"].values.tolist() == ["x", "z"]


def test_extend_takes_published_parts_whose_key_agrees_and_computes_only_the_missing(
    empty_again, monkeypatch
):
    first, _, _ = gather_parts()
    assert results.publish("study", "p", with_parts()) == 2
    assert "origin" not in results.read_published("study", "p")
    empty_again()
    found, rows, parts = gather_parts("extend")
    assert (rows, parts) == ([], {}) and set(found["origin"].values) == {stored.PUBLISHED}
    assert found.drop_vars("origin").identical(first.drop_vars("origin"))
    monkeypatch.setitem(PARTS, "x", 2)
    monkeypatch.setitem(PARTS, "z", 1)
    found, rows, parts = gather_parts("extend")
    assert rows == [] and parts == {"a": ["x", "z"], "b": ["x", "z"]}
    assert found["score"].sel(model="b", draw=0).values.tolist() == [210, 111, 112]
    keys = [[entry.key for entry in one.parts.values()] for one in with_parts().values()]
    assert found["part_key"].values.tolist() == keys
    latest, n = results.latest_run("study", "p")
    assert n == 2 and stored.stack(latest)["score"].identical(found["score"])


def test_publishing_adds_the_parts_that_are_new_to_rows_published_earlier(empty_again, monkeypatch):
    gather_parts()
    results.publish("study", "p", with_parts())
    empty_again()
    monkeypatch.setitem(PARTS, "z", 1)
    found, _, parts = gather_parts("extend")
    assert parts == {"a": ["z"], "b": ["z"]}
    assert results.publish("study", "p", with_parts()) == 2
    published = results.read_published("study", "p")
    assert published["part"].values.tolist() == ["x", "y", "z"]
    xarray.testing.assert_equal(published["score"], found["score"])


def test_a_row_that_was_padded_with_a_part_of_others_gets_its_own_later(empty_again, monkeypatch):
    gather_parts()
    results.publish("study", "p", with_parts())
    empty_again()
    monkeypatch.setitem(PARTS, "z", 1)
    gather_parts("extend", models="a")
    assert results.publish("study", "p", with_parts()) == 2  # b has no z: the published rows are padded
    assert np.isnan(results.read_published("study", "p")["score"].sel(model="b", part="z")).all()
    found, _, parts = gather_parts("extend")
    assert parts == {"b": ["z"]} and found["part"].values.tolist() == ["x", "y", "z"]
    assert results.publish("study", "p", with_parts()) == 2
    xarray.testing.assert_equal(results.read_published("study", "p")["score"], found["score"])


def test_a_row_is_published_when_its_parts_are_finished_too():
    gather_parts(models="a")
    with_parts()["b"].row.save(xarray.Dataset({"value": 1.0}))
    assert results.publish("study", "p", with_parts()) == 1
    assert results.read_published("study", "p").model.values.tolist() == ["a"]


def test_a_row_whose_parts_are_not_there_yet_is_still_a_row():
    def dying(missing):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results.gather(
            "study",
            with_parts(),
            preset="p",
            source="measure",
            compute=diverging("", []),
            compute_parts=dying,
        )
    found, n = results.latest_run("study", "p")
    assert list(found) == ["a", "b"] and "part" not in found["a"].dims and n == 2
    found, rows, parts = gather_parts()
    assert rows == [] and parts == {"a": ["x", "y"], "b": ["x", "y"]}


def test_of_a_row_that_diverged_no_parts_are_computed():
    found, rows, parts = gather_parts(lost="b")
    assert rows == ["a", "b"] and parts == {"a": ["x", "y"]}
    assert found["score"].sel(model="b").isnull().all() and found["score"].sel(model="a").notnull().all()


# rows of another schema


def published_of_another_schema():
    file = results.published_file("study", "p")
    rows = arrays.open_zip(file).assign(value=("model", [-1.0] * 2)).drop_attrs()
    arrays.save_zip(rows, file)
    return file


def test_published_rows_of_another_schema_are_refused_or_measured_again(empty_again, capsys):
    gather(models="ab")
    publish("ab")
    file = published_of_another_schema()
    words = rf"study\.zarr\.zip has rows of schema 1, but this robustshape reads schema {results.SCHEMA}"
    for read in (results.read_published, lambda *a: results.gather_published("study", ["a"], preset="p")):
        with pytest.raises(StoreError, match=words + "; measure the rows again with source=measure"):
            read("study", "p")
    empty_again()
    computed = []
    rows = gather("extend", "ab", computed)
    assert computed == ["a", "b"] and rows["value"].values.tolist() == [0, 1]
    assert f"{file} has rows of schema 1" in (said := capsys.readouterr().out) and "none is taken" in said
    assert list(results.latest_run("study", "p")[0]) == ["a", "b"]
    publish("ab")  # in place of the earlier ones
    assert results.read_published("study", "p")["value"].values.tolist() == [0, 1]


def test_rows_and_runs_of_another_schema_in_the_cache_are_none(monkeypatch, cache):
    gather(models="ab")
    for module in (results, stored):
        monkeypatch.setattr(module, "SCHEMA", module.SCHEMA + 1)
    assert results.latest_run("study", "p") == ({}, 0) and stored.finished(wanted("ab")) == {}
    computed = []
    gather(models="ab", computed=computed)
    assert computed == ["a", "b"] and len(results.latest_run("study", "p")[0]) == 2
    earlier = {"source": "measure", "keys": {"a": key_of(SPECIFICATIONS["a"])}}  # as they once were noted
    (cache / "runs" / "study" / "p.json").write_text(json.dumps(earlier))
    assert results.latest_run("study", "p") == ({}, 0)


def test_published_rows_say_when_their_attacked_images_are_of_unequal_classes(capsys):
    from robustshape.datasets.selection import FIRST_VERSION
    from robustshape.studies.common import unequal_classes

    def rows(n_attacked, **facts):
        sizes = {"n_attacked": (("model", "attack"), [n_attacked]), "n_robustness": ("model", [100])}
        return xarray.Dataset(sizes, attrs=facts)

    assert "not as many of each class" in unequal_classes(rows([100, 40]))
    assert unequal_classes(rows([100, 100])) == unequal_classes(rows([40], first_images=FIRST_VERSION)) == ""
    assert unequal_classes(xarray.Dataset()) == ""
