"""``torchvision:``: the networks and logits of torchvision's own pretrained builders, from weights made here."""

import re

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from robustshape.errors import InputError
from robustshape.models.heads import find_head
from robustshape.models.torchvision_models import pretrained
from robustshape.models.weights import fit_weights, read_weights

RISKY = {"googlenet": 64, "inception_v3": 75, "densenet121": 32, "mnasnet0_5": 32}  # a side that each takes

HEADS = {"densenet121": "classifier", "mnasnet0_5": "classifier.1"}


def state_of(architecture):
    torch.manual_seed(0)
    extra = (
        {"init_weights": False, "aux_logits": True}
        if "ception" in architecture or "goog" in architecture
        else {}
    )
    network = torchvision.models.get_model(architecture, weights=None, **extra)
    return network.state_dict()


@pytest.mark.parametrize("architecture", RISKY)
def test_logits_are_those_of_the_pretrained_builder(architecture, monkeypatch):
    weights = torchvision.models.get_model_weights(architecture).DEFAULT
    state = state_of(architecture)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *_, **__: state)
    theirs = torchvision.models.get_model(architecture, weights=weights).eval()
    ours = pretrained(architecture, weights, state, "here").eval()
    x = torch.rand(1, 3, RISKY[architecture], RISKY[architecture])
    with torch.inference_mode():
        assert torch.equal(ours(x), theirs(x))
    assert find_head(ours, x) == (HEADS.get(architecture, "fc"), 1000)
    assert getattr(ours, "transform_input", True)  # which a builder without weights leaves off


def test_tensors_under_former_names_load():
    """DenseNets were published with norm.1 where it now says norm1, before batches were counted."""
    state = {
        re.sub(r"(norm|conv)(\d)\.(?=\w+$)", r"\1.\2.", name) if "denselayer" in name else name: value
        for name, value in state_of("densenet121").items()
        if not name.endswith("num_batches_tracked")
    }
    first = "features.denseblock1.denselayer1.norm"
    ours = pretrained("densenet121", torchvision.models.DenseNet121_Weights.DEFAULT, state, "here")
    assert torch.equal(ours.state_dict()[f"{first}1.weight"], state[f"{first}.1.weight"])


@pytest.mark.parametrize("end", ["pth", "safetensors"])
def test_the_versions_of_layers_come_with_a_file_or_are_the_network_s_own(end, tmp_path):
    """MNASNet refuses tensors without them, and a .safetensors has none."""
    state, path = state_of("mnasnet0_5"), tmp_path / f"w.{end}"
    torch.save(state, path) if end == "pth" else save_file(state, path)
    read = read_weights(path)
    assert hasattr(read, "_metadata") is (end == "pth")
    ours = pretrained("mnasnet0_5", torchvision.models.MNASNet0_5_Weights.DEFAULT, read, path)
    other = torchvision.models.mnasnet0_5()
    fit_weights(other, {f"module.{name}": value for name, value in read.items()}, path)
    for network in (ours, other):
        assert torch.equal(network.classifier[1].weight, state["classifier.1.weight"])


def test_weights_that_do_not_fit_are_named_and_the_builder_is_as_it_was():
    weights = torchvision.models.SqueezeNet1_1_Weights.DEFAULT
    with pytest.raises(InputError, match=r"the weights mine.pth do not fit torchvision:squeezenet1_1: Error"):
        pretrained("squeezenet1_1", weights, {"nothing": torch.zeros(1)}, "mine.pth")
    assert "get_state_dict" not in vars(type(weights))
