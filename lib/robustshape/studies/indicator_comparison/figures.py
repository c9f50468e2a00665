"""Figures of the comparison beside those that its notebook draws itself: each returns one panel, or None for nothing."""

from robustshape.analysis import style


def of_gains(gains):
    """Draw by how much an indicator beside clean accuracy improves the prediction of families left out.

    Parameters
    ----------
    gains : pandas.DataFrame
        Of `analyse.gains`.
    """
    known = gains.dropna(subset=["gain", "low"])
    if known.empty:
        return None
    figure, axis = style.panel(height=0.26 * len(known) + 0.9)
    style.forest(axis, list(known["indicator"]), known["gain"], known["low"], known["high"], style.ACCENT)
    axis.set(xlim=(max(-1.0, known["low"].min()), 1), xlabel="squared error saved (1: all of it)")
    return figure


def forest(lines, target: str):
    """Draw the partial r of each indicator with a target given clean accuracy, its 95 % interval.

    Parameters
    ----------
    lines : pandas.DataFrame
        Of `analyse.grid`.
    target : str
        As it is called there.
    """
    known = lines[lines["target"] == target].dropna(subset=["partial r", "low"])
    known = known.sort_values("partial r", ascending=False)
    if known.empty:
        return None
    figure, axis = style.panel(height=0.26 * len(known) + 0.9)
    style.forest(
        axis, list(known["indicator"]), known["partial r"], known["low"], known["high"], style.ACCENT
    )
    axis.set(xlim=(-1, 1), xlabel=f"partial r with {target}")
    return figure


def of_predictions(told):
    """Draw what was predicted of each network without its family against what was measured.

    Parameters
    ----------
    told : pandas.DataFrame
        Of `prediction.left_out`; None for nothing.
    """
    import seaborn as sns

    if told is None:
        return None
    figure, axis = style.panel()
    ends = told[["measured", "predicted"]].min().min(), told[["measured", "predicted"]].max().max()
    axis.plot(ends, ends, color=style.INK, lw=0.8)
    axis.vlines(told["measured"], told["low"], told["high"], color="#bbbbbb", lw=0.8, zorder=0)
    points = told.assign(trained=style.trained(told["recipe"]))
    sns.scatterplot(points, x="measured", y="predicted", s=45, **style.by_recipe(points["trained"]), ax=axis)
    axis.set(xlabel="measured accuracy under corruption", ylabel="predicted without its family")
    style.legend_below(axis)
    return figure
