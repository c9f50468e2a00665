"""A calibration: lines that predict accuracy under corruption, whom they were fitted on, where they hold, and the words for it.

`prediction` makes one from the rows of the comparison. The published one is kept in ``data/prediction.json``.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit

from robustshape.errors import DamagedError
from robustshape.store.atomic import write_file
from robustshape.store.failures import reading

FILE = Path("data") / "prediction.json"
EVERY = "all corruptions"


@dataclass(frozen=True)
class Line:
    """Logit of accuracy under corruption as a line in the logit of clean accuracy and in indicators."""

    intercept: float
    slopes: dict[str, float]  # by column of `analyse.networks`; "clean" stands for the logit
    half_width: float  # of the interval, as a logit
    covered: float  # share of families left out that the interval holds
    covered_low: float  # with its 95 % interval
    covered_high: float

    @property
    def points(self) -> float:
        """Width of the interval around an accuracy of one half, where it is widest, in points of accuracy."""
        return float(100 * (2 * expit(self.half_width) - 1))

    def predict(self, clean_logit, values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the predicted accuracy and the ends of its interval, (n,) each.

        Examples
        --------
        >>> line = Line(0.0, {"clean": 1.0}, 2.0, 0.9, 0.8, 0.95)
        >>> [end.round(2).tolist() for end in line.predict(np.array([0.0]), {})]
        [[0.5], [0.12], [0.88]]
        """
        middle = self.intercept + self.slopes["clean"] * np.asarray(clean_logit, float)
        for name, slope in self.slopes.items():
            if name != "clean":
                middle = middle + slope * np.asarray(values[name], float)
        return expit(middle), expit(middle - self.half_width), expit(middle + self.half_width)


@dataclass(frozen=True)
class Saved:
    """Share of the squared error of accuracy alone that indicators save on families left out, with its 95 % interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Target:
    """One group of corruptions: the line in accuracy alone, the one with indicators, and which is the better."""

    accuracy: Line
    indicators: Line
    saved: Saved


@dataclass(frozen=True)
class Calibration:
    """Lines for every group of corruptions, whom they were fitted on, and where they hold."""

    population: str
    dataset: str
    networks: int
    families: int
    level: float
    clean: tuple[float, float]  # accuracies between which something is predicted
    pixels: tuple[int, int]  # size of the images as the networks take them
    data_classes: int
    n_classes: int  # of a draw, as in the study
    per_class: int
    severities: tuple[int, ...]
    targets: dict[str, Target]

    def refusal(self, clean: float, *, pixels: tuple[int, int], data_classes: int) -> str:
        """Return in words why nothing is predicted of such a network; "" where it lies in the calibrated range."""
        low, high = self.clean
        if not low <= clean <= high:
            return f"its clean accuracy, {clean:.3f}, lies outside of those it was calibrated on, {low:.3f} to {high:.3f}"
        if tuple(pixels) != self.pixels:
            given, known = (" x ".join(map(str, size)) for size in (pixels, self.pixels))
            return f"it takes images of {given} pixels, but the calibration is for {known}"
        if data_classes != self.data_classes:
            return f"it tells {data_classes} classes apart, but the calibration is for {self.data_classes}"
        return ""

    def other_draws(self, *, n_classes: int, per_class: int) -> str:
        """Return in words why indicators of such draws predict nothing, though accuracy may; "" where they are alike."""
        if (n_classes, per_class) == (self.n_classes, self.per_class):
            return ""
        return (
            f"its indicators are of draws of {n_classes} classes with {per_class} images, but the calibration is for "
            f"{self.n_classes} classes with {self.per_class}"
        )


def by_group(calibration: Calibration | None):
    """Return one line for each group of corruptions: what it uses, how wide its interval is, how it did, what is saved.

    Widths are of the interval around an accuracy of one half, where it is widest, in points of accuracy.
    """
    import pandas as pd

    from robustshape.analysis.words import of

    return pd.DataFrame(
        [
            {
                "corruptions": group,
                "beside accuracy": ", ".join(of(name) for name in one.indicators.slopes if name != "clean"),
                "width, accuracy alone": one.accuracy.points, "width with them": one.indicators.points,
                "families held": one.indicators.covered, "low": one.indicators.covered_low,
                "high": one.indicators.covered_high, "squared error saved": one.saved.estimate,
                "saved, low": one.saved.low, "saved, high": min(one.saved.high, 1.0),
            }
            for group, one in (calibration.targets if calibration else {}).items()
        ]
    )  # fmt: skip


def in_words(calibration: Calibration | None, group: str = EVERY) -> str:
    """Return how the interval did, and whether indicators predict better than accuracy alone, as sentences."""
    if calibration is None:
        return ""
    one = calibration.targets[group]
    line = one.indicators
    ends = f"{_percent(line.covered_low)} to {_percent(line.covered_high)}"
    held = (
        f"The {_percent(calibration.level)} interval is up to {line.points:.0f} points of accuracy wide, "
        f"{one.accuracy.points:.0f} without indicators; it holds {_percent(line.covered)} ({ends}) of "
        f"{calibration.families} families left out."
    )
    return f"{held} {saved_in_words(one.saved)}"


def saved_in_words(saved: Saved) -> str:
    """Return whether indicators predict better than accuracy alone, as a sentence.

    >>> saved_in_words(Saved(0.2, 0.1, 0.3))
    'Indicators beside accuracy save 20 % (10 % to 30 %) of the squared error.'
    """
    # an interval of what is saved may end beyond 1, which no share of an error can
    numbers = f"{_percent(saved.estimate)} ({_percent(saved.low)} to {_percent(min(saved.high, 1.0))})"
    if saved.low > 0:
        return f"Indicators beside accuracy save {numbers} of the squared error."
    if saved.high < 0:
        return f"Indicators beside accuracy make it worse: of the squared error they save {numbers}."
    return f"Whether indicators predict better than accuracy alone is open: of the squared error they save {numbers}."


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %".replace("-", "−")


def write(calibration: Calibration, path: Path) -> None:
    """Write a calibration as JSON."""
    with write_file(path) as temporary:
        temporary.write_text(json.dumps(asdict(calibration), indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Calibration:
    """Read a calibration that `write` wrote; raise DamagedError if it is not one."""
    with reading(path):
        text = path.read_bytes()
    try:
        found = json.loads(text.decode())
        targets = {
            group: Target(Line(**one["accuracy"]), Line(**one["indicators"]), Saved(**one["saved"]))
            for group, one in found.pop("targets").items()
        }
        tuples = {name: tuple(found.pop(name)) for name in ("clean", "pixels", "severities")}
        return Calibration(**found, **tuples, targets=targets)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(
            f"{path} is damaged ({type(error).__name__}: {error}); restore it with: git checkout -- {path}"
        ) from error
