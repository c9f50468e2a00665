"""Verdicts on the claims of the study of failures, and every number that its page quotes."""

import numpy as np

from robustshape import claims, statistics
from robustshape.generators.naming import QUALITY
from robustshape.studies.failure_discovery import analyse


def judge(rows):
    """Return the verdict on each of the study's claims: means over training runs with Student's intervals."""
    preset, evidence, known = rows.attrs["preset"], {}, claims.load()
    clean = analyse.clean_trained(rows)
    of_whom = {name: clean for name in analyse.CLAIMED}
    of_whom["failure-1"] = clean.isel(model=np.flatnonzero(clean["family"].values == "mlp"))
    for claim, quantity in analyse.CLAIMED.items():
        runs = of_whom[claim]
        values = np.array([quantity(runs.isel(model=i)) for i in range(runs.sizes["model"])])
        values = values[np.isfinite(values)]  # a run without such dimensions says nothing of them
        threshold = known[claim].threshold
        found = statistics.paired_difference(values, np.full(len(values), threshold))
        if found.n > 1:
            kinds = ", ".join(name.removeprefix("zoo:") for name in analyse.kinds(runs))
            words = f"{found.n} runs of {kinds} on {runs['dataset'].values[0]}"
            ends = (end + threshold for end in (found.estimate, found.low, found.high))
            evidence[claim] = claims.Evidence(*ends, found.p_value, found.n, words, preset)
    return claims.judge("failure_discovery", evidence)


def numbers(rows, verdicts, generator_card: dict) -> dict:
    """Return every number that the study's page quotes, by name."""
    clean, first, found = analyse.clean_trained(rows), rows.isel(model=0), {}
    runs = clean if clean.sizes["model"] else rows
    for claim, line in verdicts.iterrows():
        key = claim.replace("-", "_")
        found |= {f"{key}_{part}": line[part] for part in ("verdict", "estimate", "low", "high", "n")}
    falls = [analyse.falls_of_choices(runs.isel(model=i)) for i in range(runs.sizes["model"])]
    chosen, random = (float(np.mean([pair[k] for pair in falls])) for k in range(2))
    covered = runs["covered"].mean(("model", "class"))
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
    flips, readable = runs["flipped"].values, runs["flipped_readable"].values
    names = first["name"].values.astype(str)
    scores = generator_card.get("scores") or {}
    training = generator_card.get("training") or {}
    return found | {
        "chosen_fall": chosen,
        "random_fall": random,
        "chosen_over_random": chosen / random if random > 0 else float("nan"),
        "best_fall": float(runs["best_fall"].mean()),
        "baseline_fall": float(runs["baseline_fall"].mean()),
        "rank_agreement": float(runs["rank_agreement"].mean()),
        "sign_agreement": float(runs["sign_agreement"].mean()),
        "slope_agreement": float(runs["slope_agreement"].mean()),
        **{f"covered_{choice}": float(covered.sel(choice=choice).isel(rank=-1)) for choice in
           map(str, covered.choice.values)},
        "readable_share": float(np.nansum(readable) / np.nansum(flips)) if np.nansum(flips) else float("nan"),
        "only_together": float(runs["only_together"].mean()),
        "map_attributes": str(first["map_attributes"].values).replace("_", " ").replace(" x ", " and "),
        "n_dimensions_all": int(rows.sizes["dimension"]),
        "n_chosen": int(rows.sizes["rank"]),
        "n_named": int((names != "").sum()),
        "n_quality": int(np.isin(names, QUALITY).sum()),
        "n_classes": int(rows.sizes["class"]),
        "n_moved": int(first["n_moved"]),
        "n_walked": int(rows.sizes["walked"] // rows.sizes["class"]),
        "n_judged": int(first["n_judged"]),
        "distance": float(first["distance"]),
        "farthest": float(rows.place.values.max()),
        "judge": str(first["judge"].values),
        "first": str(first.model.values),
        "n_runs": int(rows.sizes["model"]),
        "n_clean": int(clean.sizes["model"]),
        "n_failures": int(runs["n_failures"].sum()) if "n_failures" in runs else 0,
        **{f"generator_{name}": scores.get(name, float("nan")) if not isinstance(scores.get(name), list) else str(scores[name])
           for name in ("accuracy", "real_accuracy", "mild_accuracy", "real_mild_accuracy", "mild_ratio", "n_mild",
                        "real_n_mild", "frechet", "frechet_floor", "n")},
        "generator_judge": str(scores.get("judge", "–")),
        "generator_images_seen": f"{training['images_seen']:,}" if "images_seen" in training else "–",
        "generator_minutes": round(training["seconds"] / 60) if "seconds" in training else "–",
        "generator_hardware": str(training.get("hardware", "–")),
        "generator_bytes": f"{generator_card['bytes'] / 2**20:.1f} MiB" if "bytes" in generator_card else "–",
    }  # fmt: skip


def _key(kind: str) -> str:
    """Return a kind of classifiers as a part of a name.

    >>> _key("zoo:mlp-corrupted")
    'mlp_corrupted'
    """
    return "".join(c if c.isalnum() else "_" for c in kind.removeprefix("zoo:"))
