"""Out-of-sample errors: a plain twin, levels of recipes, and a comparison that noise does not decide."""

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.statistics import pearson
from robustshape.statistics.out_of_sample import advantage, left_out_errors

RNG = np.random.default_rng(0)
FAMILIES = np.repeat(np.arange(7), [1, 2, 3, 4, 3, 2, 3])
RECIPES = np.array([["plain", "mixup"][i % 2] for i in range(18)])
X, Y = RNG.normal(size=(18, 2)), RNG.normal(size=18)


def test_equals_a_fit_of_every_fold_with_recipes_as_dummies():
    found = left_out_errors(X, Y, FAMILIES, RECIPES)
    levels = (RECIPES[:, None] == ["plain", "mixup"]).astype(float)
    for j in range(2):
        design = np.column_stack([levels, X[:, j]])
        for i in range(18):
            other = FAMILIES[i] != FAMILIES
            fit, *_ = np.linalg.lstsq(design[other], Y[other], rcond=None)
            assert found.errors[i, j] == pytest.approx(Y[i] - design[i] @ fit)
            assert found.fitted[i, j] == pytest.approx(np.square(Y[other] - design[other] @ fit).sum())
            assert found.of_mean[i] == pytest.approx(Y[i] - Y[other & (RECIPES[i] == RECIPES)].mean())


def test_shifts_of_recipes_and_units_do_not_matter():
    shift = np.where(RECIPES == "plain", 40.0, -3.0)
    before = left_out_errors(X, Y, FAMILIES, RECIPES)
    after = left_out_errors(7 * X + shift[:, None], Y + shift, FAMILIES, RECIPES)
    assert after.errors == pytest.approx(before.errors) and after.of_mean == pytest.approx(before.of_mean)


def test_what_nobody_else_has_cannot_be_predicted():
    alone = np.array(["own", *RECIPES[1:]])
    found = left_out_errors(X, Y, FAMILIES, alone)
    assert (
        np.isnan(found.errors[0]).all() and np.isnan(found.of_mean[0]) and np.isfinite(found.errors[1:]).all()
    )
    constant = left_out_errors(np.where(FAMILIES == 3, X[:, 0], 0.1), Y, FAMILIES, RECIPES)
    assert (
        np.isnan(constant.errors[FAMILIES == 3]).all() and np.isfinite(constant.errors[FAMILIES != 3]).all()
    )


def test_the_better_predictor_is_found_either_way():
    rng = np.random.default_rng(1)
    families = np.repeat(np.arange(24), 2)
    good, noise = rng.normal(size=48), rng.normal(size=(48, 2))
    y = good + 0.5 * rng.normal(size=48)
    found, other = advantage(good, noise, y, families), advantage(noise[:, 0], good, y, families)
    assert found.low > 0.3 and other.high < -0.3 and found.n == 24
    holes = good.copy()
    holes[families == 5] = np.nan
    assert advantage(holes, noise, y, families).n == 23
    nothing = advantage(np.full(48, np.nan), noise, y, families)
    assert nothing.n == 0 and np.isnan(nothing.estimate)


def test_the_estimate_is_the_difference_of_mean_squared_errors_over_families():
    found = left_out_errors(X, Y, FAMILIES, RECIPES)

    def square(errors):
        return np.mean([np.mean(errors[g == FAMILIES] ** 2) for g in range(7)])

    expected = (square(found.errors[:, 1]) - square(found.errors[:, 0])) / square(found.of_mean)
    assert advantage(X[:, 0], X[:, 1], Y, FAMILIES, RECIPES).estimate == pytest.approx(expected)


def test_noise_is_no_worse_than_the_better_of_two_noises():
    """The bar that was the larger of two correlations made noise fail; errors on families left out do not."""
    rng = np.random.default_rng(2)
    failed, barred = 0, []
    for _ in range(100):
        x, rivals, y = rng.normal(size=16), rng.normal(size=(16, 2)), rng.normal(size=16)
        found = advantage(x, rivals, y, np.arange(16))
        failed += found.high < 0
        barred.append(pearson(x, y) - max(pearson(rivals[:, 0], y), pearson(rivals[:, 1], y)))
    assert failed <= 7  # 2.5 of 100, and three standard errors
    assert np.mean(np.array(barred) < 0) > 0.6  # what the old bar would make of them


def test_errors_say_what_was_given():
    with pytest.raises(InputError, match="one y, family and recipe per model"):
        left_out_errors(X, Y, FAMILIES, RECIPES[:3])
    with pytest.raises(InputError, match="one row per model is needed in x, rivals, y, families and recipes"):
        advantage(X[:, 0], X, Y[:4], FAMILIES)
