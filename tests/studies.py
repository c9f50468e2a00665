"""Small parameters of the studies, for the tests: one cheap network family on the smallest data set."""

SHARED = dict(
    models=["zoo:mlp", "zoo:mlp-noise"],
    dataset="digits",
    n_samples=60,
    n_robustness=40,
    corruptions=["gaussian_noise", "contrast"],
    severities=[1, 5],
    epochs=1,
    seed=0,
    preset="test",
    source="measure",
    dask_scheduler="none",
)
KSTAR = SHARED | dict(
    metric="euclidean",
    n_bootstrap=20,
    n_halves=2,
    attacks=["fgsm linf 0.05 0.1 on 30"],
    shift="fgsm linf 0.1 on 30",
    plots=["tsne"],
    n_plotted=20,
)
PURITY = SHARED | dict(
    reading="",
    robustness_dataset="",
    robustness_reading="",
    corrupted="generated",
    attacks=["pgd linf 0.1 on 20"],
    n_classes=0,
    per_class=4,
    n_draws=3,
    n_closer=1,
    layer="penultimate",
    layers=["logits"],
    normalise=False,
)


def without_times(rows):
    """Return the rows less the columns whose name holds ``time``: all that must be equal everywhere."""
    return rows.drop_vars([name for name in rows.data_vars if "time" in name])
