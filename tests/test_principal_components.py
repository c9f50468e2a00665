"""Principal components: by hand, singular values as the plain twin, invariances, dead directions, the error's words."""

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.indicators.principal_components import components_for, spectrum_exponent, variances
from robustshape.indicators.spectrum import participation_ratio


def sample(seed, n=60, d=7):
    return np.random.default_rng(seed).standard_normal((n, d)) * np.linspace(0.3, 3, d)


def test_by_hand():
    # along three axes, by symmetry: variances of 9, 4 and 1 thirds
    features = np.concatenate([np.diag([3, 2, 1]), -np.diag([3, 2, 1])])
    found = variances(features)
    assert found == pytest.approx([3, 4 / 3, 1 / 3])
    # of 14 thirds, the first holds 9, the first two 13
    assert [components_for(found, share) for share in (0.1, 0.64, 0.65, 0.92, 0.93, 1)] == [1, 1, 2, 2, 3, 3]
    assert participation_ratio(variances=found) == pytest.approx(14**2 / (81 + 16 + 1))


@pytest.mark.parametrize("n, d", [(60, 7), (7, 60), (9, 9), (2, 3)])
def test_variances_are_the_squares_of_singular_values(n, d):
    features = sample(n, n, d)
    singular = np.linalg.svd(features - features.mean(axis=0), compute_uv=False)
    found = variances(features)
    assert found.shape == (min(n, d),) and found.dtype == np.float64
    assert found == pytest.approx(singular**2 / n, abs=1e-12 * singular[0] ** 2)
    assert (np.diff(found) <= 0).all() and found.sum() == pytest.approx(features.var(axis=0).sum())


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 0.99, 1.0])
def test_components_are_counted_as_by_a_plain_loop(share):
    for seed in range(5):
        found = variances(sample(seed))
        held, k = 0.0, 0
        while held < share * found.sum() * (1 - 1e-12):
            held, k = held + found[k], k + 1
        assert components_for(found, share) == k


def test_rounding_asks_for_no_component_more():
    assert components_for([0.1] * 10, 0.3) == 3  # where 0.1 + 0.1 + 0.1 > 0.3
    assert components_for([0.1] * 10, 0.9) == 9 and components_for([0.1] * 10, 1) == 10


def test_rotation_offset_scale_order_and_repetition_do_not_matter():
    features = sample(1)
    rng = np.random.default_rng(2)
    rotation = np.linalg.qr(rng.standard_normal((7, 7)))[0]
    moved = 100 * (features @ rotation + 1000)[rng.permutation(60)]
    assert variances(moved) == pytest.approx(1e4 * variances(features), rel=1e-6)
    assert variances(np.tile(features, (3, 1))) == pytest.approx(variances(features))
    assert spectrum_exponent(variances(moved)) == pytest.approx(
        spectrum_exponent(variances(features)), rel=1e-6
    )


def test_the_participation_ratio_of_variances_is_that_of_their_features():
    for n, d in ((60, 7), (7, 60)):
        features = sample(3, n, d)
        expected = participation_ratio(features)
        assert participation_ratio(variances=variances(features)) == pytest.approx(expected, rel=1e-9)
    assert participation_ratio(variances=[1e-3, 1e-3, 0.0]) == pytest.approx(2)


@pytest.mark.parametrize("m", [1, 2, 5])
def test_directions_without_variance_are_exactly_zero(m):
    rng = np.random.default_rng(m)
    flat = rng.standard_normal((200, m)) @ rng.standard_normal((m, 30))
    found = variances(flat)
    assert np.count_nonzero(found) == m and components_for(found, 1) == m


def test_nothing_that_varies_has_no_dimension():
    found = variances(np.full((20, 4), 0.1))
    assert (found == 0).all() and components_for(found, 0.95) == 0
    assert np.isnan(participation_ratio(variances=found)) and np.isnan(spectrum_exponent(found))


def test_a_power_law_gives_its_exponent_and_the_rest_a_fit_by_least_squares():
    for exponent in (0.0, 0.5, 2.0):
        known = 7.0 / np.arange(1, 30) ** exponent
        assert spectrum_exponent(known) == pytest.approx(exponent, abs=1e-12)
        assert spectrum_exponent([*known, 0.0, 0.0]) == pytest.approx(exponent, abs=1e-12)
    found = variances(sample(4))
    line = np.polyfit(np.log(np.arange(1, 8)), np.log(found), 1)
    assert spectrum_exponent(found) == pytest.approx(-line[0])
    assert np.isnan(spectrum_exponent([2.0, 1.0, 0.0]))  # two directions are too few


def test_half_precision_is_reckoned_in_double():
    features = sample(5).astype(np.float16)
    np.testing.assert_array_equal(variances(features), variances(features.astype(np.float64)))


@pytest.mark.parametrize(
    "features, words",
    [
        (np.ones((1, 3)), "a principal component analysis needs at least 2 samples, but was given 1"),
        (
            np.ones(4),
            r"a principal component analysis needs real features \(n, d\), but was given float64 \(4,\)",
        ),
        (np.array([[0.0], [np.inf], [1.0]]), "1 of 3 samples have NaN or infinite features; leave them out"),
    ],
)
def test_features_that_cannot_be_used_are_refused(features, words):
    with pytest.raises(InputError, match=words):
        variances(features)


@pytest.mark.parametrize("share", [0, -0.1, 1.01, 95, float("nan")])
def test_a_share_is_no_percentage(share):
    with pytest.raises(InputError, match=f"above 0 and at most 1, such as 0.95, but was {share}"):
        components_for([1.0, 2.0], share)
