"""Verdicts on the claims of the k* study, and every number that its page quotes."""

import numpy as np

from robustshape import statistics
from robustshape.analysis import claims
from robustshape.analysis.matched import matched
from robustshape.analysis.robustness import main_attack
from robustshape.indicators.kstar_statistics import BAND
from robustshape.studies.kstar_skewness.analyse import (
    PLOTS,
    SHAPES,
    TARGETS,
    changes,
    columns,
    within_one_architecture,
)
from robustshape.studies.kstar_skewness.reported import zero_shot_accuracies
from robustshape.studies.kstar_skewness.tables import interval_check


def population(rows) -> str:
    """Return whom the numbers are about, in words."""
    families = len(set(rows["family"].values))
    images = int(rows["n_samples"].values[0])
    return f"{rows.sizes['model']} networks of {families} families on {rows['dataset'].values[0]}, {images:,} images"


def judge(rows, correlations, *, draws: int = 1000, seed: int = 0):
    """Return the verdict on each of the study's claims, given its `correlation_table`."""
    preset, whom = rows.attrs["preset"], population(rows)
    values, families, evidence = columns(rows), rows["family"].values, {}

    def add(claim, estimate, low, high, p_value, n, of_whom=whom):
        evidence[claim] = claims.Evidence(estimate, low, high, p_value, int(n), of_whom, preset)

    def resampled(claim, statistic, threshold=0.0):
        found = statistics.bootstrap_over_families(
            statistic, families, rng=np.random.default_rng(seed), draws=draws
        )
        everyone = statistic(np.arange(len(families)))
        p_value = statistics.bootstrap_p_value(found, threshold)
        add(claim, everyone, *statistics.interval(found), p_value, len(set(families)))

    gamma, robust = values["approximate_skewness"], values["robust"]
    if len(set(families)) >= statistics.FEWEST_FAMILIES:
        if np.isfinite(gamma).any():
            resampled("kstar-1", lambda i: float((gamma[i] > BAND).mean()), threshold=0.5)
        for claim, target in (("kstar-3", "robustness"), ("kstar-6", "robust")):
            line = correlations[
                (correlations["shape"] == SHAPES["approximate_skewness"])
                & (correlations["target"] == TARGETS[target])
            ]
            if len(line) and line.iloc[0]["families"] >= statistics.FEWEST_FAMILIES:
                add(claim, *line.iloc[0][["r", "low", "high", "p_value", "families"]])
        plots = [values[f"{method}_hit"] for method in PLOTS]
        if np.isfinite([gamma, robust, *plots]).all():
            resampled("kstar-5", lambda i: _advantage(gamma[i], [plot[i] for plot in plots], robust[i]))
        reported = np.array([zero_shot_accuracies().get(str(model), np.nan) for model in rows.model.values])
        if np.isfinite(reported).all():
            resampled("kstar-2", lambda i: statistics.pearson(gamma[i], reported[i]))
    ours, found = matched(rows), changes(rows)
    if ours is None and len(found) and found["pairs"][0] > 1:
        change = found.iloc[0]
        pairs_of = f"{change['pairs']} pairs, {rows['dataset'].values[0]}, {int(rows['n_samples'].values[0]):,} images"
        add("kstar-4", *change[["change", "low", "high", "p_value", "pairs"]], pairs_of)
    if ours is not None:
        within = within_one_architecture(rows, draws=draws, seed=seed)
        line = within[
            (within["shape"] == SHAPES["approximate_skewness"]) & (within["target"] == TARGETS["robust"])
        ]
        if len(line):
            words = f"{line.iloc[0]['runs']} runs of one architecture under {line.iloc[0]['recipes']} recipes"
            add("kstar-7", *line.iloc[0][["r", "low", "high", "p_value", "recipes"]], words)
        found = changes(ours)
        if len(found) and found["pairs"][0] > 1:
            change = found.iloc[0]
            words = f"{change['pairs']} seeds of one architecture, plain and PGD"
            add("kstar-8", *change[["change", "low", "high", "p_value", "pairs"]], words)
    return claims.judge("kstar_skewness", evidence)


def _r(x, y) -> float:
    """Return the correlation over the models that have both numbers; NaN for fewer than three."""
    there = np.isfinite(x) & np.isfinite(y)
    return statistics.pearson(x[there], y[there]) if there.sum() > 2 else float("nan")


def _advantage(gamma, plots, robust) -> float:
    """Return by how much Gamma' orders models by robustness better than the better of the plots."""
    of_plots = max(abs(statistics.spearman(plot, robust)) for plot in plots)
    return abs(statistics.spearman(gamma, robust)) - of_plots


def numbers(rows, correlations, verdicts, *, seed: int = 0) -> dict:
    """Return every number that the study's page quotes, by name, given its two tables."""
    values = columns(rows)
    within = within_one_architecture(rows, seed=seed)
    found = {}
    names = {words: name for name, words in (SHAPES | TARGETS).items()}
    for line in correlations.to_dict("records"):
        key = f"{names[line['shape']]}_{names[line['target']]}"
        found |= {f"{key}_{part}": line[part] for part in ("r", "low", "high", "spearman")}
    for claim, line in verdicts.iterrows():
        key = claim.replace("-", "_")
        found |= {f"{key}_{part}": line[part] for part in ("verdict", "estimate", "low", "high", "n")}
    for line in within.to_dict("records"):
        key = f"within_{names[line['shape']]}_{names[line['target']]}"
        found |= {f"{key}_{part}": line[part] for part in ("r", "low", "high", "spearman", "runs", "recipes")}
    for line in interval_check(rows).to_dict("records"):
        found[f"half_sample_ratio_{line['statistic']}"] = line["ratio"]
    for line in changes(rows).to_dict("records"):
        key = "change_of_gamma" if line["quantity"] == "Gamma'" else "change_of_mean_rank"
        found |= {
            f"{key}_{part}": line[name]
            for part, name in (("estimate", "change"), ("low", "low"), ("high", "high"), ("n", "pairs"))
        }
    n_plotted = rows.sizes.get("plot_sample", 0)
    found |= {"n_plotted": f"{n_plotted:,}", "n_shifted": f"{rows.sizes.get('shift_sample', 0):,}"}
    gamma = values["approximate_skewness"]
    found |= {
        "n_classes": rows.sizes.get("class", 0),
        "attack": main_attack(rows),
        "accuracy_robust_r": _r(values["accuracy"], values["robust"]),
        "n_fractured": int((gamma > 0.5).sum()),
        "gamma_lowest": float(np.nanmin(gamma)),
        "gamma_highest": float(np.nanmax(gamma)),
        "floor_skewness": float(rows["permuted_skewness"].values[0]),
        "floor_mean_rank": float(rows["permuted_mean_rank"].values[0]),
        "mean_rank_lowest": float(rows["mean_normalised_rank"].min()),
        "mean_rank_highest": float(rows["mean_normalised_rank"].max()),
        "accuracy_lowest": float(values["accuracy"].min()),
        "accuracy_highest": float(values["accuracy"].max()),
        "R_lowest": float(values["robustness"].min()),
        "R_highest": float(values["robustness"].max()),
    }
    return found
