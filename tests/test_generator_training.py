"""The training of a generator: resumed equals undisturbed; losses, augmentation and corrupted images by hand."""

import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from robustshape.errors import InputError, TrainingError
from robustshape.generators.adaptive_augmentation import _shifted, augmented, next_probability
from robustshape.generators.adversarial import (
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    path_lengths,
)
from robustshape.generators.corrupted_images import randomly_corrupted
from robustshape.generators.settings import Settings
from robustshape.generators.training import train
from robustshape.training import checkpoints

QUICK = Settings(
    n_images=96, batch_size=8, z_dim=4, w_dim=4, channel_base=32, channel_max=4, r1_every=3, path_weight=2.0,
    ema_images=50,
)  # fmt: skip
LABELS = np.arange(20) % 3


def images(k):
    """Three classes of 8 x 8 images, brighter in another place; other noise in every pass."""
    made = np.random.default_rng(k).integers(0, 100, (20, 8, 8, 1))
    for label in range(3):
        made[label == LABELS, 2 * label : 2 * label + 3] += 150
    return made.astype(np.uint8)


def run(settings=QUICK, **kw):
    return train(images, LABELS, settings, **{"seed": 0, "tag": "a", "n_classes": 3} | kw)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values()))


class Stop(Exception):
    pass


def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path):
    whole, history = run()
    seen = []

    def stop(_generator, n):
        seen.append(n)
        if len(seen) == 5:
            raise Stop

    path = tmp_path / "x.checkpoint"
    with pytest.raises(Stop):
        run(checkpoint=path, checkpoint_seconds=0, watch=stop, watch_seconds=0)
    assert seen == [8, 16, 24, 32, 40] and path.exists()
    again, history2 = run(checkpoint=path)
    assert same(whole, again)
    for name in ("images", "discriminator", "generator", "p"):
        assert history[name] == history2[name]
    assert history["images"] == 96 and not whole.training


def test_a_longer_run_goes_on_from_a_shorter_one(tmp_path):
    path = tmp_path / "x.checkpoint"
    run(replace(QUICK, n_images=40), checkpoint=path)
    assert same(run(checkpoint=path)[0], run()[0])


def test_other_seeds_and_other_images_give_other_weights():
    assert not same(run(seed=1)[0], run()[0])
    assert same(run()[0], run()[0])


def test_a_checkpoint_of_another_run_is_refused_and_the_difference_named(tmp_path, monkeypatch):
    path = tmp_path / "x.checkpoint"
    run(replace(QUICK, n_images=8), checkpoint=path)
    with pytest.raises(InputError, match=r"recipe.learning_rate was 0.0025, is 0.1\); delete it"):
        run(replace(QUICK, learning_rate=0.1), checkpoint=path)
    with pytest.raises(InputError, match="tag was 'a', is 'b'"):
        run(tag="b", checkpoint=path)
    with monkeypatch.context() as changed:
        changed.setattr("robustshape.generators.training.VERSION", 0)
        with pytest.raises(InputError, match=r"version was \d+, is 0"):
            run(checkpoint=path)


def test_a_loss_that_is_no_number_stops_the_run_and_the_last_checkpoint_stays(tmp_path):
    path = tmp_path / "x.checkpoint"
    run(checkpoint=path)
    state = torch.load(io.BytesIO(checkpoints._content(path)), weights_only=True)
    configuration, progress = (json.loads(state.pop(name)) for name in ("configuration", "progress"))
    next(iter(state["generator"].values())).fill_(math.nan)
    checkpoints.write(path, configuration, state, progress)
    before = path.read_bytes()
    with pytest.raises(TrainingError, match=r"loss is nan after 96 images; the last good checkpoint stays"):
        run(replace(QUICK, n_images=200), checkpoint=path, checkpoint_seconds=0)
    assert path.read_bytes() == before


def test_the_averaged_weights_follow_with_their_half_life():
    from robustshape.generators.gan import GAN

    state = GAN(QUICK, 8, 1, torch.from_numpy(LABELS), 3, seed=0)
    with torch.no_grad():
        for mine, theirs in zip(state.averaged.parameters(), state.generator.parameters()):
            mine.zero_()
            theirs.fill_(1.0)
    state.average(10_000)  # long after the beginning
    share = 1 - 0.5 ** (8 / 50)
    assert all(torch.allclose(p, torch.full_like(p, share)) for p in state.averaged.parameters())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_images": 0}, "n_images is at least 1"),
        ({"batch_size": 6}, "a multiple of 4"),
        ({"r1_every": 0}, "at least 1, but were 0 and 4"),
    ],
)
def test_settings_that_cannot_be_are_refused(change, said):
    with pytest.raises(InputError, match=said):
        Settings(**change)


def test_images_and_labels_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"square images \(n, r, r, c\) uint8, but was given \(2, 8, 4, 1\)"):
        train(lambda k: np.zeros((2, 8, 4, 1), np.uint8), [0, 1], QUICK, seed=0, tag="", n_classes=2)
    with pytest.raises(InputError, match="a class from 0 to 1 for each image"):
        train(images, LABELS, QUICK, seed=0, tag="", n_classes=2)


# ---------------------------------------------------------------- losses


