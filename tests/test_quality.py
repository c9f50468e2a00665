"""The quality of a generator: distances by hand, samples that depend on their seed alone, scores of known answers."""

import numpy as np
import pytest

from robustshape.errors import InputError
from robustshape.generators.quality import frechet_distance, sampled, scores
from robustshape.generators.severities import Severities
from robustshape.generators.stylegan2 import Generator


def generator(c_dim=3):
    import torch

    torch.manual_seed(0)
    return Generator(4, c_dim, 4, 8, 1, channel_base=32, channel_max=4, mapping_layers=1).eval()


def test_the_distance_of_gaussians_on_a_line_is_that_of_means_and_deviations():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 1))
    x = (x - x.mean()) / x.std(ddof=1)
    assert frechet_distance(2 * x + 3, 5 * x - 1) == pytest.approx((3 + 1) ** 2 + (5 - 2) ** 2)


def test_the_distance_is_that_of_the_matrix_root():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((50, 4)) @ rng.standard_normal((4, 4)), rng.standard_normal((60, 4)) + 1
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    by_hand = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)
    assert frechet_distance(a, b) == pytest.approx(by_hand)
    assert frechet_distance(b, a) == pytest.approx(by_hand) and frechet_distance(a, a) < 1e-9
    with pytest.raises(InputError, match=r"given \(3, 2\) and \(3, 4\)"):
        frechet_distance(np.zeros((3, 2)), np.zeros((3, 4)))


def test_samples_depend_on_seed_place_and_class_alone():
    made = generator()
    labels = np.arange(10) % 3
    whole = sampled(made, labels, seed=1)
    assert whole.shape == (10, 8, 8, 1) and whole.dtype == np.uint8
    assert np.array_equal(whole[:4], sampled(made, labels[:4], seed=1))
    assert np.abs(whole.astype(int) - sampled(made, labels, seed=1, chunk=3)).max() <= 1
    assert not np.array_equal(whole, sampled(made, labels, seed=2))
    with pytest.raises(InputError, match="knows no classes"):
        sampled(generator(0), labels, seed=1)
    with pytest.raises(InputError, match="classes from 0 to 2, but were"):
        sampled(made, labels + 1, seed=1)


class Judge:
    """Reads the class from the first pixel."""

    def predict(self, images):
        return images[:, 0, 0, 0] // 20

    def activations(self, images):
        return {"penultimate": images[:, 0, :3, 0].astype(float)}


class Known:
    """Reads severities from the second and third pixel."""

    is_mild = staticmethod(Severities.is_mild)

    def predict(self, images):
        return np.round(images[:, 0, 1:3] * 255)


def pictures(read, severities):
    images = np.zeros((len(read), 8, 8, 1), np.uint8)
    images[:, 0, 0, 0] = 20 * np.asarray(read)
    images[:, 0, 1:3, 0] = severities
    return images


def test_scores_of_known_answers():
    made = pictures([0, 1, 2, 2], [[0, 0], [0, 0], [3, 0], [0, 0]])
    real = pictures([0, 1, 2, 0, 1, 2], [[0, 0], [0, 5], [0, 0], [0, 0], [0, 0], [1, 0]])
    found = scores(made, [0, 1, 2, 1], real, [0, 1, 2, 0, 1, 1], judge=Judge(), severities=Known())
    assert found["accuracy"] == 0.75 and found["mild_accuracy"] == pytest.approx(2 / 3)
    assert found["real_accuracy"] == pytest.approx(5 / 6) and found["real_mild_accuracy"] == 1
    assert found["mild_ratio"] == pytest.approx(2 / 3) and (found["n_mild"], found["real_n_mild"]) == (3, 4)
    assert found["by_class"] == [1, 0.5, 1] and found["mean_severity"] == [0.75, 0]
    assert found["n_by_class"] == [1, 2, 1] and found["real_n_by_class"] == [2, 3, 1]
    assert found["real_by_class"] == [1, pytest.approx(2 / 3), 1]
    noise, blur = found["by_severity"]  # made, of noise: 0, 0, 3, 0; real: one of severity 1
    assert noise[0] == {"accuracy": pytest.approx(2 / 3), "n": 3, "real_accuracy": 1, "real_n": 5}
    assert noise[1] == {"accuracy": None, "n": 0, "real_accuracy": 0, "real_n": 1}
    assert noise[3] == {"accuracy": 1, "n": 1, "real_accuracy": None, "real_n": 0}
    assert (blur[0]["n"], blur[0]["real_n"], blur[5]["real_n"], blur[5]["real_accuracy"]) == (4, 5, 1, 1)
    assert found["frechet"] > 0 and found["frechet_floor"] >= 0


def test_where_no_image_looks_mild_there_is_no_figure():
    made, real = pictures([0, 1], [[5, 0], [0, 1]]), pictures([0, 1, 0, 1], [[0, 0], [5, 5]] * 2)
    found = scores(made, [0, 1], real, [0, 1, 0, 1], judge=Judge(), severities=Known())
    assert found["mild_accuracy"] is None and found["mild_ratio"] is None and found["n_mild"] == 0
    assert found["real_mild_accuracy"] == 1 and found["accuracy"] == 1
    wrong = pictures([1, 1], [[0, 0], [5, 5]])  # the mild one is read wrongly: a share of 0, not none
    found = scores(wrong, [0, 1], real, [0, 1, 0, 1], judge=Judge(), severities=Known())
    assert found["mild_accuracy"] == 0 and found["mild_ratio"] == 0 and found["n_mild"] == 1


def test_severities_that_are_not_fitted_or_do_not_fit_are_refused():
    with pytest.raises(InputError, match="call fit first"):
        Severities(["gaussian_noise"]).predict(np.zeros((2, 8, 8)))
    with pytest.raises(InputError, match=r"\(n, 1\) for gaussian_noise, but were \(2, 2\) for 2 images"):
        Severities(["gaussian_noise"]).fit(np.zeros((2, 8, 8)), np.zeros((2, 2)))
