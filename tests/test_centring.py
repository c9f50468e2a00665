"""Recipe-centred correlation over families: a plain twin in every fold, recipes that shift, targets fitted anew."""

import numpy as np
import pytest
from scipy import stats

from robustshape.errors import InputError
from robustshape.statistics import partial_correlation, pearson
from robustshape.statistics.centring import correlate_over_families
from robustshape.statistics.effective_robustness import effective_robustness

RNG = np.random.default_rng(0)
FAMILIES = np.repeat(np.arange(9), 3)
RECIPES = np.tile(["plain", "mixup", "fast"], 9)
X, Y, GIVEN = RNG.normal(size=(27, 3)), RNG.normal(size=(27, 2)), RNG.normal(size=(27, 2))
DUMMIES = (RECIPES[:, None] == ["plain", "mixup"]).astype(float)


def twin(x, y, given, families, level=0.95):
    """Return estimate and ends by `partial_correlation` of everything, and without each family."""
    names = np.unique(families)
    r = partial_correlation(x, y, given)
    zs = [np.arctanh(partial_correlation(*(a[families != g] for a in (x, y, given)))) for g in names]
    error = np.sqrt((len(names) - 1) / len(names) * sum((z - np.arctanh(r)) ** 2 for z in zs))
    half = stats.t.ppf((1 + level) / 2, len(names) - 1) * error
    return r, np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)


def test_equals_partial_correlation_with_recipes_as_dummies_in_every_fold():
    found = correlate_over_families(X, Y, FAMILIES, given=GIVEN, recipes=RECIPES)
    assert found.estimate.shape == found.low.shape == found.n.shape == (3, 2) and (found.n == 9).all()
    for i in range(3):
        for j in range(2):
            expected = twin(X[:, i], Y[:, j], np.column_stack([GIVEN, DUMMIES]), FAMILIES)
            assert (found.estimate[i, j], found.low[i, j], found.high[i, j]) == pytest.approx(expected)


def test_one_column_is_a_number_and_pairs_are_a_list():
    whole = correlate_over_families(X, Y, FAMILIES, given=GIVEN[:, 0], recipes=RECIPES)
    one = correlate_over_families(X[:, 1], Y[:, 0], FAMILIES, given=GIVEN[:, 0], recipes=RECIPES)
    assert isinstance(one.low, float) and one.n == 9
    assert (one.estimate, one.low, one.high, one.p_value, one.error) == pytest.approx(
        tuple(v[1, 0] for v in (whole.estimate, whole.low, whole.high, whole.p_value, whole.error))
    )
    column = correlate_over_families(X, Y[:, 0], FAMILIES, given=GIVEN[:, 0], recipes=RECIPES)
    assert column.low == pytest.approx(whole.low[:, 0])
    pairs = correlate_over_families(X[:, :2], Y, FAMILIES, given=GIVEN[:, 0], recipes=RECIPES, pairwise=True)
    assert pairs.low == pytest.approx(np.diag(whole.low[:2]))


def test_without_recipes_or_covariates_it_is_pearsons():
    found = correlate_over_families(X[:, 0], Y[:, 0], FAMILIES)
    assert found.estimate == pytest.approx(pearson(X[:, 0], Y[:, 0]))


def test_shifts_of_recipes_units_and_order_do_not_matter():
    shift = np.array([{"plain": 0.0, "mixup": 5.0, "fast": -900.0}[r] for r in RECIPES])
    order = np.random.default_rng(1).permutation(27)
    before = correlate_over_families(X[:, 0], Y[:, 0], FAMILIES, given=GIVEN, recipes=RECIPES)
    after = correlate_over_families(
        (1e-3 * X[:, 0] + shift)[order], (50 * Y[:, 0] + shift)[order], FAMILIES[order],
        given=(1e4 * GIVEN + shift[:, None])[order], recipes=RECIPES[order],
    )  # fmt: skip
    assert (after.estimate, after.low, after.high) == pytest.approx(
        (before.estimate, before.low, before.high)
    )
    pooled = correlate_over_families(X[:, 0] + shift, Y[:, 0] + shift, FAMILIES)
    assert pooled.estimate > 0.99  # what the shifts alone make


