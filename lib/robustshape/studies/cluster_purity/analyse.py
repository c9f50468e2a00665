"""Statistics of the purity study: does p_purity predict R, beyond its denominator and beyond accuracy?

p_purity = purity / clean accuracy (Ho, Pfreundt, J. Keuper, M. Keuper 2021, page 1). R has the same
denominator, so every correlation of the two stands beside the null that permutes the purities among the
models and leaves the accuracies in place.
"""

from dataclasses import asdict, dataclass

import numpy as np

from robustshape import claims, statistics
from robustshape.studies.ratios import group_robustness, robustness, unseen_robustness


@dataclass(frozen=True)
class Prediction:
    """How well one indicator predicts one target over the networks of a population."""

    indicator: str
    target: str
    r: float
    low: float  # 95 % interval of r, families resampled
    high: float
    r_squared: float
    r_squared_low: float
    r_squared_high: float
    spearman: float
    kendall: float
    null_mean: float  # r with the purities permuted; NaN where the indicator shares no denominator
    null_low: float
    null_high: float
    image_low: float  # 95 % interval of r over random halves of the images; NaN where not drawn
    image_high: float
    models: int
    families: int


def p_purity(rows):
    """Return purity / clean accuracy, both on the indicator's images, for each model."""
    return rows["purity"].values.astype(float) / rows["indicator_accuracy"].values.astype(float)


def indicators(rows) -> dict[str, np.ndarray]:
    """Return the indicators compared on this page, by name."""
    return {
        "p_purity": p_purity(rows),
        "purity": rows["purity"].values.astype(float),
        "clean accuracy": rows["indicator_accuracy"].values.astype(float),
    }


def targets(rows) -> dict[str, np.ndarray]:
    """Return R over all corruptions, over groups that no recipe trained on, and by group; what was measured."""
    found = {"all": robustness(rows), "not trained on": unseen_robustness(rows), **group_robustness(rows)}
    return {name: values for name, values in found.items() if np.isfinite(values).all()}


def r_of_halves(rows) -> np.ndarray:
    """Return r(p_purity, R) for each draw of random halves of the images."""
    ratio = (rows["purity_of_half"] / rows["indicator_accuracy_of_half"]).values
    kept = (rows["corrupted_accuracy_of_half"] / rows["accuracy_of_half"]).values
    return np.array([statistics.pearson(ratio[:, i], kept[:, i]) for i in range(ratio.shape[1])])


def null_of(rows, target, *, draws: int, seed: int) -> np.ndarray:
    """Return r(p_purity, target) with the purities permuted among the models."""
    return statistics.shared_denominator_null(
        rows["purity"].values, rows["indicator_accuracy"].values, target, np.random.default_rng(seed), draws
    )


def _resampled(function, families, *, draws, seed):
    return statistics.bootstrap_over_families(
        function, families, rng=np.random.default_rng(seed), draws=draws
    )


def predict(rows, indicator: str, target: str, *, draws: int = 1000, seed: int = 0) -> Prediction:
    """Return how well one indicator predicts R, with its intervals and its null."""
    x, y, families = indicators(rows)[indicator], targets(rows)[target], rows["family"].values
    resampled = _resampled(lambda i: statistics.pearson(x[i], y[i]), families, draws=draws, seed=seed)
    unknown = (float("nan"), float("nan"))
    null = null_of(rows, y, draws=draws, seed=seed) if indicator == "p_purity" else np.array([np.nan])
    halves = indicator == "p_purity" and target == "all"
    low, high = statistics.interval(resampled)
    square_low, square_high = statistics.interval(resampled**2)
    null_low, null_high = statistics.interval(null)
    image_low, image_high = statistics.interval(r_of_halves(rows)) if halves else unknown
    every = statistics.correlations(x, y)
    return Prediction(
        indicator, target, every["pearson"], low, high, every["pearson"] ** 2, square_low, square_high,
        every["spearman"], every["kendall"], float(null.mean()), null_low, null_high, image_low, image_high,
        len(x), len(set(families)),
    )  # fmt: skip


def prediction_table(rows, *, draws: int = 1000, seed: int = 0):
    """Return a `Prediction` for each indicator and target as a pandas.DataFrame."""
    import pandas as pd

    found = [
        predict(rows, indicator, target, draws=draws, seed=seed)
        for indicator in indicators(rows)
        for target in targets(rows)
    ]
    return pd.DataFrame([asdict(line) for line in found])


def without_each_family(rows) -> dict[str, float]:
    """Return r(p_purity, R) with one family left out, for each family."""
    x, y = p_purity(rows), robustness(rows)
    return statistics.leave_one_group_out(lambda i: statistics.pearson(x[i], y[i]), rows["family"].values)


