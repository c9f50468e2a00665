"""The data of the explorer page: every published network once, the columns' values and words, escaping, and size."""

import json

import numpy as np
import pytest
import xarray

from robustshape import statistics, studies
from robustshape.book import explorer, explorer_columns
from robustshape.models import short_name
from robustshape.paths import published_dir, require_checkout
from robustshape.store import results
from robustshape.studies.cluster_purity import compared
from robustshape.studies.indicator_comparison import analyse


@pytest.fixture(scope="module")
def data() -> dict:
    return explorer.data()


def read(preset: str, study: str):
    return studies.load(study).described(results.read_published(study, preset))


def toy():
    """Return rows of five networks on two draws and one corruption at two severities."""
    kmeans, clean = [0.2, 0.1, 0.4, 0.5, 0.7], [0.5, 0.6, 0.7, 0.8, 0.9]
    ratio = np.array([0.1, 0.3, 0.2, 0.5, 0.4])
    values = np.stack(
        [kmeans, np.ones(5), np.full(5, 0.5), [0.0, 1.0, np.nan, 3.0, 4.0]]
    )  # (indicator, model)
    return xarray.Dataset(
        {
            "family": ("model", list("abcde")),
            "recipe": ("model", ["plain", "pgd", "steps+alpha=-0.4", "plain", "mine"]),
            "trains_on": ("model", [""] * 5),
            "n_samples": ("model", [10] * 5),
            "n_robustness": ("model", [20] * 5),
            "accuracy": ("model", clean),
            "indicator_accuracy": ("model", clean),
            "corrupted_accuracy": (
                ("model", "corruption", "severity"), (ratio * clean)[:, None, None] * np.array([[[0.5, 1.5]]]),
            ),
            "indicator_value": (("model", "indicator", "draw"), values.T[:, :, None] * [0.5, 1.5]),
        },
        coords={
            "model": ["zoo:a", "zoo:b", "<svg onload=alert(1)>", "file:cards/d.json", "e</script>"],
            "indicator": ["kmeans_purity", "multicut_purity", "accuracy_among_classes", "silhouette"],
            "corruption": ["fog"],
        },
        attrs={"preset": "toy", "study": "indicator_comparison"},
    )  # fmt: skip


def column(population: dict, axis: str, name: str) -> list:
    [found] = [one["values"] for one in population[axis] if one["name"] == name]
    return found


def test_every_published_network_is_there_once(data):
    files = {(file.parent.name, file.name.split(".")[0]) for file in published_dir().glob("*/*.zarr.zip")}
    told = {
        (one["preset"], one["study"].replace("k*", "kstar").replace(" ", "_")) for one in data["populations"]
    }
    assert told == files and len(data["populations"]) == len(files)
    for one in data["populations"]:
        rows = results.read_published(one["study"].replace("k*", "kstar").replace(" ", "_"), one["preset"])
        assert [network["name"] for network in one["networks"]] == [
            short_name(str(m)) for m in rows.model.values
        ]
        for each in one["indicators"] + one["targets"]:
            assert len(each["values"]) == len(one["networks"]) and each["label"] and "_" not in each["label"]
    for axis in ("indicators", "targets"):
        assert all(one[axis][-1]["name"] == "clean" for one in data["populations"])


def test_the_first_view_has_the_most_families_of_those_with_both_purities_and_R(data):
    first = data["populations"][data["first"]]
    assert first["indicators"][0]["name"] == "p_purity" and first["targets"][0]["name"] == "R"
    having = [one for one in data["populations"] if one["indicators"][0]["name"] == "p_purity"]
    assert first["n_families"] == max(one["n_families"] for one in having)
    assert len(data["students_t"]) > first["n_families"] and round(data["students_t"][4], 3) == 2.776


