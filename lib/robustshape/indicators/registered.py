"""The registry of indicators that are one number for each network, and how each is called."""

import inspect
from dataclasses import dataclass

from robustshape.registry import Registry


@dataclass(frozen=True)
class Facts:
    """What is said of an indicator."""

    symbol: str
    about: str
    version: int = (
        1  # raise when a change of the algorithm changes the numbers: those of this indicator are made again
    )


INDICATORS = Registry(
    "indicator", "robustshape list indicators", facts=Facts, package="robustshape.indicators"
)
GIVEN = (
    "features",
    "labels",
    "logits",
    "rng",
    "calibration",
)  # what an indicator may ask for, by these names


def value(name: str, *, features, labels, logits=None, rng=None, calibration=None) -> float:
    """Return the indicator called `name`.

    Parameters
    ----------
    features : (n, d) float
    labels : (n,) int
    logits : (n, c) float, optional
        For those that look at them, such as the margin.
    rng : numpy.random.Generator, optional
        For those that draw.
    calibration : pair of (m, d) float and (m,) int, optional
        Features and labels of other classes, for those that are calibrated.

    Returns
    -------
    float
        NaN of one that asks for logits or a calibration where there are none.

    Examples
    --------
    >>> value("davies_bouldin", features=[[0.0], [1.0], [4.0], [5.0]], labels=[0, 0, 1, 1])
    0.25
    """
    function = INDICATORS[name]
    given = dict(zip(GIVEN, (features, labels, logits, rng, calibration)))
    asked = [parameter for parameter in inspect.signature(function).parameters if parameter in GIVEN]
    if any(given[parameter] is None for parameter in asked if parameter in ("logits", "calibration")):
        return float("nan")
    return float(function(**{parameter: given[parameter] for parameter in asked}))
