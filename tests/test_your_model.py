"""The report: its row against brute force, what it says and refuses, live networks and data, and the page with its files."""

import json
import re

import numpy as np
import pytest
import torch
from torch import nn

import robustshape
from robustshape import datasets
from robustshape.corruptions import STANDARD
from robustshape.datasets import live_data
from robustshape.errors import InputError
from robustshape.evaluation import described
from robustshape.indicators import INDICATORS, describe, value
from robustshape.models import live_models
from robustshape.models.preprocessing import Preprocessing
from robustshape.reporting import page_of
from robustshape.studies.indicator_comparison.calibration import EVERY, Calibration, Line, Saved, Target
from robustshape.studies.your_model import answer, figures, numbers, outlook, peers, sizes, tables
from robustshape.studies.your_model.first_to_fail import first_to_fail
from studies import check_described

HOSTILE = "<svg onload=alert(1)> `a` $b$ |c|"
SMALL = dict(
    n_samples=120, n_robustness=60, n_classes=4, per_class=10, n_draws=2, corruptions=["gaussian_noise", "contrast"],
    severities=[1, 5], attacks=["fgsm linf 0.05 0.1 on 20"], n_shown=4,
)  # fmt: skip


class Linear(nn.Module):
    """A linear classifier of digits that is right more often than chance; returns a dictionary."""

    def __init__(self, seed: int = 0):
        super().__init__()
        digits = datasets.load("digits", split="train")
        x, y = datasets.pixels(digits).reshape(digits.sizes["sample"], -1) / 255, digits["label"].values
        rng = np.random.default_rng(seed)
        self.body = nn.Linear(x.shape[1], 20)
        self.head = nn.Linear(20, 10)
        project = rng.normal(size=(x.shape[1], 20)) / 10
        weights = np.linalg.lstsq(np.column_stack([x @ project, np.ones(len(x))]), np.eye(10)[y], rcond=None)[
            0
        ]
        with torch.no_grad():
            self.body.weight.copy_(torch.tensor(project.T))
            self.body.bias.zero_()
            self.head.weight.copy_(10 * torch.tensor(weights[:-1].T))
            self.head.bias.copy_(10 * torch.tensor(weights[-1]))
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        """Return the logits in a dictionary."""
        return {"logits": self.head(self.dropout(self.body(x.flatten(1)))), "more": 1}


def images_and_labels(n=None):
    digits = datasets.load("digits").isel(sample=slice(0, n))
    return datasets.pixels(digits), digits["label"].values


@pytest.fixture(scope="module")
def network():
    return Linear()


