"""The answer to the question of the severity profile, as a sentence: no claim was stated about it."""


def answer(points) -> str:
    """Return which classifier and reading come nearest to the reported table, and where even they do not fit.

    Parameters
    ----------
    points : pandas.DataFrame
        Of `analyse.points`.
    """
    distance = points["gap"].abs().groupby(points["row"]).mean().sort_values()
    best = points[points["row"] == distance.index[0]]
    worst = best.loc[best["gap"].abs().idxmax()]
    first, n = best.iloc[0], len(distance)
    who = f"{first['classifier']}, digits read as {first['reading']}"
    what = f"Of {n} classifiers and readings the nearest" if n > 1 else "The only classifier and reading"
    return (
        f"{what} ({who}) differs from the reported accuracies by {distance.iloc[0]:.3f} on average; even it does not fit "
        f"{worst['corruption']} at severity {worst['severity']}, where it is {_more(worst['gap'])} than reported."
    )


def _more(gap: float) -> str:
    return f"{abs(gap):.2f} {'more' if gap > 0 else 'less'} accurate"
