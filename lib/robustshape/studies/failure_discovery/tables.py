"""Tables of the study of failures."""

import numpy as np

from robustshape import statistics
from robustshape.generators.attributes import of_quality
from robustshape.models import short_name
from robustshape.studies.failure_discovery import analyse
from robustshape.studies.severity_profile.analyse import side_by_side


def overview(known):
    """Return the lines of `compared.points` with the classifier's name as a column."""
    return known.reset_index().drop(columns="family")


def made(card: dict) -> dict:
    """Return how the generator was made, by what; empty without a card."""
    training, scores = card.get("training") or {}, card.get("scores") or {}
    known = {
        "images seen in training": f"{training['images_seen']:,}" if "images_seen" in training else "",
        "minutes": str(round(training["seconds"] / 60)) if "seconds" in training else "",
        "trained on": str(training.get("hardware", "")),
        "size": f"{card['bytes'] / 2**20:.1f} MiB" if "bytes" in card else "",
        "scored by": str(scores.get("judge", "")),
    }
    return {what: value for what, value in known.items() if value}


def measures(rows) -> dict:
    """Return how well attributes follow known severities, and how many dimensions are called after one."""
    first = rows.isel(model=0)
    named, quality = analyse.names(first), of_quality()
    known = zip(first["known"].values, first["attribute_agreement"].values)
    return {
        **{f"Spearman's correlation with the severity of {str(k).replace('_', ' ')}": f"{float(r):.2f}" for k, r in known},
        "dimensions": str(len(named)),
        "called after image quality": str(int(np.isin(named, quality).sum())),
        "called after shape": str(int(((named != "") & ~np.isin(named, quality)).sum())),
    }  # fmt: skip


def beside_the_slides(rows):
    """Return the slides' table beside the clean-trained classifier that comes nearest to it; empty without one."""
    clean = analyse.clean_trained(rows)
    return side_by_side(clean) if clean.sizes["model"] else side_by_side(rows)


def chosen(rows, model: str, n: int = 3):
    """Return a classifier's first chosen dimensions of each class: where they are, what they change, what they take."""
    import pandas as pd

    row, lines = rows.sel(model=model), []
    for c, k in enumerate(row["class"].values):
        for d in row["chosen"].isel({"class": c}).values.astype(int)[:n]:
            decrease = row["fall"].sel(dimension=d).isel({"class": c})
            way = int(decrease.values.argmax())
            effect = row["effect"].sel(dimension=d).isel(way=way).values
            most = int(abs(effect).argmax())
            seen = f"{str(row.attribute.values[most]).replace('_', ' ')} {effect[most]:+.1f}"
            lines.append(
                {
                    "class": int(k),
                    "dimension": d,
                    "where": f"{row['style_layer'].values[d]} {int(row['style_channel'].values[d])}",
                    "way": str(row.way.values[way]),
                    "changes most": seen,
                    "decrease": float(decrease[way]),
                    "fail": float(row["flipped"].sel(dimension=d).isel({"way": way, "class": c})),
                    "fail, readable": float(
                        row["flipped_readable"].sel(dimension=d).isel({"way": way, "class": c})
                    ),
                }
            )
    return pd.DataFrame(lines)


def directions(rows):
    """Return of each attribute's direction how well styles explain it, where it lies, and what moving up along it changes."""
    import pandas as pd

    first, lines = rows.isel(model=0), []
    of_layer = (first["direction"] / first["deviation"].where(first["deviation"] > 0)) ** 2
    of_layer = of_layer.groupby(first["style_layer"].astype(str)).sum("dimension")
    for attribute in map(str, rows.attribute.values):
        share = of_layer.sel(attribute=attribute)
        share, effect = share / share.sum(), first["walk_effect"].sel(attribute=attribute, way="up")
        largest = str(share.style_layer.values[share.values.argmax()])
        lines.append(
            {
                "direction": attribute.replace("_", " "),
                "explained by styles": float(first["explained"].sel(attribute=attribute)),
                "most of it in": f"{largest} ({float(share.max()):.0%})",
                **{str(a).replace("_", " "): float(effect.sel(changed=a)) for a in effect.changed.values},
            }
        )
    return pd.DataFrame(lines)


def mixed(rows) -> str:
    """Return which attributes' directions change another attribute more than their own, as a sentence; "" for none."""
    effect = np.abs(rows.isel(model=0)["walk_effect"].sel(way="up"))
    found = []
    for attribute in map(str, rows.attribute.values):
        own = effect.sel(attribute=attribute)
        largest = str(own.changed.values[int(own.values.argmax())])
        if largest != attribute:
            found.append(f"that of {attribute} changes {largest} more than {attribute}")
    if not found:
        return ""
    return f"Not every direction is pure: {'; '.join(found)}.".replace("_", " ")