@pytest.fixture(scope="module")
def rows(network, tmp_path_factory):
    """Return the rows of two live networks on live arrays, one class named like an attack on a page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path_factory.mktemp("report")))
        names = [HOSTILE, *map(str, range(1, 10))]
        yield robustshape.evaluate(network, (*images_and_labels(), names), compare=Linear(1), **SMALL)


def test_evaluate_takes_a_module_as_it_is_and_leaves_it_so(network, rows):
    assert network.training and all(p.requires_grad for p in network.parameters())
    check_described(robustshape.studies.your_model.STUDY, rows)
    row = rows.isel(model=0)
    images, labels = images_and_labels()
    ids = {f"live/{i:06d}": i for i in range(len(images))}
    at = [ids[str(name)] for name in row["held_out"].values]
    network.eval()
    with torch.no_grad():
        x = torch.tensor(images[at]).permute(0, 3, 1, 2) / 255
        predicted = network(x)["logits"].argmax(1).numpy()
    network.train()
    right = predicted == labels[at]
    assert row["right"].values.tolist() == right.tolist() and float(row["accuracy"]) == right.mean() > 0.5
    for k in range(10):
        own = labels[at] == k
        assert row["class_accuracy"].values[k] == pytest.approx(right[own].mean())
    assert row["class_corrupted_accuracy"].dims == ("class", "corruption")
    sizes_of = np.bincount(labels[at], minlength=10) / len(at)
    whole = (row["class_corrupted_accuracy"] * sizes_of[:, None]).sum("class")
    assert whole.values == pytest.approx(row["corrupted_accuracy"].mean("severity").values)
    assert row["right_corrupted"].mean("held_out").values == pytest.approx(whole.values)
    assert str(row["class_name"].values[0]) == HOSTILE and int(row["data_classes"]) == 10
    assert row["pixels"].values.tolist() == [32, 32]


def test_the_images_that_fail_first_by_brute_force():
    rng = np.random.default_rng(0)
    clean, under = rng.random(30) < 0.8, rng.random((3, 4, 30)) < 0.7
    found = first_to_fail(clean, under, 9)
    shares = {i: 1 - under[:, :, i].mean() for i in range(30) if clean[i]}
    assert found.place.tolist() == sorted(shares, key=lambda i: (-shares[i], i))[:9]
    for i, c, s in zip(found.place, found.corruption, found.severity):
        assert (s, c) == min((s, c) for s in range(4) for c in range(3) if not under[c, s, i])
    assert len(first_to_fail([False, True], np.ones((1, 1, 2), bool), 3).place) == 0


def test_pictures_of_failures_are_those_that_the_network_misreads(network, rows):
    row = rows.isel(model=0)
    there = row["failing"].values.astype(str) != ""
    assert there.any()
    with torch.no_grad():
        shown = row["failing_corrupted_picture"].values[there][..., :1]
        read = network.eval()(torch.tensor(shown).permute(0, 3, 1, 2) / 255)["logits"].argmax(1).numpy()
    network.train()
    assert read.tolist() == row["failing_read_as"].values[there].astype(int).tolist()
    assert (read != row["failing_label"].values[there]).all()


def test_what_the_parameters_leave_open_follows_the_data():
    given = {
        "dataset": "digits",
        "models": ["zoo:mlp"],
        "predict_only": False,
        "attacks": ["auto"],
        "n_classes": 0,
        "per_class": 0,
    }
    found = sizes.completed(given)
    assert (found["n_samples"], found["n_robustness"], found["n_classes"], found["per_class"]) == (
        250,
        250,
        5,
        25,
    )
    assert found["attacks"] == ["pgd linf 0.02 0.05 0.1 0.2 on 200"]
    only = sizes.completed(given | {"predict_only": True})
    assert (only["n_samples"], only["n_robustness"], only["corruptions"], only["attacks"]) == (500, 0, [], [])
    rgb = live_data.register(
        (np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), np.uint8), np.arange(40) % 2)
    )
    assert sizes.completed(given | {"dataset": rgb})["attacks"] == [
        "pgd linf 1/510 1/255 2/255 4/255 8/255 on 20"
    ]
    for labels, words in (
        (np.zeros(9, int), "at least 2 are needed"),
        (np.repeat([0, 1], [8, 1]), "fewer than 4 test images of one, the fewest"),
    ):
        images = np.zeros((9, 8, 8), np.uint8)
        with pytest.raises(InputError, match=words):
            sizes.completed(
                given
                | {"dataset": live_data.register((images, labels, ["nought", "one"][: labels.max() + 2]))}
            )


def test_fewer_than_four_classes_have_no_multicut_but_all_else(network, tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path))
    images, labels = images_and_labels()
    few = labels < 3
    three = nn.Sequential(nn.Flatten(), nn.Linear(1024, 3))
    more = SMALL | {"n_classes": 0, "per_class": 0, "n_samples": 60, "n_robustness": 30}
    row = robustshape.evaluate(three, (images[few], labels[few]), **more)
    found = row["indicator_value"].mean("draw").to_series()
    assert found[found.isna()].index.tolist() == ["multicut_ari", "multicut_purity"]
    assert not peers.positions(row).empty and "Nothing is predicted" in answer.answer(
        row, outlook.published_calibration()
    )


def made_up(dataset="digits", clean=(0.1, 1.0)) -> Calibration:
    alone, both = (
        Line(0.0, {"clean": 0.5}, 1.0, 0.9, 0.8, 0.95),
        Line(0.0, {"clean": 0.5, "silhouette": 1.0}, 0.5, 0.9, 0.8, 0.95),
    )
    targets = {name: Target(alone, both, Saved(0.1, -0.1, 0.3)) for name in (EVERY, "noise")}
    return Calibration("made up", dataset, 20, 14, 0.9, clean, (32, 32), 10, 4, 10, (1, 5), targets)


def whole_benchmark(row):
    """Return a row as if the two corruptions that were measured were the fifteen of the benchmark."""
    at = [i % 2 for i in range(len(STANDARD))]
    return row.isel(corruption=at).assign_coords(corruption=list(STANDARD))


def test_the_prediction_is_the_line_and_stands_only_where_it_was_calibrated(rows):
    row = rows.isel(model=0)
    dataset = str(row["dataset"].item())
    known = made_up(dataset)
    table = outlook.outlook(row, known)
    n, k = int(row["n_samples"]), round(float(row["indicator_accuracy"]) * int(row["n_samples"]))
    logit = np.log((k + 0.5) / (n - k + 0.5))
    own = float(row["indicator_value"].sel(indicator="silhouette").mean("draw"))
    assert table.loc[EVERY, "predicted"] == pytest.approx(1 / (1 + np.exp(-0.5 * logit - own)))
    assert table.loc[EVERY, "by accuracy, high"] == pytest.approx(1 / (1 + np.exp(-0.5 * logit - 1)))
    assert table.loc["noise", "measured"] == pytest.approx(
        float(row["corrupted_accuracy"].sel(corruption="gaussian_noise").mean())
    )
    assert outlook.caveat(whole_benchmark(row), known) == "" and "promises nothing" in outlook.caveat(
        row, made_up("mnist")
    )
    words = answer.answer(row, known)
    assert words.startswith("Accuracy and clean features predict ") and "calibrated on" not in words
    assert "calibrated on mnist alone" in answer.answer(row, made_up("mnist"))
    assert "lies outside" in outlook.refusal(row, made_up(clean=(0.99, 1.0)))
    assert outlook.refusal(row.assign(at_chance=True), known) == "it is no better than chance"
    other = row.assign(per_class=50)
    table = outlook.outlook(other, known)
    assert "by accuracy" in table and "predicted" not in table
    assert answer.answer(other, known).startswith("Clean accuracy alone predicts")
    assert "4 classes with 50 images, but the calibration is for 4 classes with 10" in outlook.caveat(
        other, known
    )
    assert "by accuracy" not in outlook.outlook(row, None)
    assert not outlook.comparable(row, known) and "neither says anything" in outlook.caveat(row, known)
    assert "the interval" not in words.partition("Measured:")[2]
    whole = whole_benchmark(row)
    assert outlook.comparable(whole, known) and "neither says" not in outlook.caveat(whole, known)
    told = outlook.outlook(whole, known).loc[EVERY]
    where = "inside the" if told["low"] <= told["measured"] <= told["high"] else "outside of the"
    assert f"%, {where} interval, of" in answer.answer(whole, known)
    how = outlook.how_to_read(outlook.outlook(row, known), known)
    assert "blue from indicators" in how and "of the squared error" in how
    assert "blue" not in outlook.how_to_read(outlook.outlook(row, None), None)


def test_the_shipped_calibration_is_read_and_predicts():
    known = outlook.published_calibration()
    assert known.dataset == "mnist" and EVERY in known.targets
    assert 0 < float(known.targets[EVERY].accuracy.predict(3.0, {})[0]) < 1


def test_what_is_quoted_is_of_the_images_that_are_named(rows):
    row, text = rows.isel(model=0), answer.quotation(rows)
    assert all(
        f"clean accuracy {value:.3f}" in text for value in rows["accuracy"].values
    )  # a sentence for each network
    assert (
        f"on {int(row['n_robustness'])} test images" in text
        and f"accuracy {float(row['accuracy']):.3f}" in text
    )
    n = int(row["n_samples"]), int(row["n_robustness"])
    right = round(float(row["indicator_accuracy"]) * n[0]) + round(float(row["accuracy"]) * n[1])
    told = outlook.accuracy_in_words(row)
    assert told.startswith(f"{right / sum(n):.3f} (") and told.endswith(
        f"{float(row['accuracy']):.3f} on the others"
    )
    assert peers.drawn(row).startswith("Means over 2 draws of 4 of the 10 classes with 10 images each")
    assert tables.shape(peers.positions(row))["number"][0].startswith("p_purity: both purities over accuracy")


def test_positions_among_networks_that_were_measured_alike(rows, monkeypatch):
    row = rows.isel(model=0)
    assert "below" not in peers.positions(row) and peers.whom(row) == ""
    monkeypatch.setattr(peers, "published_presets", lambda study: ["these"])
    monkeypatch.setattr(peers, "read_published", lambda study, preset: rows.assign_attrs(preset=preset))
    table = peers.positions(row)
    other = peers.positions(rows.isel(model=1))
    assert (
        table.loc["kmeans_purity", "below"]
        == float(other.loc["kmeans_purity", "value"] < table.loc["kmeans_purity", "value"]) / 2
    )
    assert peers.whom(row).startswith(
        "Among 2 published networks of 1 families (these), on draws of 4 classes with 10 images"
    )
    monkeypatch.setattr(
        peers, "read_published", lambda study, preset: rows.assign(per_class=("model", [11, 11]))
    )
    assert "below" not in peers.positions(row)


def test_two_networks_are_compared_on_the_same_images(rows):
    table = tables.compared(rows).set_index("images")
    difference = rows["right"].isel(model=1).values.astype(float) - rows["right"].isel(model=0).values
    assert table.loc["clean", "difference"].startswith(f"{difference.mean():+.3f} (")
    assert list(table.index) == ["clean", "all corruptions", "gaussian noise", "contrast"]
    assert tables.compared(rows.isel(model=[0])).empty


def test_every_table_and_figure_is_drawn_with_and_without_corruption(rows, network, tmp_path, monkeypatch):
    assert set(numbers.figures_of(rows)) == {"outlook", "attack", "classes", "failing", "suspects"}
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path))
    only = robustshape.evaluate(network, images_and_labels(), **SMALL | {"predict_only": True})
    assert "corrupted_accuracy" not in only and int(only["n_robustness"]) == 0
    only = only.expand_dims("model")
    assert {"suspects"} <= set(numbers.figures_of(only)) <= {"suspects", "outlook"}
    assert "leave out --predict-only" in " ".join(answer.next_steps(only))
    assert tables.corruptions(only.isel(model=0)).empty and len(tables.classes(only.isel(model=0))) == 10
    for found in (numbers.of_report(rows), numbers.of_report(only)):
        text = json.dumps(found, allow_nan=False)
        assert all(str(name) in text for name in found["networks"])
    flat = numbers.flat(numbers.of_report(rows))
    assert len(flat) > 200 and "feature_space / kmeans_purity / value" in set(flat["what"])
    assert figures.positions(peers.positions(rows.isel(model=0))) is None


def test_a_report_is_one_page_with_its_numbers_beside_it(rows, network, tmp_path, monkeypatch):
    images, labels = images_and_labels()
    page = tmp_path / "a report.html"
    data = (images, labels, [HOSTILE, *map(str, range(1, 10))])
    assert robustshape.report(network, data, page, compare=Linear(1), progress=False, **SMALL) == page
    text = page.read_text()
    assert "<svg onload" not in text and "&lt;svg onload" in text
    assert re.findall(r'(?:src|href)="(?!data:)', text) == [] and "@import" not in text and len(text) < 5e6
    assert (
        "Beside the other network" in text
        and "minus" in text
        and "Your own analysis" not in text
        and "models: list[str]" not in text
    )
    found = json.loads((tmp_path / "a report.json").read_text())
    line = found["networks"][str(rows.model.values[0])]
    assert line["accuracy"]["robustness images"] == float(rows["accuracy"].values[0])
    assert line["answer"] == answer.answer(rows.isel(model=0), outlook.published_calibration())
    assert (tmp_path / "a report.csv").read_text().startswith("network,what,value\n")
    names = {path.name for path in (tmp_path / "a report.figures").iterdir()}
    assert {"outlook.svg", "outlook.png", "failing.png"} <= names


@pytest.mark.parametrize(
    "output, words",
    [
        ("report.pdf", "a file that ends in .html, but"),
        ("none/\0/r.html", "zero byte"),
        ("", "ends in .html"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_measured(
    output, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((InputError, ValueError), match=words):
        robustshape.report("zoo:mlp", "digits", output)
    assert list(tmp_path.iterdir()) == []


def test_a_page_has_no_code_and_no_cells_of_the_notebook_alone(rows):
    def cell(kind, source, tags=(), html=""):
        outputs = [{"data": {"text/html": [html]}}] if html else []
        return {"cell_type": kind, "source": [source], "metadata": {"tags": list(tags)}, "outputs": outputs}

    cells = [
        cell("markdown", "# A question?"), cell("code", "x = 1", ["parameters"], "<p>concealed</p>"),
        cell("code", "secret()", ["hide-input"], "<p>shown</p>"), cell("markdown", "more", ["notebook-only"]),
    ]  # fmt: skip
    text = page_of({"cells": cells}, rows, {"r.json": b"{}"})
    assert "<h1>A question?</h1>" in text and "<p>shown</p>" in text and 'download="r.json"' in text
    assert not any(word in text for word in ("secret", "concealed", "x = 1", ">more<"))


class Labelled(torch.utils.data.Dataset):
    """Images as tensors in [0, 1], or as what a test makes of them."""

    classes = tuple(map(str, range(10)))

    def __init__(self, n=20, change=lambda image: image):
        self.images, self.labels = images_and_labels(n)
        self.change = change

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.change(torch.tensor(self.images[i]).permute(2, 0, 1) / 255), int(self.labels[i])


def test_live_data_are_the_same_however_they_are_handed_over():
    from PIL import Image

    images, labels = images_and_labels(20)
    names = list(Labelled.classes)
    dataset = datasets.load("digits").isel(sample=slice(0, 20)).assign_attrs(class_names=names)
    pictures = Labelled(
        change=lambda image: Image.fromarray((image[0].numpy() * 255).round().astype(np.uint8))
    )
    arrays = Labelled(change=lambda image: (image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    loader = torch.utils.data.DataLoader(Labelled(), batch_size=7)
    ways = [
        (images, labels, names),
        (images[..., 0], labels, names),
        dataset,
        Labelled(),
        pictures,
        arrays,
        loader,
    ]
    assert len({live_data.register(way) for way in ways}) == 1
    found = datasets.load(live_data.register(ways[0]))
    assert np.array_equal(found["image"].values, images) and found.attrs["class_names"] == names


@pytest.mark.parametrize(
    "data, words",
    [
        (Labelled(0), "the data are empty"),
        (Labelled(change=lambda image: 2 * image - 1), "before any normalisation"),
        (Labelled(change=lambda image: image * float("nan")), "before any normalisation"),
        (
            Labelled(change=lambda image: image[:, :20, : 20 + int(image.sum()) % 2]),
            "images of several sizes",
        ),
        ((np.zeros((4, 8, 8), np.uint8),), "the data are 1 things, but data are a name"),
        ((np.zeros((4, 8, 8), np.uint8), [0, 1, 2]), "4 images, but labels of shape"),
        ((np.zeros((4, 8, 8), np.uint8), [0, 1, 0, -1]), "the label -1, but labels are whole numbers from 0"),
        ((np.zeros((4, 8, 8), np.float32), [0, 1, 0, 1]), "images must be uint8"),
        (5, "the data are a int, but data are a name"),
        ([1, 2, 3, 4], "the data are 4 things"),
    ],
)
def test_live_data_that_cannot_be_used(data, words):
    with pytest.raises(InputError, match=words):
        live_data.register(data)


def test_live_networks_are_known_by_what_they_are():
    first, same, other = Linear(), Linear(), Linear(1)
    assert live_models.register(first) == live_models.register(same) != live_models.register(other)
    name = live_models.register(first)
    assert name != live_models.register(first, head="body") and name in live_models.names()
    half = Preprocessing(channels=1, mean=(0.5,), std=(0.5,))
    assert name != live_models.register(first, preprocess=half)
    with torch.no_grad():
        first.head.bias += 1
    assert live_models.register(first) != name  # trained further
    again = robustshape.models.load(name)
    assert torch.equal(again.module.network.head.bias, same.head.bias)  # the copy is as it was
    tanh = type(
        "Linear", (Linear,), {"forward": lambda self, x: self.head(torch.tanh(self.body(x.flatten(1))))}
    )
    assert live_models.register(tanh()) != live_models.register(Linear())  # the same numbers, another forward
    for wrong, words in (
        (torch.jit.trace(nn.Linear(4, 2), torch.zeros(1, 4)), "TorchScript"), (lambda x: x, "but was a function"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            live_models.register(wrong)
    with pytest.raises(InputError, match="unknown live model 'none'"):
        robustshape.models.load("live:none")
    with pytest.raises(InputError, match="unknown live data set"):
        datasets.load("live:none")


def test_what_does_not_fit_is_said_before_anything_is_measured(network, tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="preprocess and head are those of a module"):
        described("zoo:mlp", "digits", head="fc")
    with pytest.raises(InputError, match="compared with another network, but both are the same"):
        described(network, "digits", compare=Linear())
    with pytest.raises(InputError, match="n_samples is 9,999, but digits has 500 test images"):
        robustshape.evaluate("zoo:mlp", "digits", n_samples=9999)
    with pytest.raises(InputError, match="n_sample"):
        described(network, "digits", n_sample=3)
    with pytest.raises(InputError, match=r"tells 10 classes apart, but 'live:[0-9a-f]+' has 2"):
        robustshape.evaluate(
            network,
            (np.zeros((40, 32, 32), np.uint8), np.arange(40) % 2),
            **SMALL | {"n_samples": 20, "n_robustness": 20, "n_classes": 0, "per_class": 0},
        )

    class Nothing(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(1024, 10)

        def forward(self, x):
            return self.head(x.flatten(1)) / 0 * 0

    with pytest.raises(InputError, match="NaN or infinite"):
        robustshape.evaluate(Nothing(), images_and_labels(), **SMALL)


def test_what_is_odd_about_a_network_is_said_first(network, tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(tmp_path))

    class Odd(nn.Module):
        def __init__(self, how):
            super().__init__()
            self.inner, self.how = Linear(), how
            self.head = nn.Linear(10, 10)
            with torch.no_grad():
                self.head.weight.copy_(torch.eye(10))
                self.head.bias.zero_()

        def forward(self, x):
            return self.how(self.head, self.inner(x)["logits"])

    ways = {
        "at a second look": lambda head, z: head(nn.functional.dropout(z, 0.5, training=True)),
        "are probabilities, not logits": lambda head, z: head(z).softmax(1),
    }
    for words, how in ways.items():
        only = SMALL | {"predict_only": True}
        row = robustshape.evaluate(Odd(how), images_and_labels(), **only)
        assert words in " ".join(answer.oddities(row))
        assert answer.next_steps(row.expand_dims("model"))[0].startswith("Look at what is odd")
    assert answer.oddities(robustshape.evaluate(network, images_and_labels(), **only)) == []


def test_describe_is_every_indicator_of_the_arrays():
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 6
    features = rng.normal(size=(120, 5)) + 2 * np.eye(6, 5)[labels]
    logits = features @ rng.normal(size=(5, 6))
    found = describe(features, labels, logits=logits)
    assert list(found.index) == INDICATORS.names() and np.isfinite(found).all()
    given = {"features": features, "labels": labels, "logits": logits, "rng": np.random.default_rng(0)}
    for name in ("silhouette", "mean_margin", "neural_collapse", "kmeans_purity"):
        assert found[name] == value(name, **given | {"rng": np.random.default_rng(0)})
    without = describe(features, labels)
    assert set(without[without.isna()].index) == {
        "accuracy",
        "accuracy_among_classes",
        "mean_margin",
        "mean_max_softmax",
    }
    with pytest.raises(
        InputError, match=r"features reach .*, whose squares overflow; divide them by a constant"
    ):
        describe(features * 1e200, labels)
    few = describe(features[labels < 3], labels[labels < 3])
    assert np.isnan(few["multicut_purity"]) and np.isfinite(few["kmeans_purity"])
    again = describe(features, labels, rng=np.random.default_rng(1))
    assert again["silhouette"] == found["silhouette"]
    for wrong, words in (
        ((features, labels[:5]), "one label per sample"),
        ((features * np.nan, labels), "NaN or infinite"),
    ):
        with pytest.raises(InputError, match=words):
            describe(*wrong)
