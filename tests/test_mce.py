"""Mean corruption error: by hand, AlexNet against itself, order and extra corruptions, what is not measured."""

import numpy as np
import pytest
import xarray

from robustshape.analysis.mce import (
    ALEXNET,
    ALEXNET_CLEAN,
    mean_corruption_error,
    relative_mean_corruption_error,
)
from robustshape.corruptions import STANDARD
from robustshape.errors import InputError


def grid(values, corruptions=STANDARD, severities=(1, 2, 3, 4, 5)):
    values = np.broadcast_to(np.asarray(values, float), (len(corruptions), len(severities)))
    return xarray.DataArray(values.copy(), {"corruption": list(corruptions), "severity": list(severities)})


def rows(seed=0, n=4):
    rng = np.random.default_rng(seed)
    shares = rng.uniform(0.05, 0.6, (n, 15, 5))
    return xarray.Dataset(
        {
            "corrupted_accuracy": (("model", "corruption", "severity"), shares),
            "accuracy": ("model", rng.uniform(0.7, 0.95, n)),
        },
        coords={"model": list("abcd")[:n], "corruption": list(STANDARD), "severity": [1, 2, 3, 4, 5]},
    )


def alexnet():
    return grid(np.array([[1 - ALEXNET[name]] for name in STANDARD]))


def test_by_hand():
    # errors .2 on seven corruptions and .4 on eight; the baseline's .8, but .1 .2 .3 .4 .5 (sum 1.5) on the first
    errors = np.full((15, 5), 0.4)
    errors[:7] = 0.2
    base = np.full((15, 5), 0.8)
    base[0] = [0.1, 0.2, 0.3, 0.4, 0.5]
    expected = (1.0 / 1.5 + 6 * 0.25 + 8 * 0.5) / 15
    assert mean_corruption_error(grid(1 - errors), grid(1 - base)) == pytest.approx(expected)


def test_the_published_alexnet():
    assert tuple(ALEXNET) == STANDARD
    assert np.mean(list(ALEXNET.values())) == pytest.approx(0.7890, abs=1e-3)
    assert mean_corruption_error(alexnet()) == pytest.approx(1)
    assert mean_corruption_error(grid(1.0)) == 0
    assert relative_mean_corruption_error(alexnet(), clean=1 - ALEXNET_CLEAN) == pytest.approx(1)
    # a network that errs half as often under every corruption
    halved = grid(1 - np.array([[ALEXNET[name] / 2] for name in STANDARD]))
    assert mean_corruption_error(halved) == pytest.approx(0.5)


def test_the_sum_over_severities_counts_not_the_mean_of_ratios():
    errors = grid(1 - np.array([0.1, 0.1, 0.1, 0.1, 0.6]))
    base = grid(1 - np.array([0.1, 0.2, 0.2, 0.2, 0.3]))
    assert mean_corruption_error(errors, base) == pytest.approx(1)


def test_equals_a_plain_loop_over_rows():
    table = rows()
    found = mean_corruption_error(table, table.sel(model="c"))
    relative = relative_mean_corruption_error(table, table.sel(model="c"))
    assert found.shape == relative.shape == (4,)
    shares, clean = table.corrupted_accuracy.values, table.accuracy.values
    for i in range(4):
        ratios = [np.sum(1 - shares[i, c]) / np.sum(1 - shares[2, c]) for c in range(15)]
        added = [(clean[i] - shares[i, c].mean()) / (clean[2] - shares[2, c].mean()) for c in range(15)]
        assert found[i] == pytest.approx(np.mean(ratios))
        assert relative[i] == pytest.approx(np.mean(added))
    assert found[2] == pytest.approx(1) and relative[2] == pytest.approx(1)


def test_order_and_extra_corruptions_do_not_matter():
    table = rows()
    expected = mean_corruption_error(table)
    rng = np.random.default_rng(1)
    mixed = table.isel(corruption=rng.permutation(15), severity=rng.permutation(5))
    np.testing.assert_allclose(mean_corruption_error(mixed), expected)
    turned = table.corrupted_accuracy.transpose("severity", "model", "corruption")
    np.testing.assert_allclose(mean_corruption_error(turned), expected)
    more = table.corrupted_accuracy.reindex(corruption=[*STANDARD, "spatter"], fill_value=0.0)
    np.testing.assert_allclose(mean_corruption_error(more), expected)


def test_clean_accuracies_are_matched_by_name():
    table = rows()
    expected = relative_mean_corruption_error(table)
    shares, clean = table.corrupted_accuracy, table.accuracy
    for given in (clean, clean[::-1], clean.values):
        np.testing.assert_allclose(relative_mean_corruption_error(shares, clean=given), expected)
    one = relative_mean_corruption_error(shares[1], clean=float(clean[1]))
    assert one == pytest.approx(expected[1])
    own = relative_mean_corruption_error(shares, shares[0], clean=clean, baseline_clean=clean[0])
    assert own[0] == pytest.approx(1)


@pytest.mark.parametrize("lacking", ["corruption", "severity", "one value", "all"])
def test_nan_where_not_everything_was_measured(lacking):
    table = rows()
    if lacking == "one value":
        table.corrupted_accuracy[1, 3, 2] = np.nan
        assert np.isnan(mean_corruption_error(table)).tolist() == [False, True, False, False]
        return
    less = (
        table.drop_vars("corrupted_accuracy") if lacking == "all" else table.isel({lacking: slice(1, None)})
    )
    for found in (mean_corruption_error(less), relative_mean_corruption_error(less)):
        assert found.shape == (4,) and np.isnan(found).all()
    assert np.isnan(mean_corruption_error(table, less.sel(model="a"))).all()


def test_nan_where_the_baseline_never_errs_or_gains():
    perfect = alexnet()
    perfect[4] = 1.0
    assert np.isnan(mean_corruption_error(alexnet(), perfect))
    assert np.isnan(relative_mean_corruption_error(alexnet(), perfect, clean=0.6, baseline_clean=0.9))


def test_the_words_of_the_errors():
    table = rows()
    with pytest.raises(InputError, match=r"one network.*\('model',\)"):
        mean_corruption_error(table, table)
    with pytest.raises(InputError, match="unknown baseline 'resnet50'; closest: alexnet"):
        mean_corruption_error(table, "resnet50")
    with pytest.raises(InputError, match=r"shares from 0 to 1, but up to 56\.5"):
        mean_corruption_error(grid(56.5))
    with pytest.raises(InputError, match="was given ndarray"):
        mean_corruption_error(np.zeros((15, 5)))
    with pytest.raises(InputError, match=r"as coordinates, but was given \('corruption', 'severity'\)"):
        mean_corruption_error(grid(0.5).drop_vars("severity"))
    with pytest.raises(InputError, match="give clean, or rows"):
        relative_mean_corruption_error(grid(0.5))
    with pytest.raises(InputError, match="give baseline_clean, or rows"):
        relative_mean_corruption_error(grid(0.5), grid(0.5), clean=0.6)
    with pytest.raises(InputError, match=r"one accuracy for each network, \(4,\), but has \(3,\)"):
        relative_mean_corruption_error(table, clean=[0.5, 0.6, 0.7])
