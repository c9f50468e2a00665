"""The training loop: resumed equals undisturbed bit for bit; recipes, augmentations, errors."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from robustshape.errors import InputError, StoreError
from robustshape.indicators.selectivity import class_selectivity
from robustshape.relu_maps import pooled_relu_maps
from robustshape.training.augmentation import AUGMENTATIONS, augmix, blur_noise, mix, shift
from robustshape.training.loop import TrainingError, train
from robustshape.training.recipe import Recipe, epochs_for, learning_rate

QUICK = Recipe(learning_rate=0.02, epochs=3, batch_size=32, augmentation=("shift", "noise"))


class Stop(Exception):
    """What a test stops a run with."""


def stopping_after(steps):
    """Return a penalty of nothing that stops the run at its step number `steps`."""
    seen = iter(range(steps))

    def penalty(_labels):
        if next(seen, None) is None:
            raise Stop
        return 0.0

    return penalty


def data(n=100):
    """Two classes of 8 x 8 images: the upper or the lower half is brighter."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    images = rng.integers(0, 120, (n, 8, 8, 1))
    images[labels == 0, :4] += 100
    images[labels == 1, 4:] += 100
    return images.astype(np.uint8), labels


def network(seed=0, dropout=0.2):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Flatten(),
            nn.Linear(144, 2),
        )


def same(a, b):
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


def test_learns_and_reports():
    module = network()
    history = train(module, *data(), replace(QUICK, epochs=8, augmentation=()), seed=0)
    assert not module.training
    assert len(history["loss"]) == len(history["accuracy"]) == 8
    assert history["loss"][-1] < 0.5 * history["loss"][0] and history["accuracy"][-1] > 0.9
    assert history["seconds"] > 0 and history["resumed_at"] == 0