def test_a_model_without_a_number_is_left_out_of_its_own_pairs_only():
    holes, other = X.copy(), Y.copy()
    holes[3:6, 1], other[0, 1] = np.nan, np.nan
    found = correlate_over_families(holes, other, FAMILIES, given=GIVEN, recipes=RECIPES)
    assert found.n.tolist() == [[9, 9], [8, 8], [9, 9]]
    for i, j in ((0, 0), (1, 0), (0, 1), (1, 1)):
        there = np.isfinite(holes[:, i]) & np.isfinite(other[:, j])
        one = correlate_over_families(
            X[there, i], Y[there, j], FAMILIES[there], given=GIVEN[there], recipes=RECIPES[there]
        )
        assert (found.estimate[i, j], found.low[i, j]) == pytest.approx((one.estimate, one.low))
    paired = correlate_over_families(
        holes[:, :2], other, FAMILIES, given=GIVEN, recipes=RECIPES, pairwise=True
    )
    assert paired.low == pytest.approx([found.low[0, 0], found.low[1, 1]])
    nobody = correlate_over_families(np.full(27, np.nan), Y[:, 0], FAMILIES)
    assert np.isnan(nobody.estimate) and nobody.n == 0


def test_a_covariate_that_says_nothing_within_recipes_is_passed_over():
    level = DUMMIES @ [0.3, 0.1]
    found = correlate_over_families(
        X[:, 0], Y[:, 0], FAMILIES, given=np.column_stack([GIVEN, level, 2 * GIVEN[:, 0]]), recipes=RECIPES
    )
    plain = correlate_over_families(X[:, 0], Y[:, 0], FAMILIES, given=GIVEN, recipes=RECIPES)
    assert (found.estimate, found.low) == pytest.approx((plain.estimate, plain.low))


def test_nothing_to_correlate_is_nan():
    by_recipe = DUMMIES @ [0.1, 0.7]
    for x in (by_recipe, 3 * GIVEN[:, 0] + by_recipe):  # constant within recipes; explained by the covariate
        found = correlate_over_families(x, Y[:, 0], FAMILIES, given=GIVEN, recipes=RECIPES)
        assert np.isnan([found.estimate, found.low, found.p_value]).all()
    few = FAMILIES < 2  # 6 models, 3 recipes, 2 covariates: one model to spare
    found = correlate_over_families(
        X[few, 0], Y[few, 0], FAMILIES[few], given=GIVEN[few], recipes=RECIPES[few]
    )
    assert np.isnan(found.estimate)
    three = FAMILIES < 3
    found = correlate_over_families(X[three, 0], Y[three, 0], FAMILIES[three], recipes=RECIPES[three])
    assert np.isfinite(found.estimate) and np.isnan(found.low) and found.n == 3


def test_a_target_that_is_fitted_is_fitted_anew_in_every_fold():
    families = np.repeat(np.arange(14), 2)
    plain = np.tile([True, False], 14)
    rng = np.random.default_rng(3)
    clean, x = rng.normal(2, 1, 28), rng.normal(size=28)
    shifted = 0.6 * clean + 0.2 * x + rng.normal(size=28)
    target = effective_robustness(clean, shifted, plain, families)
    found = correlate_over_families(x, target, families, recipes=plain.astype(int))
    zs = []
    for g in (None, *range(14)):
        kept = families != g
        values = np.where(kept, target(kept), np.nan)
        zs.append(np.arctanh(partial_correlation(x[kept], values[kept], plain[kept].astype(float))))
    error = np.sqrt(13 / 14 * sum((z - zs[0]) ** 2 for z in zs[1:]))
    assert (found.estimate, found.error) == pytest.approx((np.tanh(zs[0]), error))
    frozen = correlate_over_families(x, target(np.ones(28, bool)), families, recipes=plain.astype(int))
    assert frozen.estimate == pytest.approx(found.estimate) and abs(frozen.error - found.error) > 1e-4


def test_of_no_models_nothing_is_known():
    found = correlate_over_families(np.empty((0, 3)), np.empty(0), np.empty(0, str), given=np.empty(0))
    assert np.isnan(found.estimate).all() and np.isnan(found.low).all() and found.n.tolist() == [0, 0, 0]
    assert np.isnan(correlate_over_families([], [], []).estimate)


def test_errors_say_what_was_given():
    with pytest.raises(InputError, match="one row per model is needed in x, y, families, given and recipes"):
        correlate_over_families(X, Y[:5], FAMILIES)
    with pytest.raises(InputError, match="among the covariates; leave out the models"):
        correlate_over_families(X, Y, FAMILIES, given=np.full(27, np.nan))
    with pytest.raises(
        InputError, match=r"pairwise columns must pair up, but x is \(27, 3\) and y \(27, 2\)"
    ):
        correlate_over_families(X, Y, FAMILIES, pairwise=True)
