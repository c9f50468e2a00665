"""The figure of the severity profile: the reported table, the nearest row, and all others."""

from robustshape.analysis import style
from robustshape.studies.severity_profile.analyse import nearest, reported


def profiles(rows):
    """Draw accuracy against severity for each corruption: reported, nearest, and the others in grey."""
    import matplotlib.pyplot as plt

    style.theme()
    printed, best = reported(), nearest(rows)
    names = [str(c) for c in rows.corruption.values]
    figure, axes = plt.subplots(2, 4, figsize=(10.4, 5.0), sharex=True, sharey=True)
    for axis, corruption in zip(axes.flat, names):
        for model in map(str, rows.model.values):
            shares = rows["corrupted_accuracy"].sel(model=model, corruption=corruption)
            if model != best:
                axis.plot(shares.severity, shares, color="#c8c8c8", lw=1)
        shares = rows["corrupted_accuracy"].sel(model=best, corruption=corruption)
        axis.plot(shares.severity, shares, "o-", color="#3b6ea8", lw=1.8, ms=4)
        theirs = printed.sel(corruption=corruption)
        axis.plot(theirs.severity, theirs, "s--", color=style.ACCENT, lw=1.5, ms=4)
        axis.set_title(corruption.replace("_", " "), loc="left")
        axis.set(ylim=(0, 1.02), xticks=[1, 2, 3, 4, 5])
    last = axes.flat[-1]
    last.axis("off")
    axes[0, -1].tick_params(labelbottom=True)  # nothing stands below it
    for color, line, words in (
        (style.ACCENT, "s--", "reported (slides)"),
        ("#3b6ea8", "o-", f"measured, nearest:\n{best}"),
        ("#c8c8c8", "-", "measured, the others"),
    ):
        last.plot([], [], line, color=color, label=words)
    last.legend(loc="center left")
    figure.supxlabel("severity", fontsize=10)
    figure.supylabel("accuracy", fontsize=10)
    return figure
