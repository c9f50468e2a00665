"""What the notebooks' parameters mean by their names: which of them name things, and which numbers they allow.

Here is looked up what can be without importing a library of networks or reading data, so that a misspelt name is
refused in a moment, before a kernel starts. What only a study can know, it checks itself.
"""

import re
from collections.abc import Callable
from typing import Any

from robustshape.errors import InputError
from robustshape.registry import unknown_name
from robustshape.values import LARGEST_SEED, as_list


def _model(_: str, name: str) -> None:
    from robustshape import models

    models.check(name)


def _model_or_short(parameter: str, name: str) -> None:
    if ":" in name:
        _model(parameter, name)


def _dataset(_: str, name: str) -> None:
    from robustshape.datasets import DATASETS

    DATASETS[name]


def _reading(_: str, name: str) -> None:
    from robustshape.datasets.readings import READINGS

    if name not in READINGS:
        raise unknown_name("reading", name, READINGS, "help(robustshape.datasets.load)")


def _corruption(_: str, name: str) -> None:
    from robustshape.corruptions import CORRUPTIONS

    if name != "standard":
        CORRUPTIONS[name]


def _constants(_: str, name: str) -> None:
    from robustshape.corruptions import check_constants

    check_constants(name)


def _attack(_: str, stage: str) -> None:
    from robustshape.attacks.stages import Stage

    if stage != "auto":  # of the report: a ladder that fits the images
        Stage.parse(stage)


def _source(_: str, name: str) -> None:
    from robustshape.store import results

    results.check_source(name)


def _preset(_: str, name: str) -> None:
    from robustshape.store import results

    results.check_preset(name)


def _scheduler(_: str, name: str) -> None:
    from robustshape import schedulers

    schedulers.check_scheduler(name)


def _between(low: int, high: int | None = None) -> Callable[[str, int], None]:
    def check(parameter: str, number: int) -> None:
        if number < low or (high is not None and number > high):
            allowed = f"from {low}" + ("" if high is None else f" to {high}")
            raise InputError(f"{parameter} is a whole number {allowed}, but was given {number}")

    return check


MEANINGS = {  # patterns of names of parameters, the first that matches counts; each item of a list is looked at
    r"models|classifiers?|network|judge": _model,
    r"beside|suspects_of": _model_or_short,
    r"(robustness_)?dataset": _dataset,
    r"(robustness_)?readings?": _reading,
    r"corruptions": _corruption,
    r"constants": _constants,
    r"attacks|shift": _attack,
    r"source": _source,
    r"dask_scheduler": _scheduler,
    r"preset": _preset,
    r"severities": _between(1, 5),
    r"seeds?": _between(0, LARGEST_SEED),
    r"n_\w+|per_\w+|epochs|steps": _between(0),
}
NETWORKS = (_model, _model_or_short)  # those of published rows need not be here
NEVER_EMPTY = {"models": str, "severities": int, "seeds": int, "alphas": float, "steps": int, "shifts": float}


def check_meanings(values: dict[str, Any]) -> None:
    """Raise InputError for the first value that names nothing, is a number that its parameter does not allow, or is empty.

    Empty text names nothing on purpose, and is left to the study; so is every parameter that is not in `MEANINGS`.

    >>> check_meanings({"dataset": "mnist5k", "seed": -1})
    Traceback (most recent call last):
    robustshape.errors.InputError: seed is a whole number from 0 to 4294967295, but was given -1
    """
    for parameter, value in values.items():
        if value == [] and parameter in NEVER_EMPTY:
            as_list(value, parameter, NEVER_EMPTY[parameter])
        check = next((c for pattern, c in MEANINGS.items() if re.fullmatch(pattern, parameter)), None)
        if check is None or (values.get("source") == "published" and check in NETWORKS):
            continue
        for one in value if isinstance(value, list) else [value]:
            numeric = isinstance(one, int) and not isinstance(one, bool)
            if one != "" and (isinstance(one, str) or numeric):
                check(parameter, one)
