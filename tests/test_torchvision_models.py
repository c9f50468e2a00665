"""``torchvision:``: the networks and logits of torchvision's own pretrained builders, from weights made here."""

import re

import pytest
import torch
import torchvision

from robustshape.errors import InputError
from robustshape.models.heads import find_head
from robustshape.models.torchvision_models import pretrained

RISKY = {"googlenet": 64, "inception_v3": 75, "densenet121": 32}  # a side that each takes


def state_of(architecture):
    torch.manual_seed(0)
    extra = {} if architecture == "densenet121" else {"init_weights": False, "aux_logits": True}
    network = torchvision.models.get_model(architecture, weights=None, **extra)
    return network.state_dict()


@pytest.mark.parametrize("architecture", RISKY)
def test_logits_are_those_of_the_pretrained_builder(architecture, monkeypatch):
    weights = torchvision.models.get_model_weights(architecture).DEFAULT
    state = state_of(architecture)
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, **__: dict(state))
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *_, **__: dict(state))
    theirs = torchvision.models.get_model(architecture, weights=weights).eval()
    ours = pretrained(architecture, weights, state, "here").eval()
    x = torch.rand(1, 3, RISKY[architecture], RISKY[architecture])
    with torch.inference_mode():
        assert torch.equal(ours(x), theirs(x))
    assert find_head(ours, x) == ("classifier" if "dense" in architecture else "fc", 1000)
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


def test_weights_that_do_not_fit_are_named_and_the_builder_is_as_it_was():
    weights = torchvision.models.SqueezeNet1_1_Weights.DEFAULT
    with pytest.raises(InputError, match=r"the weights mine.pth do not fit torchvision:squeezenet1_1: Error"):
        pretrained("squeezenet1_1", weights, {"nothing": torch.zeros(1)}, "mine.pth")
    assert "get_state_dict" not in vars(type(weights))
