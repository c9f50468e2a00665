"""Every number that the page of the purity study quotes."""

import math

import numpy as np

from robustshape.analysis import style
from robustshape.analysis.robustness import main_attack, robustness
from robustshape.models import short_name
from robustshape.statistics.verdict import SIGNIFICANCE
from robustshape.studies.cluster_purity import compared, populations
from robustshape.studies.cluster_purity.compared import ACCURACY, P_PURITY
from robustshape.studies.cluster_purity.populations import population
from robustshape.studies.cluster_purity.tables import odd_multicuts, settings


def n_attacked(rows) -> int:
    """Return on how many images the `main_attack` was made; 0 without one."""
    attack = main_attack(rows)
    return int(rows["n_attacked"].sel(attack=attack).max()) if attack else 0


def numbers(rows, predictions, rivals, within, verdicts) -> dict:
    """Return every number that the study's page quotes, by name, given its tables."""
    found = {}
    for line in predictions.to_dict("records"):
        key = f"{line.pop('indicator')}_{line.pop('target')}".replace(" ", "_")
        found |= {f"{key}_{part}": number for part, number in line.items()}
    for line in rivals.to_dict("records"):
        key = line.pop("indicator").replace(" ", "_")
        found |= {f"rival_{key}_{part}": number for part, number in line.items()}
    for line in within.to_dict("records"):
        key = f"within_{line.pop('indicator')}_{line.pop('target')}".replace(" ", "_")
        found |= {f"{key}_{part}": number for part, number in line.items()}
    for claim, line in verdicts.iterrows():
        key = claim.replace("-", "_")
        found |= {f"{key}_{part}": line[part] for part in ("verdict", "estimate", "low", "high", "n")}
    by_family = {f: r for f, r in populations.without_each_family(rows).items() if math.isfinite(r)}
    weakest = min(by_family, key=by_family.get, default="none")

    def named(family: str) -> str:
        return style.FAMILIES.get(family, (family,))[0]

    known, kept, first = compared.indicators(rows), robustness(rows), rows.isel(model=0)
    clusters = rows["n_clusters"].mean(("draw", "model"), skipna=True)
    purity = rows["purity"].mean("draw", skipna=True)
    best = rivals.iloc[0]
    partial = rivals[rivals["indicator"] != ACCURACY].assign(size=rivals["partial"].abs())
    add = partial.sort_values(["partial_holm", "size"], ascending=[True, False]).iloc[0]
    chosen = settings(rows)
    multicut = rows.sel(clustering="multicut")[["n_clusters", "ari"]].mean("draw")
    found |= {
        "population": population(rows),
        "attack": main_attack(rows) or "none",
        "n_attacked": n_attacked(rows),
        "n_draws": rows.sizes["draw"],
        "n_classes_of_draw": int(first["n_classes"]),
        "per_class": int(first["per_class"]),
        "robustness_dataset": str(first["robustness_dataset"].values),
        "corrupted": str(first["corrupted"].values),
        "weakest_without": named(weakest),
        "weakest_without_r": min(by_family.values(), default=math.nan),
        "strongest_without": named(max(by_family, key=by_family.get, default="none")),
        "strongest_without_r": max(by_family.values(), default=math.nan),
        **populations.by_accuracy(rows),
        "n_rivals": len(rivals),
        "best_rival": compared.words(best["indicator"]),
        "best_rival_r": best["r"],
        "best_rival_r_squared": best["r_squared"],
        "n_rivals_after_holm": int((rivals["holm"] < SIGNIFICANCE).sum()),
        "best_partial": compared.words(add["indicator"]),
        "best_partial_r": add["partial"],
        "best_partial_holm": add["partial_holm"],
        "n_partial_after_holm": int((rivals["partial_holm"] < SIGNIFICANCE).sum()),
        "kmeans_clusters": float(clusters.sel(clustering="k-means")),
        "multicut_clusters": float(clusters.sel(clustering="multicut")),
        "multicut_purity_lowest": float(purity.sel(clustering="multicut").min()),
        "multicut_purity_highest": float(purity.sel(clustering="multicut").max()),
        "kmeans_purity_lowest": float(purity.sel(clustering="k-means").min()),
        "kmeans_purity_highest": float(purity.sel(clustering="k-means").max()),
        "multicut_clusters_lowest": float(multicut["n_clusters"].min()),
        "multicut_clusters_highest": float(multicut["n_clusters"].max()),
        "multicut_ari_lowest": float(multicut["ari"].min()),
        "multicut_ari_highest": float(multicut["ari"].max()),
        "n_odd_multicuts": int(odd_multicuts(rows).sum()),
        "n_multicuts": rows.sizes["draw"] * rows.sizes["model"],
        "setting_agreement_lowest": float(chosen["agreement"].min()) if len(chosen) else float("nan"),
        "setting_r_lowest": float(chosen["r with R"].min()) if len(chosen) else float("nan"),
        "setting_r_highest": float(chosen["r with R"].max()) if len(chosen) else float("nan"),
        "accuracy_lowest": float(rows["accuracy"].min()),
        "accuracy_highest": float(rows["accuracy"].max()),
        "draw_accuracy_lowest": float(known[ACCURACY].min()),
        "draw_accuracy_highest": float(known[ACCURACY].max()),
        "R_lowest": float(kept.min()),
        "R_highest": float(kept.max()),
        "most_robust": short_name(str(rows.model.values[int(kept.argmax())])),
        "p_purity_lowest": float(np.nanmin(known[P_PURITY], initial=math.inf)),
        "p_purity_highest": float(np.nanmax(known[P_PURITY], initial=-math.inf)),
    }
    # a number of numpy's own kind is glued as the words np.float64(...)
    return {name: value.item() if hasattr(value, "item") else value for name, value in found.items()}
