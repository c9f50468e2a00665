"""What is predicted of a network that was not seen: lines by hand, a population with a known answer, words and the file."""

import json

import numpy as np
import pytest
import xarray
from scipy.special import expit

from robustshape.errors import DamagedError, InputError
from robustshape.paths import require_checkout
from robustshape.store import results
from robustshape.studies.indicator_comparison import STUDY, calibration, figures, measure, prediction
from robustshape.studies.indicator_comparison.calibration import (
    EVERY,
    Calibration,
    Line,
    Saved,
    Target,
)

N, SHOWN = 4000, 2000
NAMES = [
    "accuracy_among_classes",
    "kmeans_purity",
    "mean_normalised_rank",
    "multicut_purity",
    "noise",
    "silhouette",
]


def made_up(families: int, seed: int = 0, *, told_by: str = "silhouette") -> xarray.Dataset:
    """Return rows whose accuracy under corruption is a line in clean accuracy and in one indicator, with noise."""
    rng = np.random.default_rng(seed)
    clean = expit(rng.normal(3, 0.4, size=families)).round(4)
    values = {name: rng.uniform(0.5, 0.9, size=families) for name in NAMES}
    shown = expit(
        0.2
        + 0.5 * np.log(clean / (1 - clean))
        + 8 * (values[told_by] - 0.7)
        + rng.normal(0, 0.2, size=families)
    )
    return xarray.Dataset(
        {
            "indicator_value": (("model", "indicator", "draw"), np.stack([values[n] for n in NAMES], 1)[:, :, None]),
            "indicator_accuracy": ("model", clean),
            "accuracy": ("model", clean),
            "corrupted_accuracy": (("model", "corruption", "severity"), np.repeat(shown, 4).reshape(-1, 2, 2)),
            "family": ("model", np.array([f"f{i}" for i in range(families)], object)),
            "recipe": ("model", np.array(["plain"] * families, object)),
            "dataset": ("model", np.array(["mnist"] * families, object)),
            "preprocessing": ("model", np.array(['{"size": [32, 32]}'] * families, object)),
            "training_seed": ("model", np.zeros(families, int)),
            "n_samples": ("model", np.full(families, N)),
            "n_robustness": ("model", np.full(families, SHOWN)),
            "n_classes": ("model", np.full(families, 5)),
            "per_class": ("model", np.full(families, 100)),
        },
        coords={"model": [f"own:{i}" for i in range(families)], "indicator": NAMES,
                "corruption": ["gaussian_noise", "fog"], "severity": [1, 3]},
        attrs={"study": STUDY.name, "preset": "families_mnist", "missing": []},
    )  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    return made_up(30)


@pytest.fixture(scope="module")
def found(rows):
    return prediction.calibrate(rows)


def test_the_indicator_that_tells_is_chosen_and_saves_squared_error(found):
    one = found.targets[EVERY]
    assert list(one.indicators.slopes)[:2] == ["clean", "silhouette"] and one.saved.low > 0.5
    assert one.indicators.slopes["silhouette"] == pytest.approx(8, abs=1)
    assert one.indicators.half_width < 0.6 < one.accuracy.half_width
    assert set(found.targets) == {EVERY, "noise", "weather"}, "groups that were not shown are not predicted"
    assert (found.networks, found.families, found.severities) == (30, 30, (1, 3))


def test_a_line_is_that_of_least_squares_on_logits(rows, found):
    clean, shown = rows["indicator_accuracy"].values, rows["corrupted_accuracy"].values[:, 0, 0]
    x, y = ((np.rint(a * n) + 0.5) / (n - np.rint(a * n) + 0.5) for a, n in ((clean, N), (shown, SHOWN * 4)))
    slope, intercept = np.polyfit(np.log(x), np.log(y), 1)
    line = found.targets[EVERY].accuracy
    assert (line.slopes["clean"], line.intercept) == pytest.approx((slope, intercept))
    middle, low, high = line.predict(np.log(x)[:3], {})
    assert np.log(middle / (1 - middle)) == pytest.approx(intercept + slope * np.log(x)[:3])
    assert np.log(high / (1 - high)) - np.log(low / (1 - low)) == pytest.approx(2 * line.half_width)


def test_nothing_is_predicted_of_a_network_by_its_own_numbers(rows, found):
    told = prediction.left_out(rows, found)
    changed = rows.copy(deep=True)
    changed["corrupted_accuracy"][4] = 0.1
    other = prediction.left_out(changed, found)
    assert other["predicted"].iloc[4] == told["predicted"].iloc[4]
    assert (other["predicted"].drop("own:4") != told["predicted"].drop("own:4")).all()
    assert (told["low"] < told["predicted"]).all() and (told["predicted"] < told["high"]).all()
    assert figures.of_predictions(told) is not None and figures.of_predictions(None) is None


