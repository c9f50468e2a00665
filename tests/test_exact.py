"""The exact interval of a share: by hand, against another formula, coverage over all counts, one vote a family."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from robustshape.errors import InputError
from robustshape.statistics.exact import exact_share, share_of_families


def test_all_of_six_by_hand():
    found = exact_share(6, 6)
    assert (found.estimate, found.high) == (1.0, 1.0) and found.low == pytest.approx(0.025 ** (1 / 6))
    assert found.p_value == pytest.approx(2 * 0.5**6)
    none = exact_share(0, 6)
    assert (none.low, none.high) == pytest.approx((0, 1 - found.low)) and none.p_value == found.p_value


@pytest.mark.parametrize("count, n", [(0, 1), (3, 10), (5, 10), (17, 24)])
def test_equals_scipys(count, n):
    found, known = exact_share(count, n), binomtest(count, n)
    assert (found.low, found.high) == pytest.approx(tuple(known.proportion_ci(method="exact")))
    assert found.p_value == pytest.approx(known.pvalue)
    assert found.p_above(0.3) == pytest.approx(binomtest(count, n, 0.3, "greater").pvalue)
    assert found.p_below(0.3) == pytest.approx(binomtest(count, n, 0.3, "less").pvalue)


def test_covers_every_share_at_least_as_often_as_it_says():
    n = 10
    ends = [(f.low, f.high) for f in (exact_share(k, n) for k in range(n + 1))]
    for share in np.linspace(0.01, 0.99, 99):
        covered = sum(binom.pmf(k, n, share) for k, (low, high) in enumerate(ends) if low <= share <= high)
        assert covered >= 0.95


def test_a_family_has_one_vote_whatever_its_size():
    values = [0.2, 0.1, -9, *[-1.0] * 20, 0.4, np.nan, 0.0]
    families = ["a"] * 3 + ["b"] * 20 + ["c", "c", "d"]
    found = share_of_families(values, families)
    assert (found.count, found.n) == (2, 3)  # the median of d lies on neither side
    assert share_of_families(values, families, above=0.3).count == 1


def test_errors_and_nothing():
    with pytest.raises(InputError, match="0 <= count <= n, but was given 7 of 6"):
        exact_share(7, 6)
    with pytest.raises(InputError, match="whole numbers"):
        exact_share(2.5, 6)
    with pytest.raises(InputError, match="level must lie between"):
        exact_share(2, 6, level=95)
    with pytest.raises(InputError, match=r"the shapes are \(2,\) and \(1,\)"):
        share_of_families([1, 2], ["a"])
    nothing = share_of_families([np.nan], ["a"])
    assert nothing.n == 0 and np.isnan([nothing.estimate, nothing.low, nothing.p_value]).all()