def first_flips(rows):
    """Return for each kind of classifier which share of the right digits fails on a walk, and how far the failing ones go."""
    import pandas as pd

    lines = []
    for kind, models in analyse.kinds(rows).items():
        for attribute in map(str, rows.attribute.values):
            for way, sign in (("up", "+"), ("down", "-")):
                flips = (
                    rows["first_flip"].sel(model=models, attribute=attribute, way=way).values.astype(float)
                )
                flips = flips[~np.isnan(flips)]  # those that were wrong without a shift
                failing = flips[np.isfinite(flips)]
                lines.append(
                    {
                        "classifier": short_name(kind),
                        "direction": f"{attribute.replace('_', ' ')} {sign}",
                        "digits": len(flips),
                        "fail": len(failing) / len(flips) if len(flips) else float("nan"),
                        "median shift of those": float(np.median(failing)) if len(failing) else float("nan"),
                    }
                )
    return pd.DataFrame(lines)


def quality(card: dict):
    """Return the generator's scores beside those of real images, over all, by class and severity; empty without scores."""
    import pandas as pd

    scores = card.get("scores")
    if not scores:
        return pd.DataFrame()
    n, corruptions = scores["n"], [name.replace("_", " ") for name in card["data"]["corruptions"]]
    by_class = zip(*(scores[name] for name in ("by_class", "real_by_class", "n_by_class", "real_n_by_class")))
    measured = [
        ("mildly corrupted", scores["mild_accuracy"], scores["real_mild_accuracy"], scores["n_mild"], scores["real_n_mild"]),
        ("all", scores["accuracy"], scores["real_accuracy"], n, n),
        *((f"class {k}", *line) for k, line in enumerate(by_class)),
        *(
            (f"{name} of severity {k}", line["accuracy"], line["real_accuracy"], line["n"], line["real_n"])
            for name, levels in zip(corruptions, scores["by_severity"])
            for k, line in enumerate(levels)
        ),
    ]  # fmt: skip
    lines = [
        (f"read as asked, {what}", _share(made, made_n), _share(real, real_n), made_n, real_n)
        for what, made, real, made_n, real_n in measured
    ]
    lines += [("Frechet distance", f"{scores['frechet']:.2f}", f"{scores['frechet_floor']:.2f}", n, n)]
    lines += [
        (f"mean severity of {name}", f"{made:.2f}", f"{real:.2f}", n, n)
        for name, made, real in zip(corruptions, scores["mean_severity"], scores["real_mean_severity"])
    ]
    return pd.DataFrame(lines, columns=["what", "generated", "real", "generated images", "real images"])


def _share(share: float | None, n: int) -> str:
    """Return a share of n images with Wilson's 95 % interval.

    >>> _share(0.5, 100), _share(None, 0)
    ('0.500 (0.404 to 0.596)', '–')
    """
    if share is None:
        return "–"
    low, high = statistics.wilson_interval(round(share * n), n)
    return f"{share:.3f} ({low:.3f} to {high:.3f})"


def comparisons(rows):
    """Return every pair of kinds of classifiers along every attribute, paired on the same images."""
    import pandas as pd

    lines = []
    for a, b in analyse.contrasts(rows):
        for line in analyse.compared(rows, a, b).to_dict("records"):
            lines.append(
                {
                    "direction": line["attribute"].replace("_", " "),
                    "first": f"{short_name(a)} {line['first']:.3f}",
                    "second": f"{short_name(b)} {line['second']:.3f}",
                    "difference": line["difference"],
                    f"95 %, {line['runs']} pairs of runs": _between(line["low"], line["high"]),
                    f"95 %, {line['samples']} samples, first pair": _between(
                        line["sample_low"], line["sample_high"]
                    ),
                }
            )
    return pd.DataFrame(lines)


def repaired(rows):
    """Return what training on its own failures changes, for classifiers trained on clean digits and for the others."""
    import pandas as pd

    lines = []
    for whom, names in analyse.by_training(rows).items():
        for line in analyse.repairs(rows, names).to_dict("records"):
            lines.append(
                {
                    "classifiers": whom,
                    "accuracy on": analyse.REPAIRED_ON[line["measure"]],
                    "before": line["before"],
                    "after failures": line["after"],
                    "after any moved": line["control"],
                    "gain": f"{line['gain']:+.3f} ({_between(line['low'], line['high'])})",
                    "over any moved": f"{line['over_control']:+.3f} ({_between(line['over_low'], line['over_high'])})",
                    "n": line["n"],
                }
            )
    return pd.DataFrame(lines)


def _between(low: float, high: float) -> str:
    return f"{low:+.3f} to {high:+.3f}" if np.isfinite(low) else "–"
