"""The choice of predictors: against brute force that refits without each, and what it must not take."""

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.statistics.stepwise import choose


def left_out(columns, y) -> float:
    total = 0.0
    for i in range(len(y)):
        others = np.arange(len(y)) != i
        fit, *_ = np.linalg.lstsq(columns[others], y[others], rcond=None)
        total += (y[i] - columns[i] @ fit) ** 2
    return total


def by_hand(given, candidates, y, most) -> list[int]:
    columns, chosen = np.column_stack([np.ones(len(y)), given]), []
    while len(chosen) < most:
        errors = {
            j: left_out(np.column_stack([columns, candidates[:, j]]), y)
            for j in range(candidates.shape[1])
            if j not in chosen
        }
        best = min(errors, key=errors.get)
        if errors[best] >= left_out(columns, y):
            break
        columns, chosen = np.column_stack([columns, candidates[:, best]]), [*chosen, best]
    return chosen


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_refitting_without_each(seed):
    rng = np.random.default_rng(seed)
    given, candidates = rng.normal(size=(20, 1)), rng.normal(size=(20, 6))
    y = given[:, 0] + candidates[:, 2] * rng.normal() + candidates[:, 4] * rng.normal() + rng.normal(size=20)
    for most in (1, 2, 4):
        assert choose(given, candidates, y, most=most) == by_hand(given, candidates, y, most)


def test_takes_nothing_that_is_constant_already_there_or_noise():
    given = np.arange(12.0)[:, None]
    y = given[:, 0] ** 2
    assert choose(given, np.column_stack([np.ones(12), 3 * given[:, 0] + 1]), y) == []
    assert choose(given, np.empty((12, 0)), y) == []
    assert choose(given, np.column_stack([y, 2 * y]), y) == [0], "its double tells nothing more"
    y = np.array([1.0, -1, 0, 0, 1, -1, 0, 0, 1, -1, 0, 0])
    noise = np.array([0.0, 0, 1, -1, 0, 0, 1, -1, 0, 0, 1, -1])
    assert choose(given, noise[:, None], y) == []


def test_units_and_order_change_nothing():
    rng = np.random.default_rng(1)
    given, candidates, y = rng.normal(size=(30, 1)), rng.normal(size=(30, 5)), rng.normal(size=30)
    y += candidates[:, 3]
    plain = choose(given, candidates, y, most=3)
    assert choose(given * 7 - 2, candidates * [1e6, 1, 1e-6, -3, 1] + 5, y * 100, most=3) == plain
    order = rng.permutation(30)
    assert choose(given[order], candidates[order], y[order], most=3) == plain


def test_refuses_lengths_that_differ():
    with pytest.raises(InputError):
        choose(np.zeros((3, 1)), np.zeros((4, 2)), np.zeros(3))
