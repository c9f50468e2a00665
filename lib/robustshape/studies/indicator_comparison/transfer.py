"""Does a line fitted on digit networks predict networks of other images? The claim cross-4.

Numbers of two data sets have other levels and widths. So every column is taken less the mean of its recipe, and divided by
its standard deviation over the networks of its data set; what is left to transfer is the slope.
"""

import numpy as np

from robustshape.statistics.jackknife import jackknife
from robustshape.statistics.out_of_sample import left_out_errors, mean_square
from robustshape.store import results
from robustshape.studies.indicator_comparison.analyse import networks, screened
from robustshape.studies.indicator_comparison.calibration import EVERY
from robustshape.studies.indicator_comparison.prediction import POPULATION, logits


def from_digits(rows):
    """Return `transferred` from the published digit networks to these, or in words why there is nothing to transfer."""
    study = rows.attrs["study"]
    if not results.published_file(study, POPULATION).is_file():
        return f"no rows of {POPULATION} are published, to fit the lines on"
    digits = results.read_published(study, POPULATION)
    if set(rows["dataset"].values.astype(str)) & set(digits["dataset"].values.astype(str)):
        return "the lines are fitted on digit networks, and predict those of other images"
    return transferred(columns(digits), columns(rows))


def columns(rows):
    """Return one line for each network within its band: ``family``, ``recipe``, what may predict, and ``target``.

    ``clean`` and ``target`` are the logits of accuracy on clean and on corrupted images.
    """
    table = networks(rows)
    clean, targets = logits(rows, table)
    named = table[["family", "recipe", *screened(table)]].assign(clean=clean, target=targets[EVERY])
    return named[table["in_band"].values]


def transferred(fitted, other):
    """Return by how much more of the target an indicator predicts than clean accuracy, both lines fitted elsewhere.

    Parameters
    ----------
    fitted, other : pandas.DataFrame
        `columns` of the population the lines are fitted on, and of the one that they predict.

    Returns
    -------
    statistics.jackknife.OverGroups
        The difference of out-of-sample R^2 over the families that are predicted: above 0 where the indicator is better. It
        is the one that predicts families left out of `fitted` best. The interval is the jackknife over families of
        `other`, centring and scaling included.
    """
    names = [
        name
        for name in fitted.columns
        if name not in ("family", "recipe", "clean", "target")
        and name in other
        and np.isfinite(fitted[name]).all()
        and np.isfinite(other[name]).all()
        and fitted[name].std() > 0
    ]
    if not names or other["family"].nunique() < 4:
        return "too few families or indicators to transfer a line"
    best = names[int(np.argmin(_left_out(fitted, names)))]
    slopes = [
        float(_standard(fitted, name) @ _standard(fitted, "target")) / len(fitted) for name in (best, "clean")
    ]

    def difference(i):
        part = other.iloc[i]
        y, families = _standard(part, "target"), part["family"].values
        of_indicator, of_clean = (
            mean_square(y - slope * _standard(part, name), families)
            for slope, name in zip(slopes, (best, "clean"))
        )
        return (of_clean - of_indicator) / mean_square(y, families)

    return jackknife(difference, other["family"].values)


def _left_out(table, names) -> np.ndarray:
    """Return the mean squared error of a line in each column for families left out."""
    of = table["target"].values, table["family"].values, table["recipe"].values
    errors = left_out_errors(table[names].values.astype(float), *of).errors
    return np.array([mean_square(column, table["family"].values) for column in errors.T])


def _standard(table, name: str) -> np.ndarray:
    """Return a column less the mean of its recipe, over its standard deviation; 0 where it does not vary."""
    left = (table[name] - table.groupby("recipe")[name].transform("mean")).values.astype(float)
    spread = np.sqrt(np.mean(left**2))
    return left / spread if spread > 0 else np.zeros(len(left))
