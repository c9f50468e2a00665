"""Slopes: by hand, the sandwich of matrices as the plain twin, another library's numbers, coverage, degenerate runs."""

import numpy as np
import pytest
from scipy import stats

from robustshape.errors import InputError
from robustshape.statistics import slope

ALPHA = np.repeat([-1.0, -0.4, 0.0, 0.4, 1.0], 3)
RISING = [0.31, 0.29, 0.33, 0.36, 0.35, 0.40, 0.44, 0.41, 0.43, 0.52, 0.60, 0.55, 0.71, 0.80, 0.66]


def runs(seed=0, n=20):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, n)
    return x, 0.3 * x + 0.2 * rng.standard_normal(n) * (2.1 + x)  # scatters the more, the larger x


def numbers(found):
    return found.estimate, found.low, found.high, found.p_value


def by_matrices(x, y, level=0.95, groups=None):
    """Return slope, ends and p-value from (X'X)^-1 X' diag(e^2 / (1 - h)^2) X (X'X)^-1, X with an intercept a group."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    groups = np.zeros(len(x)) if groups is None else np.asarray(groups)
    levels = (groups[:, None] == np.unique(groups)).astype(float)
    design = np.column_stack([levels[:, 0], x, levels[:, 1:]])
    bread = np.linalg.inv(design.T @ design)
    hat = design @ bread @ design.T
    residual = y - hat @ y
    meat = design.T @ np.diag((residual / (1 - np.diag(hat))) ** 2) @ design
    found, error = (bread @ design.T @ y)[1], np.sqrt((bread @ meat @ bread)[1, 1])
    student = stats.t(len(x) - design.shape[1])
    half = student.ppf((1 + level) / 2) * error
    return found, found - half, found + half, 2 * student.sf(abs(found) / error)


def test_by_hand():
    # y = 2x but for 1 up and 1 down at either end: all pull alike, 1/4 + 1/4, so each residual counts twice
    found = slope([-1, -1, 1, 1], [-1, -3, 1, 3])
    error = np.sqrt(4 * (1 / 0.5) ** 2) / 4
    half = stats.t.ppf(0.975, 2) * error
    assert numbers(found)[:3] == pytest.approx((2, 2 - half, 2 + half)) and found.n == 4
    assert found.p_value == pytest.approx(2 * stats.t.sf(2 / error, 2))


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_equals_the_sandwich_of_matrices(level):
    for seed in range(5):
        x, y = runs(seed)
        assert numbers(slope(x, y, level)) == pytest.approx(by_matrices(x, y, level), rel=1e-9)


def test_within_groups_it_equals_the_sandwich_with_a_level_for_each():
    for seed in range(5):
        x, y = runs(seed)
        group = np.random.default_rng(seed).integers(0, 3, len(x))
        raised = y + 5.0 * group
        found = slope(x, raised, groups=group)
        assert numbers(found) == pytest.approx(by_matrices(x, raised, groups=group), rel=1e-9)
        assert numbers(found) == pytest.approx(numbers(slope(x, y, groups=group)))  # levels do not matter
        assert numbers(slope(x, y, groups=["one"] * len(x))) == pytest.approx(numbers(slope(x, y)))
    holes = np.where(np.arange(len(x)) == 3, np.nan, raised)
    kept = np.arange(len(x)) != 3
    assert numbers(slope(x, holes, groups=group)) == pytest.approx(
        numbers(slope(x[kept], raised[kept], groups=group[kept]))
    )


def test_a_group_of_one_run_is_left_out_and_the_others_keep_their_interval():
    x, y = runs(2)
    group = np.arange(20) // 5
    expected = numbers(slope(x, y, groups=group))
    found = slope([*x, 30.0, -7.0], [*y, 9.0, 1.0], groups=[*group, 8, 9])
    assert numbers(found) == pytest.approx(expected) and np.isfinite(expected).all() and found.n == 20
    # a run whose only fellow has no number is alone too
    assert numbers(slope([*x, 3.0, 4.0], [*y, 9.0, np.nan], groups=[*group, 8, 8])) == pytest.approx(expected)
    # by hand: within the two pairs y rises by 1 and by 3 per unit, the single one far away says nothing
    pairs = slope([0, 1, 0, 1, 50], [0, 1, 10, 13, -99], groups=["a", "a", "b", "b", "c"])
    assert pairs.estimate == pytest.approx(2.0) and pairs.n == 4 and np.isfinite(pairs.low)
    assert np.isnan(slope(x[:6], y[:6], groups=range(6)).estimate)


def test_within_groups_of_a_single_x_there_is_no_slope():
    assert np.isnan(slope([1, 1, 2, 2, 3, 3], [1, 2, 3, 4, 5, 6], groups=[0, 0, 1, 1, 2, 2]).estimate)
    assert np.isnan(slope([1, 2, 1, 2], [1, 2, 3, 4], groups=[0, 0, 1, 2]).estimate)  # no freedom is left


@pytest.mark.parametrize(
    "x, y, expected",
    [
        (ALPHA, RISING, (0.2103448275862069, 0.15338892042088395, 0.2673007347515298, 2.303020532676277e-06)),
        (
            [1, 2, 3, 5, 8],
            [2, 1, 4, 3, 9],
            (1.0, -1.0294559857934646, 3.0294559857934646, 0.2148524654414084),
        ),
    ],
)
def test_equals_statsmodels(x, y, expected):
    """As printed by version 0.15 for ``OLS(y, add_constant(x)).fit(cov_type="HC3", use_t=True)``."""
    assert numbers(slope(x, y)) == pytest.approx(expected, rel=1e-9)


def test_is_the_ordinary_slope_with_a_wider_interval_where_scatter_grows():
    x, y = runs(1, 200)
    found, ordinary = slope(x, y), stats.linregress(x, y)
    assert found.estimate == pytest.approx(ordinary.slope)
    grown = np.where(abs(x) > 1, 3.0, 0.1) * np.random.default_rng(2).standard_normal(200)
    half = stats.t.ppf(0.975, 198) * stats.linregress(x, grown).stderr
    wide = slope(x, grown)
    assert wide.high - wide.low > 1.1 * 2 * half


def test_order_does_not_matter_and_scales_go_with_the_units():
    x, y = runs(3)
    found, order = slope(x, y), np.random.default_rng(4).permutation(20)
    assert numbers(slope(x[order], y[order])) == pytest.approx(numbers(found))
    moved = slope(10 * x - 7, 100 * y + 3)
    assert numbers(moved)[:3] == pytest.approx([10 * v for v in numbers(found)[:3]])
    assert moved.p_value == pytest.approx(found.p_value)
    turned = slope(-x, y)
    assert numbers(turned) == pytest.approx((-found.estimate, -found.high, -found.low, found.p_value))


def test_runs_without_a_number_are_left_out():
    x, y = runs(5)
    with_gaps = slope([*x, np.nan, 1.0, 2.0], [*y, 1.0, np.nan, np.inf])
    assert with_gaps == slope(x, y) and with_gaps.n == 20


@pytest.mark.parametrize(
    "x, y, n",
    [
        ([0, 1, 2], [0, 1, 2], 3),
        ([0, 1, 2, np.nan], [0, 1, 2, 3], 3),
        ([0.1] * 6, range(6), 6),
        ([], [], 0),
    ],
)
def test_too_few_runs_or_a_single_x_say_nothing(x, y, n):
    found = slope(x, y)
    assert np.isnan(numbers(found)).all() and found.n == n


@pytest.mark.parametrize("far", [1, -30.0])
def test_a_run_that_alone_decides_the_slope_leaves_it_without_an_interval(far):
    found = slope([0.4, 0.4, 0.4, far], [0.1, 0.2, 0.3, 0.9])
    assert found.estimate == pytest.approx((0.9 - 0.2) / (far - 0.4)) and found.n == 4
    assert np.isnan([found.low, found.high, found.p_value]).all()


def test_runs_on_a_line_have_no_doubt_and_a_flat_one_no_slope():
    found = slope([0, 1, 2, 4], [1, 3, 5, 9])
    assert numbers(found)[:3] == pytest.approx((2, 2, 2)) and found.p_value < 1e-12
    assert numbers(slope([0, 1, 2, 3], [5, 5, 5, 5])) == (0, 0, 0, 1)


def test_the_interval_covers_the_true_slope_as_often_as_it_says():
    rng, held = np.random.default_rng(6), 0
    for _ in range(1000):
        y = 0.5 * ALPHA + (0.2 + 0.3 * (ALPHA + 1)) * rng.standard_normal(15)
        found = slope(ALPHA, y)
        held += found.low <= 0.5 <= found.high
    assert 0.92 < held / 1000 < 0.99


@pytest.mark.parametrize("x, y", [([0, 1, 2, 3], [0, 1, 2]), ([0, 1, 2, 3], 4.0)])
def test_other_lengths_are_refused(x, y):
    with pytest.raises(InputError, match="one value per model is needed in each, but the shapes are"):
        slope(x, y)


def test_a_group_is_needed_for_each_run():
    with pytest.raises(InputError, match=r"a group for each run, but was given \(2,\) for \(4,\) runs"):
        slope([0, 1, 2, 3], [0, 1, 2, 3], groups=[0, 1])
