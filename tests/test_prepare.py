"""What is computed once for a population: said before it begins, made in order, never twice, refused early."""

from dataclasses import replace

import pytest

from robustshape import models, tasks
from robustshape.errors import InputError, TrainingError
from robustshape.measurements import attacked, corrupted, features, prepare
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from studies import SHARED


@pytest.fixture(autouse=True)
def own_cache(cache):
    return cache


def population(**changed):
    given = {k: v for k, v in SHARED.items() if k not in ("preset", "source", "dask_scheduler")}
    return Population.of(**given | changed)


def test_the_cost_of_a_study_counts_the_stages_that_it_adds():
    networks = population()
    paces = {prepare.pace(networks, stage): 1.0 for stage in ("networks", "features", "corruptions")}
    for name, seconds in paces.items():
        tasks._remember(name, seconds)
    begin = "2 of 2 rows to measure: 2 networks to train, 320 corrupted images to classify, 0 networks to attack; "
    assert prepare.cost(networks, networks.networks) == begin + "less than a minute"
    unknown = "how long that takes is not known before a first run here"
    assert prepare.cost(networks, networks.networks, {"layers": 2}) == begin + unknown
    assert prepare.pace(networks, "layers") == "layers, digits, 40 images"
    tasks._remember("layers, digits, 40 images", 90.0)
    minutes = "about 3 min at the pace of the last run here"
    assert prepare.cost(networks, networks.networks, {"layers": 2}) == begin + minutes


def test_all_is_kept_and_nothing_is_made_twice(monkeypatch):
    networks = population(models=["zoo:mlp"], corruptions=["contrast"], attacks=["fgsm linf 0.1 on 10"])
    [mlp] = networks.networks
    prepare.clean_features(networks, [mlp])
    assert features.open_features(mlp, networks.clean) is not None
    assert len(features.missing(mlp, networks.held_out)) == 1
    prepare.prepare(networks, [mlp])
    assert prepare.cost(networks, [mlp]) == (
        "1 of 1 rows to measure: 0 networks to train, 0 corrupted images to classify, 0 networks to attack; "
        "nothing to wait for"
    )
    for stage, name in (
        (features, "compute"),
        (corrupted, "predict"),
        (attacked, "attack"),
        (models.zoo, "train"),
    ):
        monkeypatch.setattr(stage, name, lambda *a, name=name: pytest.fail(f"{name} again"))
    prepare.prepare(networks, [mlp])
    prepare.clean_features(networks, [mlp])
    assert features.accuracy(features.open_features(mlp, networks.held_out)) > 0


def test_what_does_not_fit_is_refused_before_others_are_trained(monkeypatch, own_cache):
    monkeypatch.setattr(models.zoo, "train", lambda *a: pytest.fail("it was trained"))
    networks = population(models=["zoo:mlp", "python:networks:of_imagenet"])
    with pytest.raises(InputError, match="tells 1000 classes apart, but 'digits' has 10"):
        prepare.prepare(networks, networks.networks)
    with pytest.raises(InputError, match=r"'pgd linf 0\.1 on 41' wants 41 images, but only 40 are kept"):
        population(attacks=["pgd linf 0.1 on 41"])
    assert not (own_cache / "features").exists()


def test_the_longest_trainings_begin_first_and_only_those_that_are_due(monkeypatch):
    began, ready = [], {"zoo:mlp/1"}
    monkeypatch.setattr(Network, "is_ready", property(lambda self: self.name in ready))
    monkeypatch.setattr(Network, "make_ready", lambda self: began.append(self.name))
    monkeypatch.setattr(
        Network, "diverged", property(lambda self: "nan" if self.name == "zoo:lenet-pgd" else "")
    )
    networks = population(models=["zoo:mlp", "zoo:lenet-pgd", "zoo:mlp/1", "zoo:mlp-pgd"])
    failed = prepare.train(networks, networks.networks)
    assert began == ["zoo:lenet-pgd", "zoo:mlp-pgd", "zoo:mlp"]
    assert failed == {networks.network("zoo:lenet-pgd"): "nan"}
    with pytest.raises(TrainingError, match="nan"):
        prepare.prepare(networks, networks.networks)


def test_a_population_of_one_more_network_asks_for_that_alone():
    one = population(models=["zoo:mlp"], corruptions=["contrast"])
    prepare.prepare(one, one.networks)
    two = replace(one, models=("zoo:mlp", "zoo:mlp/1"))
    assert prepare.cost(two, two.networks).startswith(
        "2 of 2 rows to measure: 1 networks to train, 80 corrupted images to classify, 0 networks to attack"
    )
