"""Small parameters of the studies, for the tests: one cheap network family on the smallest data set."""

import json
from dataclasses import replace

from robustshape import studies
from robustshape.studies import common

STUDIES = {name: studies.load(name) for name in studies.names()}
SHARED = dict(
    models=["zoo:mlp", "zoo:mlp-noise"],
    dataset="digits",
    n_samples=60,
    n_robustness=40,
    corruptions=["gaussian_noise", "contrast"],
    severities=[1, 5],
    epochs=1,
    seed=0,
    preset="test",
    source="measure",
    dask_scheduler="none",
)
KSTAR = SHARED | dict(
    metric="euclidean",
    n_bootstrap=20,
    n_halves=2,
    attacks=["fgsm linf 0.05 0.1 on 30"],
    shift="fgsm linf 0.1 on 30",
    plots=["tsne"],
    n_plotted=20,
)
PURITY = SHARED | dict(
    reading="",
    robustness_dataset="",
    robustness_reading="",
    corrupted="generated",
    attacks=["pgd linf 0.1 on 20"],
    n_classes=0,
    per_class=4,
    n_draws=3,
    n_closer=1,
    layer="penultimate",
    layers=["logits"],
    normalise=False,
)
PROFILE = {k: v for k, v in SHARED.items() if k != "n_samples"} | dict(
    readings=["repeat32"],
    attacks=["fgsm linf 0.1 on 10"],
)


def without_times(rows):
    """Return the rows less what says how long they took: all that must be equal everywhere."""
    known = [json.loads(words) for words in rows["provenance"].values]
    words = [json.dumps({name: value for name, value in one.items() if name != "seconds"}) for one in known]
    rows = rows.assign(provenance=("model", words))
    return rows.drop_vars("indicator_seconds", errors="ignore")


def with_row(monkeypatch, study, row):
    """Let rows of a study be made by another function, which its keys do not know of."""
    monkeypatch.setattr(studies, "load", lambda name: replace(study, row=row))


def check_described(study, rows):
    """Assert that a study's rows say of every variable and coordinate what it is, and that nothing else is said to be in them.

    The rows are of a population with corruptions and attacks, and of settings that leave nothing out.
    """
    for name, values in rows.coords.items():
        words, unit = (common.COORDINATES | study.coordinates)[name]
        assert words and values.attrs["long_name"] == words and values.attrs.get("units", "") == unit, name
    assert not {*common.COORDINATES, *study.coordinates} - set(rows.coords), "said of what is not there"
    known, of_parts = common.VARIABLES | study.variables, f"{study.along}_key"
    assert len(known) == len(common.VARIABLES) + len(study.variables)  # none is said twice
    different = ({str(name) for name in rows.data_vars} - {of_parts}) ^ set(known)
    assert not different, sorted(different)
    for name, values in rows.data_vars.items():
        words, unit = known.get(name, (f"hash of what defines the numbers of each {study.along}", ""))
        assert values.attrs["long_name"] == words and words, name
        assert values.attrs.get("units", "") == unit, name
        about = name in common.VARIABLES and "accuracy" not in name
        assert (values.attrs.get("role") == "about") == about, name