def test_values_words_and_correlations_by_hand():
    found = explorer.population(toy())
    # draws of half and of one and a half times a value: of kmeans (1/2 + 3/2)/2, of a ratio of two such draws as it is
    assert column(found, "indicators", "kmeans") == [0.2, 0.1, 0.4, 0.5, 0.7]
    assert column(found, "indicators", "product") == pytest.approx([0.25, 0.125, 0.5, 0.625, 0.875])
    assert column(found, "indicators", "p_kmeans") == pytest.approx([0.4, 0.2, 0.8, 1.0, 1.4])
    assert column(found, "indicators", "p_purity") == pytest.approx([0.8, 0.4, 1.6, 2.0, 2.8])
    assert column(found, "indicators", "silhouette") == [0, 1, None, 3, 4]
    assert (
        column(found, "targets", "R")
        == column(found, "targets", "R, weather")
        == pytest.approx([0.1, 0.3, 0.2, 0.5, 0.4])
    )
    assert not {"effective", "attacked", "R, noise"} & {one["name"] for one in found["targets"]}
    x, y = column(found, "indicators", "kmeans"), column(found, "targets", "R")
    clean = [one["clean"] for one in found["networks"]]
    # in hundredths x deviates from its mean by -18, -28, 2, 12, 32, in tenths y by -2, 0, -1, 2, 1
    assert statistics.pearson(x, y) == pytest.approx(90 / np.sqrt(2280 * 10))
    assert statistics.partial_correlation(x, y, clean) == pytest.approx(-0.648, abs=1e-3)
    assert [one["recipe"] for one in found["networks"]] == [
        "plain", "adversarial (PGD)", "step schedule + selectivity alpha -0.4", "plain", "mine",
    ]  # fmt: skip
    assert found["networks"][3] == {
        "name": "d", "family": "d", "clan": "other", "recipe": "plain", "n": [10, 20], "clean": 0.8,
    }  # fmt: skip


def test_names_with_markup_cannot_leave_the_data(monkeypatch):
    monkeypatch.setattr(explorer, "data", lambda: {"populations": [explorer.population(toy())]})
    page = explorer.fragment().decode()
    inside = page.split('id="explorer-data">')[1].split("</script>")[0]
    assert "<" not in inside and "<svg onload" not in page
    names = [one["name"] for one in json.loads(inside)["populations"][0]["networks"]]
    assert names == ["a", "b", "<svg onload=alert(1)>", "d", "e</script>"]


def test_purities_are_those_of_the_studies():
    rows = read("mnist", "cluster_purity")
    told, own = explorer_columns.purities(rows), compared.indicators(rows)
    theirs = {"p_kmeans": "kmeans_ratio", "p_multicut": "multicut_ratio"}
    for name in ("p_purity", "kmeans", "multicut", *theirs):
        np.testing.assert_allclose(told[name], own[theirs.get(name, name)])
    rows = read("families_mnist", "indicator_comparison")
    told, own = explorer_columns.purities(rows), analyse.networks(rows)
    for name in ("p_purity", "p_kmeans", "p_multicut"):
        np.testing.assert_allclose(told[name], own[name])
    np.testing.assert_allclose(told["kmeans"], own["kmeans_purity"])


def test_effective_robustness_is_that_of_twelve_plain_families_and_none_of_nine():
    n = 12
    clean = np.linspace(0.5, 0.9, n)
    rows = xarray.Dataset(
        {
            "family": ("model", [f"f{i}" for i in range(n)]),
            "recipe": ("model", ["plain"] * n),
            "n_samples": ("model", [1000] * n),
            "n_robustness": ("model", [1000] * n),
            "corrupted_accuracy": (("model", "corruption", "severity"), (clean / 2)[:, None, None] + 0.05 * (np.arange(n) == 3)[:, None, None]),
        },
        coords={"corruption": ["fog"], "severity": [1]},
    )  # fmt: skip
    found = explorer_columns.effective(rows, clean)
    assert found.argmax() == 3 and abs(found.mean()) < 1e-9  # residuals of the line
    assert np.isnan(explorer_columns.effective(rows.isel(model=slice(9)), clean[:9])).all()


def test_a_population_without_indicators_is_shown_by_its_accuracy():
    rows = toy().drop_vars("indicator_value").assign(accuracy=("model", [0.1, 0.2, 0.3, 0.4, 0.5]))
    found = explorer.population(rows)
    assert [one["name"] for one in found["indicators"]] == ["clean"]
    assert column(found, "indicators", "clean") == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert {tuple(one["n"]) for one in found["networks"]} == {(20, 20)}


def test_the_page_and_its_scripts_are_small_and_load_nothing_from_outside(data):
    book, fragment = require_checkout("the book") / "book", explorer.fragment()
    scripts = [book / "_vendor" / "plotly" / "plotly-basic.min.js", *(book / "_look").glob("explorer*")]
    assert len(scripts) == 5
    assert len(fragment) + sum(script.stat().st_size for script in scripts) < 3_000_000
    assert b"://" not in fragment and all(f"_static/{s.name}".encode() in fragment for s in scripts[1:])
