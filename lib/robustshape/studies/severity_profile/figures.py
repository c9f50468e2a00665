"""The figure of the severity profile beside those that its notebook draws: a panel for each corruption."""

from robustshape.analysis import style
from robustshape.studies.severity_profile.analyse import nearest


def profiles(rows, points):
    """Draw accuracy against severity for each corruption: reported, of the nearest row, and of the others in grey.

    Parameters
    ----------
    rows : xarray.Dataset
        Of the study.
    points : pandas.DataFrame
        Of `analyse.points`.
    """
    best, panels = nearest(rows), []
    for corruption, part in points.groupby("corruption", sort=False):
        figure, axis = style.panel(height=2.8)
        for row, its in part.groupby("row", sort=False):
            if row != best:
                axis.plot(its["severity"], its["accuracy"], color="#c8c8c8", lw=1)
        its = part[part["row"] == best]
        axis.plot(its["severity"], its["accuracy"], "o-", color="#3b6ea8", lw=1.8, ms=4, label="nearest")
        axis.plot(its["severity"], its["reported"], "s--", color=style.ACCENT, lw=1.5, ms=4, label="reported")
        axis.set(
            title=corruption, xlabel="severity", ylabel="accuracy", ylim=(0, 1.02), xticks=its["severity"]
        )
        style.legend_below(axis)
        panels.append(figure)
    return panels
