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
