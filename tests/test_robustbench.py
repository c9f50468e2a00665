"""RobustBench: the catalogue without the package, and loading with a package and a server made for the test."""

import argparse
import importlib
import io
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from robustshape import models
from robustshape.errors import DownloadError, InputError, MissingFileError, StoreError
from robustshape.models import robustbench_catalogue as catalogue
from robustshape.models import robustbench_imports as imports
from robustshape.models import robustbench_models as source
from robustshape.models import robustbench_weights as weights

NAME = "cifar10/Linf/Carmon2019Unlabeled"


class Tiny(nn.Module):
    """A network that normalises by itself, as all of RobustBench do."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mu", torch.full((1, 3, 1, 1), 0.5))
        self.linear = nn.Linear(3072, 10)

    def forward(self, x):
        return self.linear((x - self.mu).flatten(1))


@pytest.fixture
def folder(tmp_path, cache, monkeypatch):
    """An empty folder that ROBUSTSHAPE_DATA names."""
    monkeypatch.setenv("ROBUSTSHAPE_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def package(monkeypatch):
    """In place of robustbench: every name of the catalogue is a Tiny."""
    entries = {name: {"model": Tiny} for name in catalogue.networks()}
    monkeypatch.setattr(imports, "architectures", lambda: entries)


def photos(n=2, height=32, width=32):
    return np.random.default_rng(0).integers(0, 256, (n, height, width, 3), dtype=np.uint8)


# the catalogue


def test_the_whole_catalogue_is_listed_without_the_package():
    names = models.names("robustbench:*")
    assert len(names) == 206 and "robustbench:cifar10/Linf/Wang2023Better_WRN-70-16" in names
    assert len(models.names("robustbench:cifar10/L2/*")) == 21
    assert "robustbench" not in sys.modules


def test_every_line_is_complete():
    numbers = [f"{kind}_accuracy" for kind in ("clean", "robust", "corruption")]
    for name, row in catalogue.rows().items():
        assert row["dataset"] in imports.CLASSES and row["threat"] in ("Linf", "L2", "corruptions")
        assert all(0 <= float(row[key]) <= 100 for key in numbers if row[key])
        assert any(row[key] for key in numbers[1:]) and row["title"] and row["venue"], name
    for name, row in catalogue.networks().items():
        assert row["preprocessing"] in source.PREPROCESSINGS and row["licence"], name
        assert (row["preprocessing"] == "") == (row["dataset"] != "imagenet")
        assert all(page.startswith("https://") for page in catalogue.pages(name))
        assert bool(row["unusable"]) != bool(row["penultimate"])
        assert (len(catalogue.pages(name)) > 1) <= bool(row["unusable"])


def test_the_published_figures_by_hand():
    row = catalogue.rows()["cifar10/L2/Wang2023Better_WRN-70-16"]
    assert (row["clean_accuracy"], row["autoattack_accuracy"]) == ("95.54", "84.97")
    table = catalogue.table()
    linf = table[(table.dataset == "cifar10") & (table.threat == "Linf")]
    assert len(table) == 236 and linf.clean_accuracy.corr(linf.robust_accuracy) == pytest.approx(
        0.21, abs=0.02
    )


def test_without_the_package_loading_says_how_to_install_it(folder, monkeypatch):
    monkeypatch.setattr(imports.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(imports, "architectures", imports.architectures.__wrapped__)
    with pytest.raises(MissingFileError, match="not installed; make robustbench"):
        models.load(f"robustbench:{NAME}")


def test_the_package_is_entered_without_its_own_imports(folder, tmp_path, monkeypatch):
    zoo = tmp_path / "robustbench" / "model_zoo"
    zoo.mkdir(parents=True)
    (tmp_path / "robustbench" / "__init__.py").write_text("import autoattack_that_is_not_there\n")
    (zoo / "__init__.py").write_text(
        "from enum import Enum\n"
        "class Name(Enum):\n    data = 'cifar10'\n    threat = 'Linf'\n"
        "model_dicts = {Name.data: {Name.threat: {'A': {'model': dict}}}}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert list(imports.architectures.__wrapped__()) == ["cifar10/Linf/A"]
    assert "robustbench" not in sys.modules
    # a reader's own import runs all of it
    with pytest.raises(ImportError, match="autoattack_that_is_not_there"):
        importlib.import_module("robustbench")
    (zoo / "__init__.py").write_text("import nothing_of_this_name\n")
    for name in [name for name in sys.modules if name.partition(".")[0] == "robustbench"]:
        del sys.modules[name]
    imports.importlib.invalidate_caches()
    (zoo / "__init__.py").touch()
    with pytest.raises(
        MissingFileError, match=r"cannot be imported .*nothing_of_this_name.*make robustbench"
    ):
        imports.architectures.__wrapped__()
    assert "robustbench" not in sys.modules


def test_an_architecture_that_does_not_build_is_an_error_in_words(package, monkeypatch):
    def broken():
        raise AttributeError("timm has no such layer")

    monkeypatch.setitem(imports.architectures()[NAME], "model", broken)
    with pytest.raises(InputError, match=r"cannot be built beside timm .*no such layer.*choose another"):
        imports.construct(NAME)


# names and preprocessing


def test_unknown_names_and_ensembles_are_refused(package):
    with pytest.raises(InputError, match=r"closest: robustbench:cifar10/Linf/Carmon2019Unlabeled"):
        models.load("robustbench:cifar10/Linf/Carmon2019Unlabelled")
    with pytest.raises(InputError, match=r"Chen2020Adversarial cannot be used: .*penultimate"):
        models.load("robustbench:cifar10/Linf/Chen2020Adversarial")
    with pytest.raises(InputError, match="unknown model"):
        models.load("robustbench:cifar10/Linf/Madry2018Towards")  # on the leaderboard, without a network


@pytest.mark.parametrize("name", [name for name, row in catalogue.networks().items() if not row["unusable"]])
def test_every_network_has_a_preprocessing(name):
    size = {"imagenet": (224, 288)}.get(name.split("/")[0], (32,))
    height, width = (240, 320) if "imagenet" in name else (32, 32)
    x = source.preprocessing_of(name).pixels(photos(1, height, width))
    assert x.shape[1] == 3 and x.shape[2] == x.shape[3] and x.shape[2] in size


def test_cutting_and_squashing_by_hand():
    tall = photos(1, 300, 290)
    cut = source.preprocessing_of("imagenet/Linf/Wong2020Fast")
    assert np.array_equal((cut(tall)[0] * 255).round().byte().permute(1, 2, 0), tall[0, 6:294, 1:289])
    squash = source.preprocessing_of("imagenet/Linf/Mo2022When_ViT-B")
    columns = np.broadcast_to(np.arange(300, dtype=np.uint8)[None, None, :, None] % 250, (1, 224, 300, 3))
    assert squash(columns).shape == (1, 3, 224, 224)
    assert torch.equal(
        squash(photos(1, 224, 224)) * 255, torch.from_numpy(photos(1, 224, 224)).permute(0, 3, 1, 2)
    )
    assert cut.describe()["resizing"] == "cut" and squash.describe()["resizing"] == "squash"


# weights from files


@pytest.mark.parametrize(
    "place", [f"{NAME}.pt", f"models/{NAME}.pt", f"weights/{NAME}.safetensors", f"robustbench/{NAME}.pt"]
)
def test_reads_a_local_file(folder, package, place):
    network, path = Tiny(), folder / place
    path.parent.mkdir(parents=True)
    save = save_file if path.suffix == ".safetensors" else torch.save
    save(network.state_dict(), path)
    classifier = models.load(f"robustbench:{NAME}")
    with torch.inference_mode():
        expected = network(torch.from_numpy(photos()).permute(0, 3, 1, 2) / 255)
    assert np.allclose(classifier.logits(photos()), expected.numpy(), atol=1e-5)
    assert classifier.head == "linear" and classifier.n_classes == 10
    assert classifier.identity == models.identity(f"robustbench:{NAME}")
    assert (
        classifier.identity["weights"].startswith("sha256:")
        and "Unlabeled Data" in classifier.about["citation"]
    )


def wrapped(state):
    """The shapes that authors save their weights in."""
    bare = {key: value for key, value in state.items() if key != "mu"}
    return [
        {"state_dict": {f"module.model.{key}": value for key, value in bare.items()}, "epoch": 3},
        {"last": bare, "best": {key: value * 0 for key, value in bare.items()}},
        {"model": bare, "args": argparse.Namespace(lr=0.1), "best": np.float64(93.1)},
        {**bare, "linear.scores": torch.zeros(3)},
        {key: value.double() for key, value in state.items()},
    ]


@pytest.mark.parametrize("kind", range(5))
def test_reads_what_authors_wrap_around(folder, package, kind):
    network, path = Tiny(), folder / f"{NAME}.pt"
    path.parent.mkdir(parents=True)
    torch.save(wrapped(network.state_dict())[kind], path)
    classifier = models.load(f"robustbench:{NAME}")
    assert torch.equal(classifier.module.linear.weight, network.linear.weight)
    assert torch.equal(classifier.module.mu, network.mu)


def test_names_of_former_versions_are_translated_by_timm():
    import timm

    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("model", timm.create_model("test_vit"))
    state = {key.removeprefix("model."): value for key, value in module.state_dict().items()}
    assert weights.fitted(module, state).keys() == module.state_dict().keys()


class Runs:
    """What a file must not be able to do."""

    def __reduce__(self):
        return (print, ("a file ran code",))


@pytest.mark.parametrize(
    "content, kind, words",
    [
        ({"linear.weight": torch.zeros(10, 3)}, InputError, "do not fit a Tiny"),
        ({"linear.weight": "text"}, StoreError, "not a dictionary of tensors"),
        (Runs(), StoreError, "cannot be read"),
    ],
)
def test_a_file_that_is_not_its_weights_is_refused(folder, package, capsys, content, kind, words):
    (folder / NAME).parent.mkdir(parents=True)
    torch.save(content, folder / f"{NAME}.pt")
    with pytest.raises(kind, match=words):
        models.load(f"robustbench:{NAME}")
    assert "ran code" not in capsys.readouterr().out


# weights from a server


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.server.asked.append(start)
        body = self.server.body
        if start >= len(body):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        stop = start + len(body) // 2 if self.server.cuts and not start else len(body)
        self.wfile.write(body[start:stop])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(folder, package, monkeypatch):
    """In place of Google Drive: gives the bytes of a Tiny's weights."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("ROBUSTSHAPE_OFFLINE", raising=False)
    server, file = ThreadingHTTPServer(("127.0.0.1", 0), Handler), io.BytesIO()
    torch.save(Tiny().state_dict(), file)
    server.asked, server.body, server.cuts = [], file.getvalue(), False
    monkeypatch.setattr(weights, "DIRECT", f"http://127.0.0.1:{server.server_port}/download?id={{}}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("cuts, asked", [(False, 1), (True, 2)])
def test_downloads_resumes_and_does_not_download_twice(server, cache, cuts, asked):
    server.cuts = cuts
    spec = models.identity(f"robustbench:{NAME}")
    assert (cache / "weights" / f"{NAME}.pt").read_bytes() == server.body and len(server.asked) == asked
    assert models.load(f"robustbench:{NAME}").identity == spec and len(server.asked) == asked
    assert not list((cache / "weights").rglob("*.part"))


def test_a_beginning_of_another_file_is_thrown_away(server, cache):
    part = cache / "weights" / f"{NAME}.pt.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"?" * 1000)
    assert weights.fetch(NAME).read_bytes() == server.body and server.asked == [1000, 0]


@pytest.mark.parametrize(
    "body, words",
    [
        (b"<!DOCTYPE html><p>Too many users", "the answer is a page, not the file"),
        (b"\x80" * 5000, "cannot be read"),
    ],
)
def test_what_is_not_the_weights_is_not_kept(server, cache, body, words):
    server.body = body
    with pytest.raises(DownloadError, match=words) as error:
        models.load(f"robustbench:{NAME}")
    assert "https://drive.google.com/uc?id=" in str(error.value) and f"{NAME}.pt" in str(error.value)
    assert not [path for path in (cache / "weights").rglob("*.pt*") if path.suffix != ".lock"]
    assert weights.find(NAME) is None


def test_offline_says_address_size_and_place(folder, package, cache):
    with pytest.raises(MissingFileError) as error:
        models.load(f"robustbench:{NAME}")
    place = catalogue.networks()[NAME]["weights"].removeprefix("gdrive:")
    for words in (
        "ROBUSTSHAPE_OFFLINE",
        "size not published, about 152 MB",
        f"https://drive.google.com/uc?id={place}",
        str(cache / "weights" / f"{NAME}.pt"),
        "folder of ROBUSTSHAPE_DATA",
    ):
        assert words in str(error.value)