@pytest.mark.parametrize("optimiser", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("stop", [2, 4, 7])  # within the first epoch, at its end, within the second
def test_resumed_equals_undisturbed_bit_for_bit(tmp_path, optimiser, stop):
    recipe = replace(QUICK, optimiser=optimiser, mixup=True, adversary_eps=0.05)
    undisturbed = network()
    whole = train(undisturbed, *data(), recipe, seed=5)
    path = tmp_path / "run"
    with pytest.raises(Stop):
        train(
            network(),
            *data(),
            recipe,
            seed=5,
            checkpoint=path,
            checkpoint_seconds=0,
            penalty=stopping_after(stop),
        )
    assert [file.name for file in tmp_path.iterdir()] == ["run"]
    resumed = network()
    rest = train(resumed, *data(), recipe, seed=5, checkpoint=path)
    assert rest["resumed_at"] == stop
    assert same(undisturbed, resumed)
    assert rest["loss"] == whole["loss"] and rest["accuracy"] == whole["accuracy"]
    assert not path.exists()


def test_the_seed_decides_and_threads_do_not():
    runs = [network() for _ in range(3)]
    threads = torch.get_num_threads()
    for module, seed, n in zip(runs, (1, 1, 2), (1, 2, 1)):
        torch.set_num_threads(n)
        train(module, *data(), QUICK, seed=seed)
        assert torch.get_num_threads() == n
    torch.set_num_threads(threads)
    assert same(runs[0], runs[1]) and not same(runs[0], runs[2])


def test_leaves_the_global_randomness_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    train(network(), *data(), replace(QUICK, epochs=1), seed=0)
    assert torch.equal(torch.rand(3), expected)


def test_a_penalty_is_part_of_the_loss():
    small, free = network(), network()
    train(free, *data(), QUICK, seed=0)
    train(small, *data(), QUICK, seed=0, penalty=lambda labels: small[5].weight.square().sum(), tag="l2")
    assert small[5].weight.norm() < 0.5 * free[5].weight.norm()


def test_a_step_of_sgd_by_hand():
    # one batch, one epoch: w - rate * (gradient + decay * w), with the first rate of the schedule
    images, labels = data(20)
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    weight, bias = (p.detach().clone() for p in module.parameters())
    x = torch.from_numpy(images).reshape(20, 64).float() / 255
    error = (x @ weight.T + bias).softmax(1) - nn.functional.one_hot(torch.from_numpy(labels), 2)
    recipe = Recipe(
        optimiser="sgd", learning_rate=0.5, weight_decay=0.1, schedule="constant", epochs=1, augmentation=()
    )
    train(module, images, labels, recipe, seed=0)
    assert torch.allclose(module[1].weight, weight - 0.5 * (error.T @ x / 20 + 0.1 * weight), atol=1e-6)
    assert torch.allclose(module[1].bias, bias - 0.5 * error.mean(0), atol=1e-6)  # biases do not decay


def test_another_configuration_is_refused_and_a_damaged_checkpoint_named(tmp_path):
    path = tmp_path / "run"
    with pytest.raises(Stop):
        train(network(), *data(), QUICK, seed=0, checkpoint=path, penalty=stopping_after(5))
    with pytest.raises(InputError, match=r"seed was 0, is 1; recipe\.learning_rate was 0\.02, is 0\.01"):
        train(network(), *data(), replace(QUICK, learning_rate=0.01), seed=1, checkpoint=path)
    with pytest.raises(InputError, match="images and labels was"):
        train(network(), *data(64), QUICK, seed=0, checkpoint=path)
    with pytest.raises(InputError, match="network and its first weights was"):
        train(network(1), *data(), QUICK, seed=0, checkpoint=path)
    with pytest.raises(InputError, match="tag was '', is 'alpha -1'"):
        train(network(), *data(), QUICK, seed=0, checkpoint=path, tag="alpha -1")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(StoreError, match="run is damaged; delete it to start again"):
        train(network(), *data(), QUICK, seed=0, checkpoint=path)


def test_a_checkpoint_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(StoreError, match="nowhere/run cannot be written"):
        train(network(), *data(), QUICK, seed=0, checkpoint=tmp_path / "nowhere" / "run")


def test_a_loss_that_is_not_finite_names_its_place():
    calls = iter([0.0] * 5)
    with pytest.raises(TrainingError, match=r"the loss is nan in epoch 2 of 3, step 2 of 4; .* below 0\.02"):
        train(network(), *data(), QUICK, seed=0, penalty=lambda labels: next(calls, float("nan")))


def test_channels_last_and_mixed_precision_leave_a_cpu_run_as_it_was():
    plain, other = network(dropout=0), network(dropout=0)  # a dropout mask follows the layout in memory
    recipe = replace(QUICK, optimiser="sgd")
    train(plain, *data(), recipe, seed=0)
    train(other, *data(), replace(recipe, channels_last=True, mixed_precision=True), seed=0)
    for a, b in zip(plain.parameters(), other.parameters()):
        assert torch.allclose(a, b, atol=1e-3)


@pytest.mark.parametrize(
    "images, labels, words",
    [
        (np.zeros((4, 8, 8, 1)), np.zeros(4, int), r"\(4, 8, 8, 1\) float64"),
        (np.zeros((4, 8, 8), np.uint8), np.zeros(4, int), r"\(4, 8, 8\) uint8"),
        (np.zeros((4, 8, 8, 1), np.uint8), np.zeros(3, int), r"4 images and labels \(3,\)"),
        (np.zeros((4, 8, 8, 1), np.uint8), np.zeros(4), r"labels \(4,\) float64"),
    ],
)
def test_images_and_labels_are_checked(images, labels, words):
    with pytest.raises(InputError, match=words):
        train(network(), images, labels, QUICK, seed=0)


def test_progress_is_shown_only_when_asked(capsys):
    train(network(), *data(), QUICK, seed=0)
    assert capsys.readouterr().err == ""
    train(network(), *data(), QUICK, seed=0, progress=True)
    assert "300/300" in capsys.readouterr().err


def test_compiled_steps_give_the_same_weights_within_rounding(tmp_path, monkeypatch):
    asked, real = [], torch.compile
    native = {} if shutil.which("g++") or shutil.which("clang++") else {"backend": "aot_eager"}
    monkeypatch.setattr(torch, "compile", lambda f, **how: asked.append(how) or real(f, **how, **native))
    plain, compiled = network(dropout=0), network(dropout=0)
    recipe = replace(QUICK, optimiser="sgd", selectivity=-1.0, channels_last=True)
    whole = train(plain, *data(), recipe, seed=0)
    path = tmp_path / "run"
    with pytest.raises(Stop):
        train(network(dropout=0), *data(), recipe, seed=0, checkpoint=path, penalty=stopping_after(4))
    history = train(compiled, *data(), recipe, seed=0, checkpoint=path, compiled=True)
    assert history["resumed_at"] == 4 and history["loss"] == pytest.approx(whole["loss"], rel=1e-5)
    assert asked == [{"dynamic": False}]
    assert list(compiled.state_dict()) == list(plain.state_dict()) and not compiled.training
    for a, b in zip(plain.parameters(), compiled.parameters()):
        assert torch.allclose(a, b, atol=1e-5)


def test_compiled_networks_have_no_penalty():
    with pytest.raises(
        InputError, match=r"compiled=True, but .* do not call the hooks .*; leave one of the two out"
    ):
        train(network(), *data(), QUICK, seed=0, compiled=True, penalty=lambda labels: 0.0)


# class selectivity as a part of the loss


@pytest.mark.parametrize("alpha", [-1.0, 0.5])
def test_resumed_with_selectivity_equals_undisturbed_bit_for_bit(tmp_path, alpha):
    recipe, path = replace(QUICK, optimiser="sgd", selectivity=alpha, mixup=False), tmp_path / "run"
    undisturbed, resumed = network(), network()
    whole = train(undisturbed, *data(), recipe, seed=5)
    settings = {"seed": 5, "checkpoint": path, "checkpoint_seconds": 0}
    with pytest.raises(Stop):
        train(network(), *data(), recipe, **settings, penalty=stopping_after(6))
    rest = train(resumed, *data(), recipe, **settings)
    assert rest["resumed_at"] == 6 and rest["loss"] == whole["loss"]
    assert same(undisturbed, resumed)
    free = network()
    train(free, *data(), replace(recipe, selectivity=0.0), seed=5)
    assert not same(undisturbed, free)


def test_a_checkpoint_of_another_strength_is_refused(tmp_path):
    recipe, path = replace(QUICK, selectivity=-1.0), tmp_path / "run"
    with pytest.raises(Stop):
        train(network(), *data(), recipe, seed=0, checkpoint=path, penalty=stopping_after(5))
    with pytest.raises(InputError, match=r"another run \(recipe\.selectivity was -1\.0, is -0\.5\)"):
        train(network(), *data(), replace(recipe, selectivity=-0.5), seed=0, checkpoint=path)


def test_a_negative_strength_lowers_and_a_positive_one_raises_selectivity():
    images, labels = data()
    found = []
    for alpha in (-1.0, 0.0, 1.0):
        module = network(dropout=0)
        recipe = replace(QUICK, epochs=10, augmentation=(), selectivity=alpha)
        history = train(module, images, labels, recipe, seed=0)
        assert history["accuracy"][-1] > 0.9
        with pooled_relu_maps() as pooled, torch.no_grad():
            module(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255)
        found.append(class_selectivity(pooled[0].numpy(), labels).mean())
    assert found[0] < 0.7 * found[1] and found[2] > 1.3 * found[1]


def test_a_loss_that_is_not_finite_names_the_strength():
    with pytest.raises(
        TrainingError, match=r"rate below 0\.02 or a selectivity \(alpha\) nearer to 0 than -1$"
    ):
        train(network(), *data(), replace(QUICK, selectivity=-1.0), seed=0, penalty=lambda _: float("inf"))


def test_a_last_batch_of_one_image_has_no_selectivity():
    history = train(network(), *data(33), replace(QUICK, selectivity=-1.0), seed=0)
    assert np.isfinite(history["loss"]).all() and len(history["loss"]) == 3


def test_a_network_without_a_rectified_convolution_is_refused():
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 2))
    with pytest.raises(InputError, match="a Sequential has no rectified convolution"):
        train(module, *data(), replace(QUICK, selectivity=-1.0), seed=0)
    train(module, *data(), QUICK, seed=0)


