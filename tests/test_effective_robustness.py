"""Effective robustness: logits by hand, a line of the plain ones only, refitted in folds, undefined for few families."""

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.statistics.effective_robustness import count_logit, effective_robustness, fit

CLEAN = np.linspace(1, 4, 24)
PLAIN = np.tile([True, False], 12)
FAMILIES = np.repeat(np.arange(12), 2)
EVERYONE = np.ones(24, bool)


def test_logits_of_none_half_and_all():
    assert count_logit([0, 50, 100], 100) == pytest.approx([np.log(0.5 / 100.5), 0, np.log(100.5 / 0.5)])
    share = (30 + 0.5) / 101
    assert count_logit(30, 100) == pytest.approx(np.log(share / (1 - share)))


def test_it_is_what_lies_above_the_line_of_the_plain_ones():
    shifted = 0.5 * CLEAN - 1 + np.where(PLAIN, 0, 0.7)
    found = effective_robustness(CLEAN, shifted, PLAIN, FAMILIES)(EVERYONE)
    assert found[PLAIN] == pytest.approx(0, abs=1e-12) and found[~PLAIN] == pytest.approx(0.7)


def test_the_line_is_that_of_the_networks_that_are_kept():
    rng = np.random.default_rng(0)
    shifted = 0.5 * CLEAN + rng.normal(size=24)
    kept = FAMILIES != 4
    found = effective_robustness(CLEAN, shifted, PLAIN, FAMILIES)(kept)
    line = np.polyfit(CLEAN[PLAIN & kept], shifted[PLAIN & kept], 1)
    assert found == pytest.approx(shifted - np.polyval(line, CLEAN))


@pytest.mark.parametrize("n, known", [(9, False), (10, True)])
def test_fewer_than_ten_plain_families_have_no_line(n, known):
    plain = PLAIN & (n > FAMILIES)
    target = effective_robustness(CLEAN, CLEAN**2, plain, FAMILIES)
    assert np.isfinite(target(EVERYONE)).all() == known
    assert np.isfinite(target(FAMILIES != 0)).all() == known  # a fold has one less


def test_errors_say_what_was_given():
    with pytest.raises(InputError, match="0 <= correct <= n"):
        count_logit(11, 10)
    with pytest.raises(InputError, match=r"there are 2 and families \(1,\)"):
        fit([0, 1], [0, 1], ["a"])
    with pytest.raises(InputError, match=r"plain must say true or false, .* but they are int64 \(24,\)"):
        effective_robustness(CLEAN, CLEAN, PLAIN.astype(int), FAMILIES)
    with pytest.raises(InputError, match="NaN or infinity"):
        effective_robustness(CLEAN * np.nan, CLEAN, PLAIN, FAMILIES)
