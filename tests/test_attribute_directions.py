"""Directions of attributes in StyleSpace: by hand, against the closed form of the ridge, and where there is none."""

import numpy as np
import pytest

from robustshape.generators.attribute_directions import PENALTIES, attribute_direction


def mapped(n=400, size=60, seed=0):
    """Return styles that follow from a code of five numbers and a class, the codes, classes and deviations."""
    rng = np.random.default_rng(seed)
    codes, labels = rng.normal(size=(n, 5)), np.arange(n) % 4
    styles = codes @ rng.normal(size=(5, size)) + 3 * rng.normal(size=(4, size))[labels]
    return styles, codes, labels, styles.std(axis=0)


def test_the_direction_raises_the_attribute_and_stays_among_the_styles():
    styles, codes, labels, deviations = mapped()
    found = attribute_direction(styles, codes[:, 2] + 7.0 * labels, labels, deviations)
    assert found.explained == pytest.approx(1, abs=1e-3) and np.linalg.norm(found.weights) == pytest.approx(1)
    # a movement along it is one that a change of the code makes, and that change raises the third number
    step = found.weights * deviations
    within = np.concatenate([styles[labels == k] - styles[labels == k].mean(axis=0) for k in range(4)])
    change, *_ = np.linalg.lstsq(within.T, step, rcond=None)
    assert np.allclose(within.T @ change, step, atol=1e-6)
    order = np.concatenate([np.flatnonzero(labels == k) for k in range(4)])
    centred = np.concatenate([codes[labels == k] - codes[labels == k].mean(axis=0) for k in range(4)])
    assert (centred.T @ change)[2] > 0 and len(order) == len(centred)


def test_it_is_the_ridge_of_the_best_penalty():
    styles, codes, labels, deviations = mapped(n=120, size=20)
    values = codes[:, 0] + np.random.default_rng(1).normal(size=120)
    found = attribute_direction(styles, values, labels, deviations)
    x = styles / deviations
    x = x - np.stack([x[labels == k].mean(axis=0) for k in range(4)])[labels]
    y = values - np.array([values[labels == k].mean() for k in range(4)])[labels]

    def left_out(penalty):
        hat = x @ np.linalg.solve(x.T @ x + penalty * np.eye(20), x.T)
        return np.mean(((y - hat @ y) / (1 - np.diag(hat))) ** 2)

    best = min(PENALTIES, key=left_out)
    coefficients = np.linalg.solve(x.T @ x + best * np.eye(20), x.T @ y)
    assert found.weights == pytest.approx(coefficients / np.linalg.norm(coefficients), abs=1e-6)
    assert 0.2 < found.explained < 0.8


def test_order_scale_and_missing_values_change_nothing():
    styles, codes, labels, deviations = mapped()
    first = attribute_direction(styles, codes[:, 1], labels, deviations)
    shuffled = np.random.default_rng(2).permutation(len(labels))
    other = attribute_direction(styles[shuffled], 5 + 3 * codes[shuffled, 1], labels[shuffled], deviations)
    assert other.weights == pytest.approx(first.weights, abs=1e-3)
    values = np.append(codes[:, 1], np.nan)
    more = attribute_direction(np.append(styles, styles[:1], 0), values, np.append(labels, 0), deviations)
    assert more.weights == pytest.approx(first.weights)


def test_there_is_none_where_nothing_differs_within_a_class():
    styles, codes, labels, deviations = mapped()
    for values in (
        labels.astype(float),
        np.full(400, np.nan),
        np.where(np.arange(400) < 9, codes[:, 0], np.nan),
    ):
        found = attribute_direction(styles, values, labels, deviations)
        assert np.isnan(found.explained) and not found.weights.any()
    noise = np.random.default_rng(3).normal(size=400)
    assert attribute_direction(styles, noise, labels, deviations).explained < 0.1