def test_the_interval_holds_families_it_was_not_calibrated_on():
    held = []
    for seed in range(12):
        fitted, new = prediction.calibrate(made_up(24, seed)), made_up(200, 1000 + seed)
        table = prediction.networks(new)
        clean, targets = prediction.logits(new, table)
        _, low, high = fitted.targets[EVERY].indicators.predict(clean, table)
        shown = expit(targets[EVERY])
        held.append(np.mean((low <= shown) & (shown <= high)))
    assert 0.82 < np.mean(held) < 0.97


def test_says_when_it_predicts_nothing(found):
    fitting = {"pixels": (32, 32), "data_classes": 10}
    low, high = found.clean
    assert found.refusal((low + high) / 2, **fitting) == ""
    assert found.refusal(0.3, **fitting).startswith("its clean accuracy, 0.300, lies outside")
    assert "images of 64 x 64 pixels, but the calibration is for 32 x 32" in found.refusal(
        low, **fitting | {"pixels": (64, 64)}
    )
    assert "100 classes apart, but the calibration is for 10" in found.refusal(
        low, **fitting | {"data_classes": 100}
    )
    assert found.other_draws(n_classes=5, per_class=100) == ""
    assert "5 classes with 50 images, but" in found.other_draws(n_classes=5, per_class=50)
    with pytest.raises(InputError, match="at least 12 families that learned something, but these are 5"):
        prediction.calibrate(made_up(5))
    assert prediction.calibrated(made_up(5)) is None and calibration.in_words(None) == ""


@pytest.mark.parametrize(
    "saved, words",
    [
        ((0.3, 0.1, 0.5), "Indicators beside accuracy save 30 % (10 % to 50 %)"),
        ((-0.3, -0.5, -0.1), "Indicators beside accuracy make it worse"),
        ((0.1, -0.2, 0.4), "is open: of the squared error they save 10 % (−20 % to 40 %)"),
        ((0.1, -1.4, 1.6), "they save 10 % (−140 % to 100 %)"),  # more than all cannot be saved
    ],
)
def test_the_words_follow_the_interval(saved, words):
    line = Line(0.0, {"clean": 1.0, "silhouette": 2.0}, 1.0, 0.9, 0.8, 0.95)
    one = Calibration(
        "p",
        "d",
        50,
        40,
        0.9,
        (0.5, 0.9),
        (32, 32),
        10,
        5,
        100,
        (1,),
        {EVERY: Target(line, line, Saved(*saved))},
    )
    told = calibration.in_words(one)
    assert (
        told.startswith(
            "The 90 % interval is up to 46 points of accuracy wide, 46 without indicators; it holds 90 % (80 % to 95 %) of "
            "40 families left out."
        )
        and words in told
    )
    table = calibration.by_group(one)
    assert table.loc[0, "beside accuracy"] == "silhouette" and table.loc[
        0, "width with them"
    ] == pytest.approx(46.2, abs=0.1)


def test_publishing_the_comparison_of_its_population_keeps_a_calibration(rows, found, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "require_checkout", lambda what: tmp_path)
    (tmp_path / "data").mkdir()
    STUDY.published("laptop", rows)
    assert not list((tmp_path / "data").iterdir())
    STUDY.published(prediction.POPULATION, rows)
    assert calibration.read(tmp_path / calibration.FILE) == found
    whole = (tmp_path / calibration.FILE).read_text()
    for damaged in (whole[:-9], whole.replace("targets", "tarfets"), "[]", "\0"):
        (tmp_path / calibration.FILE).write_text(damaged)
        with pytest.raises(DamagedError, match=r"prediction\.json is damaged .*git checkout"):
            calibration.read(tmp_path / calibration.FILE)


def test_what_ships_is_made_from_the_published_rows(tmp_path):
    kept = require_checkout("the calibration") / calibration.FILE
    shipped = calibration.read(kept)
    calibration.write(shipped, tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads(kept.read_text())
    published = STUDY.described(results.read_published(STUDY.name, prediction.POPULATION))
    _, table, _, x, targets = prediction._learners(published)
    again = "publish the comparison anew: robustshape publish indicator_comparison --preset families_mnist"
    assert (shipped.networks, shipped.families) == (len(table), table["family"].nunique()), again
    for group, y in targets.items():
        line = shipped.targets[group].accuracy
        design = np.column_stack([np.ones(len(x)), x[:, 0]])
        assert [line.intercept, line.slopes["clean"]] == pytest.approx(
            np.linalg.lstsq(design, y, rcond=None)[0]
        )
