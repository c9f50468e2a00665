"""A line fitted on one population that predicts another: by hand, with a known answer, and when there is nothing to say."""

import numpy as np
import pandas as pd
import pytest

from robustshape.store import results
from robustshape.studies.indicator_comparison import transfer
from test_prediction import made_up


def population(n: int, seed: int, *, slope: float = 1.0, scale: float = 1.0) -> pd.DataFrame:
    """Return columns whose target follows ``tells``, under two recipes with a level of their own."""
    rng = np.random.default_rng(seed)
    tells, noise, clean = rng.normal(size=(3, n))
    recipe = np.where(np.arange(n) % 2, "fast", "plain")
    target = slope * tells + 0.3 * rng.normal(size=n) + 5 * (recipe == "fast")
    return pd.DataFrame(
        {"family": np.arange(n) // 2, "recipe": recipe, "tells": scale * tells, "noise": noise, "clean": clean, "target": target}
    )  # fmt: skip


def test_the_indicator_that_tells_on_digits_tells_elsewhere_whatever_its_units():
    found = transfer.transferred(population(60, 0), population(60, 1, scale=100))
    assert found.low > 0.5 and found.n == 30
    turned = transfer.transferred(population(60, 0), population(60, 1, slope=-1))
    assert turned.high < 0, "what goes the other way there misleads"


def test_by_hand():
    fitted, other = population(40, 2), population(12, 3)
    found = transfer.transferred(fitted, other)

    def standard(table, name):
        x = table[name].values.copy()
        for recipe in ("plain", "fast"):
            x[table["recipe"] == recipe] -= x[table["recipe"] == recipe].mean()
        return x / np.sqrt((x**2).mean())

    y, slopes = standard(other, "target"), {}
    for name in ("tells", "clean"):
        slopes[name] = np.polyfit(standard(fitted, name), standard(fitted, "target"), 1)[0]
    errors = {name: np.mean((y - slopes[name] * standard(other, name)) ** 2) for name in slopes}
    assert found.estimate == pytest.approx((errors["clean"] - errors["tells"]) / np.mean(y**2))


def test_says_why_there_is_nothing_to_transfer(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "published_dir", lambda: tmp_path)
    rows = made_up(14)
    assert transfer.from_digits(rows) == "no rows of families_mnist are published, to fit the lines on"
    assert transfer.transferred(population(20, 0), population(4, 1)).startswith("too few families")


def test_from_the_published_digit_networks(monkeypatch):
    digits = made_up(30).assign(dataset=("model", ["mnist"] * 30))
    monkeypatch.setattr(results, "read_published", lambda study, preset: digits)
    rows = made_up(24, 1).assign(dataset=("model", ["cifar10"] * 24))
    assert transfer.from_digits(rows).low > 0.3
    assert transfer.from_digits(digits).startswith("the lines are fitted on digit networks")
