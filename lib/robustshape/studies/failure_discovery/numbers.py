"""Every number that the page of the study of failures quotes."""

import numpy as np

from robustshape import statistics
from robustshape.generators.attributes import of_quality
from robustshape.studies.failure_discovery import analyse

SCORES = (
    "mild_accuracy", "real_mild_accuracy", "mild_ratio", "accuracy", "real_accuracy", "n", "n_mild", "real_n_mild",
    "frechet", "frechet_floor",
)  # fmt: skip


def numbers(rows, verdicts, generator_card: dict) -> dict:
    """Return every number that the study's page quotes, by name."""
    clean, first, found = analyse.clean_trained(rows), rows.isel(model=0), {}
    runs = clean if clean.sizes["model"] else rows
    for claim, line in verdicts.iterrows():
        key = claim.replace("-", "_")
        found |= {f"{key}_{part}": line[part] for part in ("verdict", "estimate", "low", "high", "n")}
    for name, values in analyse.of_runs(runs).items():
        values = values[np.isfinite(values)]
        mean = statistics.paired_difference(values, np.zeros(len(values)))
        found |= {name: mean.estimate, f"{name}_low": mean.low, f"{name}_high": mean.high}
    for a, b in analyse.contrasts(rows):
        for line in analyse.compared(rows, a, b).to_dict("records"):
            key = f"{_key(b)}_over_{_key(a)}_{line['attribute'].replace(' ', '_')}"
            found |= {
                f"{key}_{part}": float(line[part])
                for part in ("first", "second", "difference", "low", "high")
            }
    for line in analyse.repairs(rows, [str(m) for m in runs.model.values]).to_dict("records"):
        found |= {
            f"repair_{line['measure']}_{part}": float(line[part])
            for part in ("before", "after", "control", "gain", "low", "high", "over_control", "over_low", "over_high")
        }  # fmt: skip
    names = analyse.names(first)
    scores = generator_card.get("scores") or {}
    training = generator_card.get("training") or {}
    return found | {
        "map_attributes": str(first["map_attributes"].values).replace("_", " ").replace(" x ", " and "),
        "n_dimensions_all": int(rows.sizes["dimension"]),
        "n_chosen": int(rows.sizes["rank"]),
        "n_named": int((names != "").sum()),
        "n_quality": int(np.isin(names, of_quality()).sum()),
        "n_shape": int(((names != "") & ~np.isin(names, of_quality())).sum()),
        "n_classes": int(rows.sizes["class"]),
        "n_moved": int(first["n_moved"]),
        "n_walked": int(rows.sizes["walked"] // rows.sizes["class"]),
        "n_judged": int(first["n_judged"]),
        "distance": float(first["distance"]),
        **{f"{name}_agreement": float(value) for name, value in
           zip(first["known"].values, first["attribute_agreement"].values)},
        "farthest": float(rows.place.values.max()),
        "judge": str(first["judge"].values),
        "first": str(first.model.values),
        "n_runs": int(rows.sizes["model"]),
        "n_clean": int(clean.sizes["model"]),
        "n_failures": int(runs["n_failures"].sum()) if "n_failures" in runs else 0,
        **_of_generator(scores),
        "generator_judge": str(scores.get("judge", "–")),
        "generator_images_seen": f"{training['images_seen']:,}" if "images_seen" in training else "–",
        "generator_minutes": round(training["seconds"] / 60) if "seconds" in training else "–",
        "generator_hardware": str(training.get("hardware", "–")),
        "generator_bytes": f"{generator_card['bytes'] / 2**20:.1f} MiB" if "bytes" in generator_card else "–",
    }  # fmt: skip


def _of_generator(scores: dict) -> dict:
    """Return the generator's scores by name, shares with Wilson's 95 % intervals; NaN without scores or such images."""
    known = {name: float("nan") if scores.get(name) is None else scores[name] for name in SCORES}
    found = {f"generator_{name}": value for name, value in known.items()}
    for name, n in (
        ("mild_accuracy", "n_mild"),
        ("real_mild_accuracy", "real_n_mild"),
        ("accuracy", "n"),
        ("real_accuracy", "n"),
    ):
        low, high = float("nan"), float("nan")
        if np.isfinite(known[name]):
            low, high = statistics.wilson_interval(round(known[name] * known[n]), known[n])
        found |= {f"generator_{name}_low": float(low), f"generator_{name}_high": float(high)}
    return found


def _key(kind: str) -> str:
    """Return a kind of classifiers as a part of a name.

    >>> _key("zoo:mlp-corrupted")
    'mlp_corrupted'
    """
    return "".join(c if c.isalnum() else "_" for c in kind.removeprefix("zoo:"))