# recipes


def test_steps_of_the_learning_rate_by_hand():
    recipe = Recipe(schedule="steps", learning_rate=0.1, milestones=(0.5, 0.75), decay_factor=0.1)
    assert [learning_rate(recipe, k, 4) for k in range(4)] == pytest.approx([0.1, 0.1, 0.01, 0.001])


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "steps", "constant"])
def test_learning_rates_stay_within_zero_and_the_highest(schedule):
    rates = [learning_rate(Recipe(schedule=schedule, milestones=(0.5,)), k, 97) for k in range(97)]
    assert max(rates) == pytest.approx(Recipe().learning_rate, rel=0.02) and min(rates) > 0


def test_larger_data_get_fewer_epochs_but_more_steps():
    recipe = Recipe(epochs=12)
    sizes = [3500, 5000, 20_000, 60_000]
    epochs = [epochs_for(recipe, n) for n in sizes]
    assert epochs == [12, 12, 6, 3]
    assert sorted(n * e for n, e in zip(sizes, epochs)) == [n * e for n, e in zip(sizes, epochs)]


def test_a_recipe_is_plain_json_and_refuses_unknown_names():
    from dataclasses import asdict

    assert json.loads(json.dumps(asdict(QUICK)))["augmentation"] == ["shift", "noise"]
    with pytest.raises(InputError, match="optimiser is 'adamm', but must be one of adam, adamw, sgd"):
        Recipe(optimiser="adamm")
    for value in (float("nan"), float("inf")):
        with pytest.raises(
            InputError, match=f"selectivity is {value}, but must be a finite number, such as -0.4"
        ):
            Recipe(selectivity=value)
    with pytest.raises(InputError, match="unknown augmentation 'shfit'; closest: shift"):
        train(network(), *data(), replace(QUICK, augmentation=("shfit",)), seed=0)


