"""Malformed inputs by surface, each with the words that refuse it; `world` makes the files that they name.

A case of the shell is what follows ``robustshape``; a case of a notebook is a parameter and its value; one of Python is a
text that is evaluated in the names that `names` gives.
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np

CARD = {
    "constructor": "timm:test_resnet", "arguments": {"num_classes": 2}, "weights": "w.pth",
    "preprocessing": {"channels": 3, "size": [32, 32]}, "classes": 2,
}  # fmt: skip
LONG, LATIN = "x" * 300, "caf\udce9"  # a name that no file can have, and one that is no UTF-8
HOW = CARD["preprocessing"]
CARDS = {  # of a card: its change, and the words
    "null weights": ({"weights": None}, "null in weights"),
    "number for a constructor": ({"constructor": 7}, "7 in constructor"),
    "empty constructor": ({"constructor": ""}, '"" in constructor'),
    "unknown source": ({"constructor": "keras:x"}, "must be a name that starts with timm:"),
    "negative bytes": ({"bytes": -1}, "-1 in bytes"),
    "no class": ({"classes": 0}, "0 in classes"),
    "another number of classes": ({"classes": 5}, "returns 2 numbers for an image, but 5 classes are given"),
    "null classes": ({"classes": None}, "null in classes"),
    "null class name": ({"classes": ["a", None]}, "in classes.1"),
    "half a size": ({"preprocessing": HOW | {"size": 7}}, "7 in preprocessing.size"),
    "negative size": ({"preprocessing": HOW | {"size": [-1, 32]}}, "-1 in preprocessing.size.0"),
    "vast size": ({"preprocessing": HOW | {"size": [10**6, 10**6]}}, "1000000 in preprocessing.size.0: .*10000"),
    "null channels and no preprocessing": ({"preprocessing": None}, "null in preprocessing"),
    "zero std": ({"preprocessing": HOW | {"mean": [0] * 3, "std": [0] * 3}}, "0 in preprocessing.std.0"),
    "std too small": ({"preprocessing": HOW | {"mean": [0] * 3, "std": [1e-320] * 3}}, "in preprocessing.std: pixels are divided by it"),
    "vast mean": ({"preprocessing": HOW | {"mean": [1e30] * 3, "std": [1] * 3}}, r"1e\+30 in preprocessing.mean: pixels are in"),
    "std alone": ({"preprocessing": HOW | {"std": [1] * 3}}, "preprocessing.std without preprocessing.mean"),
    "mean alone": ({"preprocessing": HOW | {"mean": [1] * 3}}, "preprocessing.mean without preprocessing.std"),
    "two means": ({"preprocessing": HOW | {"channels": None, "mean": [0] * 2, "std": [1] * 2}}, "2 numbers in preprocessing.mean, but images have 1 or 3"),
    "unknown interpolation": ({"preprocessing": HOW | {"interpolation": ""}}, '"" in preprocessing.interpolation'),
    "no such layer": ({"head": "nowhere"}, "nowhere"),
    "wrong checksum": ({"sha256": "0" * 64}, "get the file again"),
    "weights that are not here": ({"weights": "gone.pth"}, "which do not exist here: put them beside the card"),
}  # fmt: skip
NOTEBOOKS = {  # parameters cells that can be run but not read, or not even run
    "computed": ("n: int = 2**3", "line 1 of the parameters cell of .*computed.ipynb, 'n: int = 2..3', is computed"),
    "called": ("k: int = 1\nn: int = len('abc')", "line 2 of the parameters cell .* is computed; give it a plain value"),
    "named": ("n: int = other", "is computed; give it a plain value"),
    "magic": ("%matplotlib inline\nn: int = 3", "line 1 .*, '%matplotlib inline', is no Python; magics"),
    "cell_magic": ("%%time\nn: int = 3", "'%%time', is no Python"),
    "shell": ("n: int = 3\n!ls", "line 2 .*, '!ls', is no Python; magics and calls of the shell stand in another cell"),
    "unfinished": ("n: int =", "is no Python"),
    "open_text": ("n: str = '''abc", "is no Python"),
    "indented": ("  n: int = 3", "is no Python"),
    "computed_type": ("n: Literal[f()] = 3", "has a type that cannot be read"),
    "broken_type": ("n: 'list[' = 3", "has a type that cannot be read"),
}  # fmt: skip
BROKEN = {  # what stands in an .ipynb
    "half": ("{", "is not a notebook that can be read"),
    "a_list": ("[]", "is not a notebook that can be read"),
    "null_cell": ('{"cells": [null]}', "is not a notebook that can be read"),
    "no_source": ('{"cells": [{"metadata": {}}]}', "is not a notebook that can be read .KeyError"),
    "null_metadata": ('{"cells": [{"metadata": null, "source": ""}]}', "is not a notebook that can be read"),
}
PRESETS = {  # what stands in a preset's file of the notebook good
    "torn": (b"n: [", "cannot be read"),
    "listed": (b"- 1", "must be lines of 'parameter: value'"),
    "latin": (b"n: \xe9", "cannot be read: 'utf-8'"),
    "no_date": (b"n: 2020-13-45", "cannot be read: month must be"),
    "other_type": (b"n: many", "n is a whole number, but was given 'many'"),
    "other_name": (b"m: 1", "unknown parameter 'm'"),
}
MODULES = {
    "mine": "import numpy as np\ndef raises(): raise RuntimeError('no weights here')\ndef needs(a): return a\n"
    "def nothing(): return None\ndef data(): raise KeyError('x')\nnumber = 3\n",
    "torn": "def build(:\n",
    "failing": "1 / 0\n",
    "leaving": "import sys\nsys.exit(3)\n",
}
MEASURED = {
    "models": ["zoo:mlp"],
    "dataset": "digits",
    "n_samples": 40,
    "n_robustness": 20,
    "epochs": 1,
    "attacks": [],
    "shift": "",
}

_RUN = ["run", "kstar_skewness", "-o", "out.ipynb", "-p"]
_REPORT = ["report", "zoo:mlp", "--dataset", "digits", "-o", "out.html"]
_MAKE = ["make-card", "w.pth", "--timm", "test_resnet", "-o", "out.json"]
_RESULTS = ["results", "kstar_skewness", "--preset", "mnist"]
_TRAIN = ["train-generator", "-o", "out.safetensors", "--judge", "", "--images", "1", "--dataset", "digits"]
SHELL = [
    *([*_RUN, "n", "3"][:1] + [f"{name}.ipynb", "-p", "n", "3", "-o", "out.ipynb"] + [words] for name, (_, words) in {**NOTEBOOKS, **BROKEN}.items()),
    *(["run", "good.ipynb", "--preset", name, "-o", "out.ipynb", words] for name, (_, words) in PRESETS.items()),
    ["run", "gone.ipynb", "there is no notebook file gone.ipynb"],
    ["run", f"{LONG}.ipynb", r"cannot be called .* \(306 bytes in one name\); give another path"],
    ["run", LATIN, "unknown notebook"],
    ["run", "kstar_skewness", "-o", "out.txt", "ends in .ipynb"],
    ["run", "kstar_skewness", "-o", "w.pth/out.ipynb", "w.pth/out.ipynb cannot be written"],
    ["run", "kstar_skewness", "-o", "a\0b.ipynb", "holds a zero byte"],
    ["run", "kstar_skewness", "--preset", "../x", "unknown preset of kstar_skewness"],
    [*_RUN, "seed", str(2**32), "seed is a whole number from 0 to 4294967295, but was given 4294967296"],
    [*_RUN, "seed", "1e3", "seed is a whole number, but was given '1e3'"],
    [*_RUN, "models", "[" * 5000, "models is a list of texts"],
    [*_RUN, "models", '["zoo:mlp/4294967296"]', "the seed in 'zoo:mlp/4294967296' is a whole number from 0 to 4294967295"],
    [*_RUN, "models", '["file:w.pth"]', "the card w.pth is not JSON"],
    [*_RUN, "models", f'["file:{LONG}"]', "a card cannot be called"],
    [*_RUN, "models", '["python:mine"]', "names no function; write it as python:package.module:factory"],
    [*_RUN, "modells", "[]", "unknown parameter 'modells' of kstar_skewness; closest: models"],
    [*_RUN, "dataset", "imagefolder:gone", "there is no folder 'gone'"],
    [*_RUN, "dataset", f"imagefolder:{LONG}", "a folder of images cannot be called"],
    [*_RUN, "dataset", f"imagefolder:{LATIN}", "is not UTF-8 text; rename it"],
    [*_RUN, "dataset", "npz:text.npz", "cannot be read as an .npz"],
    [*_RUN, "dataset", f"npz:{LONG}", "an .npz cannot be called"],
    [*_RUN, "dataset", "python:torn:data", "the module 'torn' failed: SyntaxError: .* .line 1 of .*torn.py"],
    [*_RUN, "dataset", "python:failing:data", "the module 'failing' failed: ZeroDivisionError: division by zero .line 1 of .*failing.py"],
    [*_RUN, "dataset", "python:leaving:data", "the module 'leaving' failed: SystemExit: 3"],
    [*_RUN, "dataset", "python:..:data", "'..' is no name of a module"],
    [*_RUN, "severities", "[0]", "severities is a whole number from 1 to 5"],
    [*_RUN, "attacks", '["pgd linf nan"]', "nan"],
    [*_RUN, "corruptions", '["fogg"]', "unknown corruption 'fogg'; closest: fog"],
    ["report", "zoo:mlpp", "--dataset", "digits", "-o", "out.html", "unknown model 'zoo:mlpp'"],
    ["report", "zoo:mlp", "--dataset", "digit", "-o", "out.html", "unknown data set 'digit'"],
    [*_REPORT[:-1], "out.txt", "a report is a file that ends in .html"],
    [*_REPORT[:-1], "a\0b.html", "a report cannot be called .* zero byte"],
    [*_REPORT[:-1], f"{LONG}.html", "a report cannot be called"],
    [*_REPORT[:-1], "~nobody-here/out.html", "there is no such person's home folder"],
    [*_REPORT[:-1], "w.pth/out.html", "cannot be written"],
    [*_REPORT, "--compare", "zoo:mlp", "is compared with another network, but both are the same"],
    *([*_REPORT, "-p", name, "x", f"{name} is no parameter that -p gives"] for name in ("compare", "output", "progress", "dataset", "measured", "head")),
    [*_REPORT, "-p", "seeed", "1", "unknown parameter 'seeed' of your_model; closest: seed"],
    [*_MAKE, "--size", "0", "0 in preprocessing.size.0: input should be greater than 0"],
    [*_MAKE, "--size", "-1", "-1 in preprocessing.size.0"],
    [*_MAKE, "--size", "1000000", "1000000 in preprocessing.size.0"],
    [*_MAKE, "--resize", "0", "0 in preprocessing.resize"],
    [*_MAKE, "--mean", "0", "0", "0", "--std", "0", "0", "0", "0.0 in preprocessing.std.0"],
    [*_MAKE, "--mean", "0", "0", "0", "--std", "nan", "1", "1", "NaN in preprocessing.std.0"],
    [*_MAKE, "--mean", "0", "0", "--std", "1", "1", "2 numbers in preprocessing.mean, but 3 channels"],
    [*_MAKE, "--classes", "latin.txt", "the names of the classes in latin.txt cannot be read"],
    [*_MAKE, "--classes", "torn.txt", "the names of the classes in torn.txt cannot be read"],
    [*_MAKE, "--classes", LONG, "the file of the classes' names cannot be called"],
    [*_MAKE, "--dataset", "gone", "unknown data set 'gone'"],
    [*_MAKE, "--dataset", "imagefolder:gone", "there is no folder 'gone'"],
    [*_MAKE[:-1], "a\0b.json", "a card cannot be called"],
    ["make-card", "w.pth", "--python", "mine:nothing", "-o", "out.json", "python:mine:nothing returned a NoneType"],
    ["make-card", "w.pth", "--python", "mine:raises", "-o", "out.json", "the function python:mine:raises failed: RuntimeError: no weights here .line 2 of .*mine.py"],
    ["make-card", "w.pth", "--python", "torn:build", "-o", "out.json", "the module 'torn' failed: SyntaxError"],
    ["make-card", "text.npz", "--timm", "test_resnet", "-o", "out.json", "the weights text.npz cannot be read"],
    ["results", "kstar", "unknown study 'kstar'"],
    [*_RESULTS, "--per", "nothing", "unknown dimension of the rows 'nothing'"],
    [*_RESULTS, "--csv", "a\0b", "a file to write cannot be called"],
    [*_RESULTS, "--csv", "w.pth/t.csv", "cannot be written"],
    ["publish", "kstar_skewness", "--preset", "../x", "unknown preset"],
    ["list", "nothing", "Invalid value"],
    ["doctor", "x", "Unused Tokens"],
    ["book", "--preset", "nowhere", "unknown preset 'nowhere'"],
    [*_TRAIN, "--seed", "-1", "seed is a whole number from 0 to 4294967295, but was given -1"],
    [*_TRAIN, "--seed", str(2**64), "seed is a whole number from 0 to 4294967295"],
    [*_TRAIN, "--reading", "nothing", "unknown reading 'nothing'"],
    ["train-generator", "-o", "w.pth/g.safetensors", *_TRAIN[3:], "w.pth/g.safetensors cannot be written"],
    ["train-generator", "-o", "a\0b.safetensors", *_TRAIN[3:], "a generator cannot be called"],
    ["train-generator", "-o", "out.safetensors", "--dataset", "imagefolder:good", "unknown split 'train'"],
]  # fmt: skip
PARAMETERS = [  # a parameter of kstar_skewness, its value, and the words
    ("models", ["python:mine:raises"], "the function python:mine:raises failed: RuntimeError: no weights here"),
    ("models", ["python:mine:needs"], "the function python:mine:needs failed: TypeError: .*missing 1 required"),
    ("models", ["python:mine:nothing"], "returned a NoneType"),
    ("models", ["python:mine:number"], "unknown function of mine 'number'"),
    ("models", ["python:torn:build"], "the module 'torn' failed: SyntaxError"),
    ("models", ["python:failing:build"], "the module 'failing' failed: ZeroDivisionError"),
    ("models", ["python:leaving:build"], "the module 'leaving' failed: SystemExit: 3"),
    ("models", ["python:gone:build"], "the module 'gone' cannot be imported"),
    ("models", ["zoo:mlp", "zoo:mlp"], "names something twice"),
    ("dataset", "imagefolder:latin_file", r"caf\\xe9.png is not UTF-8 text; rename it"),
    ("dataset", "imagefolder:latin_class", r"caf\\xe9 is not UTF-8 text; rename it"),
    ("dataset", "imagefolder:broken_link", "is a link to /nowhere/x.png, which cannot be reached"),
    ("dataset", "imagefolder:loop", "there is no folder 'loop'"),
    ("dataset", "imagefolder:not_an_image", "cannot be read as an image"),
    ("dataset", "python:mine:data", "the function python:mine:data failed: KeyError"),
    ("n_samples", 0, "n_samples is at least 1"),
    ("n_samples", 10**7, "samples were asked for, but digits"),
    ("n_robustness", 0, "n_robustness is at least 1"),
    ("seed", 2**32, "seed is a whole number from 0 to 4294967295"),
    ("attacks", ["pgd linf 1/0"], "1/0"),
    ("corrupted", "found", "corrupted is one of"),
    ("constants", "16", "16"),
]  # fmt: skip
PYTHON = [
    *((f"models.load('file:{name}.json')", words) for name, (_, words) in CARDS.items()),
    ("models.load(3)", "unknown model 3"),
    ("models.load('zoo:mlp', dataset='imagefolder:good')", "unknown split 'train'"),
    *((f"workers({name!r}).__enter__()", "'none', 'local:N' or an address") for name in ("local:0", "local", "loco:3", "local:x", "")),
    ("models.load('zoo:mlp', epochs=1.5)", "epochs is 1.5, but must be a whole number"),
    ("models.load('zoo:mlp', epochs='x')", "epochs is 'x', but must be a whole number"),
    ("models.load('zoo:mlp', device='tpu')", "device is 'tpu', but must be cpu"),
    ("models.load('zoo:mlp', device=3)", "device is '3', but must be cpu"),
    ("models.load('zoo:mlp/99999999999999999999999')", "is a whole number from 0 to 4294967295"),
    ("datasets.load(['digits'])", "unknown data set"),
    ("datasets.load('digits', split=['test'])", "unknown split"),
    ("datasets.load('digits', reading=['native'])", "unknown reading"),
    ("datasets.load('imagefolder:good', split='train')", "unknown split 'train'"),
    ("datasets.load('imagefolder:~nobody-here/x')", "no such person's home folder"),
    ("datasets.load('npz:negative.npz')", "holds the label -1"),
    ("datasets.load('npz:loop')", "there is no file 'loop'"),
    ("corrupt(I, ['fog'], 1)", "unknown corruption"),
    ("corrupt(I, 'fog', 6)", "severity 6 cannot be used"),
    ("corrupt(I / 255, 'fog', 1)", "uint8"),
    ("corrupt(I, 'fog', 1, seed=1.5)", "seed 1.5 cannot be used"),
    ("corrupt(I, 'fog', 1, ids=[1])", "ids"),
    ("describe([[1], [1, 2]], [0, 1])", "rows of several lengths"),
    ("describe(X * 1e200, Y)", "whose squares overflow"),
    ("describe(X, Y, logits=X[1:])", r"logits are \(n, c\), of the 40 samples"),
    ("describe(X, Y, logits=3)", r"logits are \(n, c\)"),
    ("describe(X, Y, logits=X[:, :2])", "labels run from 0 to 3, but with logits of 2 classes"),
    ("describe(X, Y, rng=3)", "rng is 3; give numpy.random.default_rng"),
    ("describe(X, Y * 1.0)", "labels must be integers"),
    ("kstar.nearest_foreign_rank([[1], [1, 2]], [0, 1])", "rows of several lengths"),
    ("kstar.nearest_foreign_rank(X, [[0], [0, 1]])", "rows of several lengths"),
    ("kstar.nearest_foreign_rank(X, Y, metric=['cosine'])", "unknown metric"),
    ("kstar.kstar_distribution(X, Y, compat='x')", "compat must be None"),
    ("kstar.kstar_distribution(X, Y * 0)", "at least two classes"),
    ("kstar.kstar_distribution(X, Y, device='tpu')", 'can be computed on device "cpu"'),
    ("purity.cluster_purity([[1], [1, 2]], Y)", "rows of several lengths"),
    ("purity.cluster_purity(Y * np.nan, Y)", "40 of 40 samples have NaN"),
    ("purity.cluster_purity(Y[1:], Y)", "one cluster and one label per sample"),
    *((f"purity.kmeans_clusters(X, {k!r}, rng=R)", "n_clusters must be 1 to 40") for k in (0, 41, 1.5, None, "4", True)),
    ("purity.kmeans_clusters(X, 4, rng=None)", "rng is None; give numpy.random.default_rng"),
    ("purity.kmeans_clusters(X * 1e200, 4, rng=R)", "whose squares overflow"),
    ("selectivity.class_selectivity(X[:, :0], Y)", "of at least one sample and unit"),
    ("selectivity.class_selectivity(X.astype(str), Y)", "responses are"),
    ("selectivity.class_selectivity(-abs(X), Y)", "for rectified responses"),
    ("selectivity.feature_selectivity('x', Y)", "responses are"),
    ("selectivity.feature_selectivity(X * 1j, Y)", "complex128"),
    ("selectivity.selectivity_loss([T[1:]], L)", "labels are one whole number from 0 for each of 39 responses"),
    ("selectivity.selectivity_loss([T], L - 1)", "down to -1"),
    ("selectivity.selectivity_loss([T], L * 1.0)", "torch.float32"),
    ("multicut.fit_calibration([], [])", "needs real features"),
    ("multicut.fit_calibration(X[:0], Y[:0])", "at least 2 samples"),
    ("multicut.fit_calibration(X * 1e200, Y)", "whose squares overflow"),
    ("evaluate(None, D)", "a model is a name"),
    ("evaluate(M, 3)", "the data are a int"),
    ("evaluate(M, {'image': D[0]})", "the data are a dict"),
    ("evaluate(M, (D[0] / 255, D[1]))", "uint8"),
    ("evaluate(M, (D[0], D[1][1:]))", "labels of shape"),
    ("evaluate(M, D, head=3)", "head is the name of a layer"),
    ("evaluate(M, D, preprocess=3)", "preprocess is a Preprocessing or a function"),
    ("evaluate(M, D, models=['x'])", "models is no parameter here"),
    ("evaluate(M, D, dataset='digits')", "dataset is no parameter here"),
    ("evaluate(M, D, seed=2**32)", "seed is a whole number from 0 to 4294967295"),
    ("report(M, D, None)", "a report cannot be called None"),
    ("report(M, D, 3)", "a report cannot be called 3"),
    ("Preprocessing(channels=3, mean=(0,) * 3, std=(0, 1, 1))", "0 in preprocessing.std.0"),
    ("Preprocessing(channels=3, std=(1, 1, 1))", "preprocessing.std without preprocessing.mean"),
]  # fmt: skip


def world(folder: Path) -> Path:
    """Make what the cases name in a folder, and return it."""
    import timm
    import torch
    from PIL import Image

    pixels = np.zeros((8, 8, 3), np.uint8)
    for place in ("good", "latin_file", "latin_class", "broken_link", "not_an_image"):
        for i, kind in enumerate("ab"):
            (folder / place / kind).mkdir(parents=True)
            for k in range(4):
                Image.fromarray(pixels + i * 100 + k).save(folder / place / kind / f"{k}.png")
    latin = os.fsencode(LATIN)
    os.rename(folder / "latin_file/a/0.png", os.fsencode(folder / "latin_file/a") + b"/" + latin + b".png")
    os.rename(folder / "latin_class/a", os.fsencode(folder / "latin_class") + b"/" + latin)
    os.makedirs(os.fsencode(folder) + b"/" + latin + b"/a")
    (folder / "broken_link/a/x.png").symlink_to("/nowhere/x.png")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "not_an_image/a/0.png").write_text("no image")
    np.savez(folder / "negative.npz", images=np.zeros((4, 8, 8, 3), np.uint8), labels=[-1, 0, 1, 0])
    (folder / "text.npz").write_text("no arrays")
    (folder / "latin.txt").write_bytes(b"caf\xe9\nb\n")
    (folder / "torn.txt").write_text('["a", ')
    torch.save(timm.create_model("test_resnet", num_classes=2).state_dict(), folder / "w.pth")
    whole = CARD | {"sha256": hashlib.sha256((folder / "w.pth").read_bytes()).hexdigest()}
    for name, (change, _) in CARDS.items():
        (folder / f"{name}.json").write_text(json.dumps(whole | change))
    for name, source in {"good": "n: int = 3", **{k: v[0] for k, v in NOTEBOOKS.items()}}.items():
        cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": source, "outputs": []}
        (folder / f"{name}.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}}))
    for name, (text, _) in BROKEN.items():
        (folder / f"{name}.ipynb").write_text(text)
    (folder / "presets").mkdir()
    for name, (text, _) in PRESETS.items():
        (folder / "presets" / f"good.{name}.yaml").write_bytes(text)
    for name, text in MODULES.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def names() -> dict:
    """Return the names in which the cases of Python are evaluated."""
    import torch

    from robustshape import datasets, evaluate, models, report
    from robustshape.corruptions import corrupt
    from robustshape.indicators import describe, kstar, multicut, purity, selectivity
    from robustshape.models.preprocessing import Preprocessing
    from robustshape.tasks import workers

    labels = np.arange(40) % 4
    return {
        **{"datasets": datasets, "evaluate": evaluate, "models": models, "report": report, "corrupt": corrupt, "np": np},
        **{"describe": describe, "kstar": kstar, "multicut": multicut, "purity": purity, "selectivity": selectivity},
        **{"Preprocessing": Preprocessing, "workers": workers},
        "X": np.random.default_rng(0).normal(size=(40, 5)),
        "Y": labels,
        "I": np.zeros((4, 8, 8, 3), np.uint8),
        "R": np.random.default_rng(0),
        "T": torch.ones(40, 3),
        "L": torch.tensor(labels),
        "M": torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 2)),
        "D": (np.zeros((40, 8, 8, 3), np.uint8), labels % 2),
    }  # fmt: skip
