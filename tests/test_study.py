"""A tiny study: its parameters are checked at once, a row for each network, kept under what defines it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import xarray

from robustshape import studies
from robustshape.errors import InputError, TrainingError
from robustshape.measurements import features, prepare
from robustshape.models import network as networks
from robustshape.models.network import Network
from robustshape.store import results
from robustshape.store.kept import Kept
from robustshape.store.provenance import read
from robustshape.store.rows import MEASURED, PUBLISHED
from robustshape.studies import common
from robustshape.studies.study import Settings, Study
from robustshape.values import as_list

GIVEN = dict(
    models=["zoo:mlp", "zoo:mlp/1"], dataset="digits", n_samples=20, n_robustness=20, corruptions=["contrast"],
    severities=[5], epochs=1, power=2, readings='["repeat32"]',
)  # fmt: skip


@dataclass(frozen=True)
class ToySettings(Settings):
    """A power, and a row for each network and reading."""

    power: int
    readings: tuple[str, ...]

    decided = ("reading",)

    def rows(self, models):
        readings = as_list(self.readings, "readings")
        return {f"{m} {r}": (m, {"reading": r}) for m in as_list(models, "models") for r in readings}

    def check(self, population):
        if self.power < 1:
            raise InputError(f"power is at least 1, but was {self.power}")
        return replace(self, readings=tuple(as_list(self.readings, "readings")))

    def key(self, population, network):
        return {"power": self.power}


class Parts:
    """The parts of a row: numbers by name, each an entry of its own."""

    names = ("first", "second")

    def __init__(self, population, settings):
        self.population = population

    def kept(self, network):
        return {name: Kept("toy", {"part": name, "model": network.identity}) for name in self.names}

    def compute(self, network, names):
        mean = float(self.population.features(network)["features"].mean())
        for name in names:
            self.kept(network)[name].save(xarray.Dataset({"score": ("part", [mean])}, {"part": [name]}))


def powered(population, network, settings):
    accuracy = features.accuracy(features.open_features(network, population.held_out))
    return xarray.Dataset({"powered": accuracy**settings.power, "own": ("sample", np.arange(3))})


TOY = Study(
    name="toy", title="Is it a toy?", settings=ToySettings, row=powered, quantities=("powered",),
    variables={"powered": ("accuracy to a power", "1"), "own": ("a number of its own", "images")},
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def trained(tmp_path_factory):
    """A cache for the tests of this file, which share their networks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        networks._kept.cache_clear()
        yield
        networks._kept.cache_clear()


@pytest.fixture
def known(monkeypatch, tmp_path):
    """Return a function that gives the toy study, changed, under a name of its own: so nothing of it is kept."""
    made = {}

    def changed(name=f"toy {tmp_path.name}", **fields):
        made[name] = replace(TOY, name=name, **fields)
        return made[name]

    monkeypatch.setattr(studies, "load", lambda name: made[name])
    monkeypatch.setattr(results, "published_dir", lambda: tmp_path / "published")
    return changed


def untouched(monkeypatch):
    for step in ("cost", "prepare", "train"):
        monkeypatch.setattr(prepare, step, lambda *a: pytest.fail("something was computed"))


# parameters


def test_it_takes_its_own_parameters_those_of_a_population_and_of_a_run():
    assert TOY.parameters[:4] == ["power", "readings", "models", "dataset"]
    assert TOY.parameters[-3:] == ["preset", "source", "dask_scheduler"]
    assert "reading" not in TOY.parameters and "robustness_reading" in TOY.parameters
    namespace = GIVEN | {"source": "extend", "reading": "decided by rows", "figure": object()}
    assert TOY.given(namespace) == GIVEN | {"source": "extend"}


