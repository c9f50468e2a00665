"""Verdicts on the claims of the purity study, and every number that its page quotes."""

import math

import numpy as np

from robustshape import statistics
from robustshape.analysis import claims, style
from robustshape.analysis.robustness import main_attack, robustness, robustness_under_attack
from robustshape.models import short_name
from robustshape.studies.cluster_purity import analyse, compared, populations
from robustshape.studies.cluster_purity.compared import ACCURACY, P_PURITY
from robustshape.studies.cluster_purity.tables import odd_multicuts, settings

MADE = {
    "generated": "corruptions generated here",
    "generated jpeg85": "corruptions generated here, saved as JPEG",
    "stored": "the published corrupted files",
}


def population(rows) -> str:
    """Return whom the numbers are about, in words."""
    families, first = len(set(rows["family"].values)), rows.isel(model=0)
    without = int(np.isnan(compared.indicators(rows)[P_PURITY]).sum())
    networks = f"{rows.sizes['model']} networks" + (f" ({without} without p_purity)" if without else "")
    held = str(first["robustness_dataset"].values)
    other = "" if held == str(first["dataset"].values) else f" of {held}"
    return (
        f"{networks} of {families} families on {first['dataset'].values}, {rows.sizes['draw']} draws "
        f"of {int(first['n_classes'])} x {int(first['per_class'])} images; R on {int(first['n_robustness']):,} "
        f"images{other}, {MADE[str(first['corrupted'].values)]}"
    )


def n_attacked(rows) -> int:
    """Return on how many images the `main_attack` was made; 0 without one."""
    attack = main_attack(rows)
    return int(rows["n_attacked"].sel(attack=attack).max()) if attack else 0


def judge(rows, within, *, draws: int = 1000, seed: int = 0):
    """Return the verdict on each of the study's claims, given `populations.within_one_architecture`."""
    whom, preset, evidence = population(rows), rows.attrs["preset"], {}
    known, kept, families = compared.indicators(rows), robustness(rows), rows["family"].values
    how = {"draws": draws, "seed": seed}

    def add(claim, found, of_whom=whom):
        evidence[claim] = claims.Evidence(
            found.estimate, found.low, found.high, found.p_value, found.n, of_whom, preset
        )

    if len(set(families)) >= statistics.FEWEST_FAMILIES:
        add("purity-1", analyse.beyond_denominator(rows, kept, **how))
        add("purity-3", analyse.given_accuracy(known[P_PURITY], kept, known[ACCURACY], families, **how))
        add("purity-4", analyse.product_over_single(rows, **how))
        if "under attack" in compared.targets(rows):
            attacked = f"{whom}; {main_attack(rows)} on {n_attacked(rows):,}"
            add("purity-2", analyse.beyond_denominator(rows, robustness_under_attack(rows), **how), attacked)
    if len(within):
        line = within[(within["indicator"] == P_PURITY) & (within["target"] == "all")].iloc[0]
        of_whom = f"{line['runs']} runs of one architecture under {line['recipes']} recipes, {whom.partition(' on ')[2]}"
        add("purity-5", statistics.Estimate(*line[["r", "low", "high", "p_value", "recipes"]]), of_whom)
    return claims.judge("cluster_purity", evidence)


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
    chosen, product = settings(rows), analyse.product_over_single(rows, squared=True)
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
        "product_squared_estimate": product.estimate,
        "product_squared_low": product.low,
        "product_squared_high": product.high,
        "n_rivals": len(rivals),
        "best_rival": compared.words(best["indicator"]),
        "best_rival_r": best["r"],
        "best_rival_r_squared": best["r_squared"],
        "n_rivals_after_holm": int((rivals["holm"] < claims.SIGNIFICANCE).sum()),
        "best_partial": compared.words(add["indicator"]),
        "best_partial_r": add["partial"],
        "best_partial_holm": add["partial_holm"],
        "n_partial_after_holm": int((rivals["partial_holm"] < claims.SIGNIFICANCE).sum()),
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