def given_accuracy(rows, *, draws: int = 1000, seed: int = 0) -> statistics.Estimate:
    """Return the partial correlation of p_purity and R given clean accuracy, families resampled."""
    x, y, accuracy = p_purity(rows), robustness(rows), rows["indicator_accuracy"].values.astype(float)
    families = rows["family"].values
    resampled = _resampled(
        lambda i: statistics.partial_correlation(x[i], y[i], accuracy[i]), families, draws=draws, seed=seed
    )
    low, high = statistics.interval(resampled)
    return statistics.Estimate(
        statistics.partial_correlation(x, y, accuracy), low, high,
        statistics.bootstrap_p_value(resampled), len(set(families)),
    )  # fmt: skip


def beyond_denominator(rows, *, draws: int = 1000, seed: int = 0) -> statistics.Estimate:
    """Return r(p_purity, R) minus the larger of 0 and the mean of its null, families resampled.

    The null is taken anew in every resample, so that its own uncertainty is in the interval.
    """
    purity, accuracy = rows["purity"].values.astype(float), rows["indicator_accuracy"].values.astype(float)
    kept, families = robustness(rows), rows["family"].values

    def excess(i, rng, n):
        null = statistics.shared_denominator_null(purity[i], accuracy[i], kept[i], rng, n).mean()
        return statistics.pearson(purity[i] / accuracy[i], kept[i]) - max(0.0, float(null))

    rng = np.random.default_rng([seed, 1])
    resampled = _resampled(lambda i: excess(i, rng, 100), families, draws=draws, seed=seed)
    low, high = statistics.interval(resampled)
    return statistics.Estimate(
        excess(np.arange(len(purity)), np.random.default_rng(seed), draws), low, high,
        statistics.bootstrap_p_value(resampled), len(set(families)),
    )  # fmt: skip


def judge(rows, *, draws: int = 1000, seed: int = 0):
    """Return the verdict on each of the study's claims (see `robustshape.claims.judge`)."""
    families = len(set(rows["family"].values))
    whom = (
        f"{rows.sizes['model']} networks of {families} families on {rows['dataset'].values[0]}, "
        f"{int(rows['n_samples'].values[0]):,} + {int(rows['n_robustness'].values[0]):,} images"
    )
    evidence = {}
    if families >= statistics.FEWEST_FAMILIES:
        for name, found in (
            ("purity-1", beyond_denominator(rows, draws=draws, seed=seed)),
            ("purity-3", given_accuracy(rows, draws=draws, seed=seed)),
        ):
            evidence[name] = claims.Evidence(
                found.estimate, found.low, found.high, found.p_value, found.n, whom, rows.attrs["preset"]
            )
    return claims.judge("cluster_purity", evidence)


def overview(rows):
    """Return one line for each network: purity with its number of clusters, accuracies, p_purity and R."""
    import pandas as pd

    return pd.DataFrame(
        {
            "network": rows.model.values,
            "clean accuracy": rows["accuracy"].values,
            "purity": rows["purity"].values,
            "clusters": rows["n_clusters"].values.astype(int),
            "ARI": rows["ari"].values,
            "NMI": rows["nmi"].values,
            "p_purity": p_purity(rows),
            "R": robustness(rows),
            "R, groups not trained on": unseen_robustness(rows),
            "origin": rows["origin"].values,
        }
    ).sort_values("R", ascending=False)


def numbers(rows, predictions, verdicts, *, draws: int = 1000, seed: int = 0) -> dict:
    """Return every number that the study's page quotes, by name, given its two tables."""
    found = {}
    for line in predictions.to_dict("records"):
        key = f"{line.pop('indicator')}_{line.pop('target')}".replace(" ", "_")
        found |= {f"{key}_{part}": number for part, number in line.items()}
    for claim, line in verdicts.iterrows():
        key = claim.replace("-", "_")
        found |= {f"{key}_{part}": line[part] for part in ("verdict", "estimate", "low", "high", "n")}
    left_out = without_each_family(rows)
    weakest = min(left_out, key=lambda family: left_out[family])
    partial = given_accuracy(rows, draws=draws, seed=seed)
    return found | {
        "partial_r": partial.estimate,
        "partial_low": partial.low,
        "partial_high": partial.high,
        "weakest_without": weakest,
        "weakest_without_r": left_out[weakest],
        "strongest_without_r": max(left_out.values()),
        "purity_lowest": float(rows["purity"].min()),
        "purity_highest": float(rows["purity"].max()),
        "R_lowest": float(robustness(rows).min()),
        "R_highest": float(robustness(rows).max()),
    }