@pytest.mark.parametrize(
    "call", [TOY.plan, TOY.measure, TOY.wanted, lambda **g: TOY.measure(source="published", **g)]
)
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"powr": 2}, "toy has no parameter 'powr'; closest: power"),
        ({"reading": "pad32"}, "toy has no parameter 'reading'; closest: readings"),
        ({"power": None}, "toy needs power; its notebook has a value for each"),
        ({"power": None, "readings": None, "dataset": None}, "toy needs power, readings, dataset; its"),
        ({"models": None}, "models is a list of at least one str, but was given None"),
    ],
)
def test_a_parameter_that_is_unknown_or_missing_is_named(call, changed, words, monkeypatch):
    untouched(monkeypatch)
    given = {name: value for name, value in (GIVEN | changed).items() if value is not None}
    with pytest.raises(InputError, match=words):
        call(**given)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"power": 0}, "power is at least 1, but was 0"),
        ({"dataset": "digit"}, "unknown data set 'digit'; closest: digits"),
        ({"n_samples": 0}, "n_samples is at least 1, but was 0"),
        ({"source": "publish"}, "unknown source 'publish'; closest: published"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_computed(changed, words, monkeypatch):
    untouched(monkeypatch)
    with pytest.raises(InputError, match=words):
        TOY.measure(**GIVEN | changed)


# the plan


def test_a_plan_says_what_is_asked_for_in_order_and_computes_nothing(monkeypatch):
    untouched(monkeypatch)
    monkeypatch.setattr(Network, "load", lambda *a: pytest.fail("it was loaded"))
    plan = TOY.plan(**GIVEN | {"readings": ["repeat32", "resize64"], "preset": "p", "source": "extend"})
    names = ["zoo:mlp repeat32", "zoo:mlp resize64", "zoo:mlp/1 repeat32", "zoo:mlp/1 resize64"]
    assert list(plan.cases) == list(plan.wanted) == names
    assert plan.settings == ToySettings(2, ("repeat32", "resize64"))
    one, other = plan.cases[names[0]][0], plan.cases[names[1]][0]
    assert plan.cases[names[2]][0] is one and one != other  # a population for each reading
    assert one.models == other.models == ("zoo:mlp", "zoo:mlp/1") and other.reading == "resize64"
    assert [network.name for _, network in plan.cases.values()] == [
        "zoo:mlp",
        "zoo:mlp",
        "zoo:mlp/1",
        "zoo:mlp/1",
    ]
    assert [network.reading for _, network in plan.cases.values()] == ["repeat32", "resize64"] * 2


def test_a_row_is_defined_by_study_population_and_settings():
    plan = TOY.plan(**GIVEN)
    population, network = plan.cases["zoo:mlp repeat32"]
    entry = plan.wanted["zoo:mlp repeat32"].row
    assert entry.spec == {"study": "toy", **population.specification(network), "power": 2}
    assert entry.key == TOY.wanted(**GIVEN)["zoo:mlp repeat32"].row.key
    raised = replace(TOY, version=2)
    others = [
        raised.wanted(**GIVEN), replace(TOY, name="other").wanted(**GIVEN), TOY.wanted(**GIVEN | {"power": 3}),
        TOY.wanted(**GIVEN | {"seed": 1}), TOY.wanted(**GIVEN | {"severities": [4]}),
    ]  # fmt: skip
    keys = [wanted["zoo:mlp repeat32"].row.key for wanted in (TOY.wanted(**GIVEN), *others)]
    assert len(set(keys)) == 6
    assert raised.wanted(**GIVEN)["zoo:mlp repeat32"].row.spec["study version"] == 2
    same = replace(raised, first_version=2).wanted(**GIVEN)
    assert same["zoo:mlp repeat32"].row.key == keys[0]


# rows


def test_rows_hold_what_all_have_and_their_own_each_with_words(known, monkeypatch):
    study = known()
    rows = study.measure(**GIVEN, preset="p")
    assert rows.model.values.tolist() == ["zoo:mlp repeat32", "zoo:mlp/1 repeat32"]
    np.testing.assert_allclose(rows["powered"], rows["accuracy"] ** 2)
    population, network = study.plan(**GIVEN).cases["zoo:mlp/1 repeat32"]
    data = population.held_out.load()
    right = network.load().predict(data.image.values) == data.label.values
    assert float(rows["accuracy"][1]) == right.mean() and rows["training_seed"].values.tolist() == [0, 1]
    for name, values in rows.data_vars.items():
        words, unit = (common.VARIABLES | study.variables)[name]
        assert values.attrs["long_name"] == words and values.attrs.get("units", "") == unit
    assert rows["key"].attrs["role"] == "about" and "role" not in {
        **rows["powered"].attrs,
        **rows["accuracy"].attrs,
    }
    assert read(rows.isel(model=0))["seconds"].keys() == {"features", "corruptions", "row"}
    assert set(rows["study"].values) == {study.name} and not rows["diverged"].any()
    monkeypatch.setattr("robustshape.studies.plan._row", lambda *a: pytest.fail("it was measured again"))
    assert study.measure(**GIVEN, preset="p").identical(rows)


def test_a_row_says_on_which_device_its_network_ran(known, monkeypatch):
    study, load = known(), Network.load
    given = GIVEN | {"models": ["zoo:mlp"]}
    assert read(study.measure(**given).isel(model=0))["device"] == "cpu"
    monkeypatch.setattr(Network, "load", lambda self, *data: replace(load(self, *data), device="cpu:0"))
    assert read(known(name="elsewhere").measure(**given).isel(model=0))["device"] == "cpu:0"


def test_networks_of_several_populations_are_measured_each_on_its_own(known):
    study = known()
    rows = study.measure(**GIVEN | {"models": ["zoo:mlp"], "readings": ["resize64", "repeat32"]})
    assert rows.model.values.tolist() == ["zoo:mlp resize64", "zoo:mlp repeat32"]
    assert rows["reading"].values.tolist() == ["resize64", "repeat32"]
    for (population, network), row in zip(study.plan(**GIVEN | {"readings": ["resize64", "repeat32"]}).cases.values(),
                                          [rows.isel(model=0), rows.isel(model=1)]):  # fmt: skip
        data = population.held_out.load()
        assert data.sizes["y"] == (64 if network.reading == "resize64" else 32)
        right = network.load().predict(data.image.values) == data.label.values
        assert float(row["accuracy"]) == right.mean()


def test_what_a_study_adds_is_done_in_order(known):
    done = []

    def check(population, asked, settings):
        done.append(("check", [one.name for one in asked]))

    def needs(population, asked, settings):
        return [population.network("zoo:mlp-noise"), asked[0]]

    def before(population, asked, settings, client):
        more = population.network("zoo:mlp-noise")
        done.append(("before", more.is_ready, features.missing(asked[0], population.held_out)))

    study = known(
        check=check,
        needs=needs,
        before=before,
        after=lambda plan: done.append(("after", plan.settings.power)),
    )
    study.measure(**GIVEN)
    assert done == [("check", GIVEN["models"]), ("before", True, []), ("after", 2)]
    study.measure(**GIVEN)  # all rows are there
    assert done[3:] == [("after", 2)]


# networks that diverged


@pytest.fixture
def one_diverges(monkeypatch):
    load = Network.load

    def diverging(self, *data):
        if self.name == "zoo:mlp/1":
            raise TrainingError("its loss is nan")
        return load(self, *data)

    monkeypatch.setattr(Network, "load", diverging)


def test_a_network_that_diverged_has_a_row_without_numbers_and_the_next_run_asks_for_it_again(
    known, one_diverges, monkeypatch, capsys
):
    study = known(diverged=lambda population, network, settings: xarray.Dataset({"family": network.name}))
    rows = study.measure(**GIVEN)
    assert "zoo:mlp/1 diverged: its loss is nan" in capsys.readouterr().out
    assert rows["diverged"].values.tolist() == [False, True]
    assert (
        np.isnan(rows["accuracy"].values).tolist()
        == np.isnan(rows["powered"].values).tolist()
        == [False, True]
    )
    assert rows["family"].values.tolist() == ["mlp", "zoo:mlp/1"] and set(rows["reading"].values) == {
        "repeat32"
    }
    assert study.plan(**GIVEN).wanted["zoo:mlp/1 repeat32"].row.missing
    monkeypatch.undo()
    monkeypatch.setattr(studies, "load", lambda name: study)
    again = study.measure(**GIVEN)
    assert not again["diverged"].any() and again["accuracy"].notnull().all()


def test_without_such_a_row_it_is_an_error(known, one_diverges):
    with pytest.raises(TrainingError, match="its loss is nan"):
        known().measure(**GIVEN)


# parts, and what is published


def test_a_part_that_is_added_is_computed_alone(known, monkeypatch):
    study = known(parts=Parts, along="part", variables=TOY.variables | {"score": ("a part", "")})
    first = study.measure(**GIVEN)
    assert first["score"].dims == ("model", "part") and first["part"].values.tolist() == ["first", "second"]
    monkeypatch.setattr("robustshape.studies.plan._row", lambda *a: pytest.fail("it was measured again"))
    monkeypatch.setattr(Parts, "names", ("first", "second", "third"))
    asked, compute = [], Parts.compute
    monkeypatch.setattr(
        Parts, "compute", lambda self, one, names: asked.append(names) or compute(self, one, names)
    )
    rows = study.measure(**GIVEN)
    assert asked == [["third"], ["third"]] and rows["part"].values.tolist() == ["first", "second", "third"]
    assert rows.sel(part=["first", "second"])["score"].identical(first["score"])
    assert rows["score"].attrs["long_name"] == "a part"


def test_published_rows_are_read_without_measuring_and_extended(known, monkeypatch):
    study = known()
    with pytest.raises(InputError, match=rf"no finished row of {study.name} for preset 'p' in the cache"):
        study.publish("p", **GIVEN)
    measured = study.measure(**GIVEN | {"models": ["zoo:mlp"]}, preset="p")
    assert study.publish("p", **GIVEN) == (1, 2)
    with monkeypatch.context() as patch:
        untouched(patch)
        rows = study.measure(**GIVEN, preset="p", source="published")
    assert rows.attrs["missing"] == ["zoo:mlp/1 repeat32"] and rows["origin"].values.tolist() == [PUBLISHED]
    assert rows["powered"].attrs["units"] == "1" and rows["accuracy"].equals(measured["accuracy"])
    extended = study.measure(**GIVEN, preset="p", source="extend")
    assert extended["origin"].values.tolist() == [PUBLISHED, MEASURED]