def test_the_losses_are_those_of_logistic_regression():
    real, fake = torch.tensor([[2.0], [0.0]]), torch.tensor([[-1.0]])
    by_hand = (math.log1p(math.exp(-2)) + math.log(2)) / 2 + math.log1p(math.exp(-1))
    assert math.isclose(float(discriminator_loss(real, fake)), by_hand, rel_tol=1e-6)
    assert math.isclose(float(generator_loss(fake)), math.log1p(math.exp(1)), rel_tol=1e-6)


def test_the_gradient_penalty_of_a_linear_logit_is_the_square_of_its_weights():
    weight = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    found = gradient_penalty(lambda x, c: (x.flatten(1) @ weight)[:, None], torch.randn(5, 1, 2, 2))
    assert math.isclose(found.item(), 30.0, rel_tol=1e-6)


def test_the_path_length_of_a_linear_map_is_known_in_the_mean():
    torch.manual_seed(0)
    matrix = torch.randn(16, 3)
    w = torch.randn(4000, 2, 3, requires_grad=True)
    pictures = (w[:, 0] @ matrix.T).reshape(-1, 1, 4, 4)
    lengths = path_lengths(pictures, w, torch.Generator().manual_seed(0))
    # E |J^T y|^2 over normal y is the sum of squares of J; y has deviation 1/4, and the mean is over two layers
    assert math.isclose(lengths.square().mean().item(), float(matrix.square().sum()) / 16 / 2, rel_tol=0.05)


# ---------------------------------------------------------------- augmentation


def test_a_shift_moves_whole_pixels_and_fills_the_rest():
    x = torch.arange(1.0, 10).reshape(1, 1, 3, 3).repeat(2, 1, 1, 1)
    moved = _shifted(x, torch.tensor([1, 0]), torch.tensor([0, -2]), 0.0)
    assert moved[0, 0].tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert moved[1, 0].tolist() == [[3, 0, 0], [6, 0, 0], [9, 0, 0]]


def test_augmentation_touches_the_share_it_should_and_lets_gradients_through():
    x = torch.rand(2000, 1, 8, 8, requires_grad=True)
    changed = augmented(x, 0.3, torch.Generator().manual_seed(0))
    share = float((changed != x).flatten(1).any(1).float().mean())
    # a shift of up to one pixel along an axis, rounded, is none half the time, and one coin decides on both axes
    expected = 1 - 0.7**2 * (1 - 0.3 * (1 - 0.5**2))
    assert abs(share - expected) < 0.04
    changed.sum().backward()
    assert x.grad.abs().sum() > 0


def test_one_coin_decides_on_a_shift_along_both_axes():
    n, side = 4000, 64
    x = torch.zeros(n, 1, side, side)
    x[:, :, 32, 32] = 1.0  # brightness and contrast leave it the largest
    places = augmented(x, 0.2, torch.Generator().manual_seed(1), fill=0.0).flatten(1).argmax(1)
    down, right = places // side - 32, places % side - 32
    both, either = ((down != 0) & (right != 0)).float().mean(), ((down != 0) | (right != 0)).float().mean()
    still = 1 / 16  # of -8 ... 8, rounded, a sixteenth is none
    assert abs(float(both) - 0.2 * (1 - still) ** 2) < 0.02  # 0.176, where two coins would give 0.035
    assert abs(float(either) - 0.2 * (1 - still**2)) < 0.02
    moved = torch.stack([down, right]).float()[:, (down != 0) | (right != 0)]
    assert (
        moved.abs().max() == 8 and abs(float(torch.corrcoef(moved)[0, 1])) < 0.1
    )  # how far is drawn for each


def test_the_probability_stays_between_0_and_1():
    assert next_probability(0.999, 1.0, 50_000) == 1.0
    assert next_probability(0.05, -1.0, 50_000) == 0.0


# ---------------------------------------------------------------- corrupted images


def test_each_image_is_corrupted_alike_whatever_stands_beside_it():
    rng = np.random.default_rng(0)
    grey, ids = rng.integers(0, 256, (60, 8, 8, 1), dtype=np.uint8), np.arange(60)
    changed, severities = randomly_corrupted(grey, ids, seed=3)
    order = rng.permutation(60)[:25]
    again, some = randomly_corrupted(grey[order], ids[order], seed=3)
    assert np.array_equal(again, changed[order]) and np.array_equal(some, severities[order])
    alone = (severities == 0).all(axis=1)
    assert (
        np.array_equal(changed[alone], grey[alone])
        and (changed[~alone] != grey[~alone]).any(axis=(1, 2, 3)).all()
    )


def test_severities_are_as_frequent_as_asked():
    _, severities = randomly_corrupted(np.zeros((4000, 4, 4, 1), np.uint8), range(4000), probability=0.4)
    for k in range(2):
        counts = np.bincount(severities[:, k], minlength=6) / 4000
        assert abs(counts[0] - 0.6) < 0.03 and np.abs(counts[1:] - 0.08).max() < 0.02
    both = (severities > 0).all(axis=1).mean()
    assert abs(both - 0.16) < 0.03
    assert not randomly_corrupted(np.zeros((5, 4, 4, 1), np.uint8), range(5), probability=0)[1].any()
    with pytest.raises(InputError, match=r"from 0 to 1, but was 1\.5"):
        randomly_corrupted(np.zeros((5, 4, 4, 1), np.uint8), range(5), probability=1.5)