@pytest.mark.parametrize("alpha", [-0.4, 1.0])
def test_images_mixed_of_two_classes_have_no_selectivity(alpha):
    words = "^class selectivity has no meaning for images mixed of two classes: leave out mixup or alpha$"
    with pytest.raises(InputError, match=words):
        Recipe(selectivity=alpha, mixup=True)
    assert Recipe(selectivity=0.0, mixup=True).mixup and Recipe(selectivity=alpha).selectivity == alpha


def test_another_version_of_the_regulariser_makes_other_keys_of_its_networks_alone(monkeypatch):
    before = [Recipe(selectivity=alpha).describe() for alpha in (0.0, -1.0)]
    assert all("selectivity version" not in found for found in before) and before[1]["selectivity"] == -1
    monkeypatch.setattr("robustshape.training.recipe.SELECTIVITY_VERSION", 2)
    assert Recipe().describe() == before[0]
    assert Recipe(selectivity=-1.0).describe() == before[1] | {"selectivity version": 2}


# augmentation


@pytest.mark.parametrize("name", AUGMENTATIONS.names())
@pytest.mark.parametrize("channels", [1, 3])
def test_every_augmentation_keeps_shape_and_range_and_changes_images(name, channels):
    x = torch.rand(32, channels, 32, 32, generator=torch.Generator().manual_seed(0))
    kept = x.clone()
    y = AUGMENTATIONS[name](x, torch.Generator().manual_seed(1))
    assert y.shape == x.shape and y.min() >= 0 and y.max() <= 1 + 1e-6
    assert not torch.equal(y, x) and torch.equal(x, kept)
    assert torch.equal(y, AUGMENTATIONS[name](x, torch.Generator().manual_seed(1)))


def test_shift_is_a_move_by_up_to_two_pixels():
    x = torch.zeros(500, 1, 9, 9)
    x[:, :, 4, 4] = 1
    places = shift(x, torch.Generator().manual_seed(0)).flatten(1)
    assert torch.equal(places.sum(1), torch.ones(500))
    rows, columns = places.argmax(1) // 9, places.argmax(1) % 9
    assert set(rows.tolist()) == set(columns.tolist()) == {2, 3, 4, 5, 6}


def test_augmix_keeps_an_image_that_no_operation_can_change():
    black = torch.zeros(8, 1, 16, 16)
    assert torch.equal(augmix(black, torch.Generator().manual_seed(0)), black)


def test_blur_and_noise_are_the_corruptions_of_that_name(monkeypatch):
    """With every image at severity 3 and noise of no size, what is left is the blur of `corrupt`."""
    from robustshape.corruptions import corrupt

    images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 1), dtype=np.uint8)
    x = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    monkeypatch.setattr(torch, "randint", lambda low, high, size, **kw: torch.full(size, 3))
    monkeypatch.setattr(torch, "randn", lambda shape, **kw: torch.zeros(shape))
    y = blur_noise(x, torch.Generator().manual_seed(0))
    wanted = corrupt(images, "gaussian_blur", 3, constants="224").transpose(0, 3, 1, 2) / 255
    blurred = (y != x).flatten(1).any(1)
    assert 4 < int(blurred.sum()) < 16
    assert np.abs(y[blurred].numpy() - wanted[blurred]).max() <= 1.01 / 255  # truncated to whole grey levels


def test_noise_has_the_sizes_of_the_corruption():
    y = blur_noise(torch.full((4000, 1, 16, 16), 0.5), torch.Generator().manual_seed(0))
    sd = y.flatten(1).std(1)
    assert abs(float((sd > 0.01).float().mean()) - 0.5) < 0.03  # a blur leaves a flat image as it is
    for wanted in (0.08, 0.12, 0.18):  # the larger ones are clipped
        assert abs(float(((sd - wanted).abs() < 0.02).float().mean()) - 0.1) < 0.02


def test_mixup_is_the_weighted_mean_with_its_partner():
    x = torch.rand(6, 1, 2, 2)
    mixed, partner, share = mix(x, torch.Generator().manual_seed(0))
    assert sorted(partner.tolist()) == list(range(6)) and 0 <= share <= 1
    assert torch.allclose(mixed[2], share * x[2] + (1 - share) * x[partner[2]])
