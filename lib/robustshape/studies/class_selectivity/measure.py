"""Numbers of the selectivity study: for each network selectivity, accuracies, and what its layers look like inside."""

from robustshape import tasks
from robustshape.attacks.stages import Stage, in_words
from robustshape.errors import InputError
from robustshape.robustness import attacked, pgd_steps
from robustshape.store import results
from robustshape.store.keys import since
from robustshape.studies import as_list, preparation
from robustshape.studies.class_selectivity import row
from robustshape.studies.class_selectivity.grid import networks as grid
from robustshape.studies.class_selectivity.grid import source_of
from robustshape.studies.population import Population

STUDY = "class_selectivity"
VERSION = 1  # raise when a change of the algorithm changes the numbers


def _plan(
    *, network, alphas, seeds, beside, steps, step_budget, n_attacked, n_gradients, strongest, strongest_alphas,
    preset, source, dask_scheduler, **population,
):  # fmt: skip
    """Check the parameters; return the population, what defines each row, and the settings of `row.of_network`."""
    results.check_source(source)
    known = grid(network, alphas, seeds, beside)
    networks = Population.of(models=list(known), **population)
    steps = as_list(steps, "steps", int)
    if sorted(steps) != steps or steps[0] < 1:
        raise InputError(f"steps are ascending whole numbers from 1, but were {steps}")
    stage = Stage.parse(f"pgd linf {step_budget}")  # what is no budget raises
    if len(stage.budgets) > 1 or stage.n is not None:
        raise InputError(f"step_budget is one radius such as 1/255, but was {step_budget!r}")
    [budget] = stage.budgets
    # three for the two nearest neighbours of an image, two for a deviation
    for name, n, fewest in (("n_attacked", n_attacked, 3), ("n_gradients", n_gradients, 2)):
        if not fewest <= n <= networks.held_out.n:
            raise InputError(
                f"{name} is at least {fewest} and at most n_robustness, {networks.held_out.n}, but was {n}"
            )
    if not networks.corruptions:
        raise InputError("the average case is accuracy under corruption, so corruptions names at least one")
    if _classes(networks) < 2 or networks.selections[0].n < 4:
        raise InputError(
            f"selectivity compares classes, so n_samples is at least two for each of two classes, but was "
            f"{networks.selections[0].n}"
        )
    strong = Stage.parse(strongest) if strongest else None
    hardest = as_list(strongest_alphas, "strongest_alphas", float, empty=True)
    unknown = [alpha for alpha in hardest if alpha not in as_list(alphas, "alphas", float)]
    if (strong is None) != (not hardest) or unknown:
        raise InputError(
            f"strongest names an attack for the networks of strongest_alphas, which are some of alphas: give both or "
            f"neither, but they were {strongest!r} and {hardest}"
        )
    if strong is not None:
        attacked.tries([*networks.attacks, strong], networks.held_out)  # more images than there are raise
        if len(strong.budgets) > 1 or strong.norm != "linf" or strong.budgets[0] != budget:
            raise InputError(
                f"strongest is compared with PGD at step_budget, so it has that one L-infinity budget, "
                f"{in_words(budget)}, but was {strongest!r}"
            )
    settings, rows = {}, {}
    for model, (alpha, seed) in known.items():
        own = {
            "alpha": alpha,
            "training seed": seed,
            "steps": steps,
            "budget": budget,
            "n_attacked": n_attacked,
            "n_gradients": n_gradients,
            "strongest": strong if alpha in hardest else None,
            "transfer from": source_of(network, seed, as_list(seeds, "seeds", int)),
        }
        settings[model] = own
        rows[model] = {
            "study": STUDY,
            **networks.specification(model),
            **since("study version", VERSION, 1),
            **since("steps version", pgd_steps.VERSION, 1),
            **(since("strongest version", attacked.VERSION, 1) if own["strongest"] else {}),
            **{name: value for name, value in own.items() if name not in ("alpha", "training seed")},
            "budget": in_words(own["budget"]),
            "strongest": str(own["strongest"]) if own["strongest"] else None,
            "transfer from": networks.identity(own["transfer from"]) if own["transfer from"] else None,
        }
    return networks, rows, settings


def specifications(**parameters) -> dict[str, dict]:
    """Return what defines each network's row; nothing is computed. Takes what `measure` takes."""
    return _plan(**parameters)[1]


def measure(
    *,
    network: str,
    alphas: list[float],
    seeds: list[int],
    beside: list[str],
    dataset: str,
    reading: str,
    n_samples: int,
    n_robustness: int,
    corruptions: list[str],
    severities: list[int],
    corrupted: str,
    attacks: list[str],
    steps: list[int],
    step_budget: str,
    n_attacked: int,
    n_gradients: int,
    strongest: str,
    strongest_alphas: list[float],
    epochs: int,
    seed: int,
    preset: str,
    source: str,
    dask_scheduler: str,
):
    """Return a row for each network: selectivity, accuracies clean, corrupted and attacked, dimensions, gradients.

    The arguments are the parameters of ``notebooks/class_selectivity.ipynb``, where each is explained.

    Returns
    -------
    xarray.Dataset
        Dimensions model, depth (the layer's place), corruption, severity, attack, step, shift, measure: see
        `row.of_network`. A network whose training diverged has a row with ``diverged`` true and no numbers.
    """
    if source == "published":
        return results.gather_published(STUDY, list(grid(network, alphas, seeds, beside)), preset=preset)
    given = dict(
        network=network, alphas=alphas, seeds=seeds, beside=beside, dataset=dataset, reading=reading,
        n_samples=n_samples, n_robustness=n_robustness, corruptions=corruptions, severities=severities,
        corrupted=corrupted, attacks=attacks, steps=steps, step_budget=step_budget, n_attacked=n_attacked,
        n_gradients=n_gradients, strongest=strongest, strongest_alphas=strongest_alphas, epochs=epochs,
        seed=seed, preset=preset, source=source, dask_scheduler=dask_scheduler,
    )  # fmt: skip
    networks, rows, settings = _plan(**given)

    def compute(missing: list[str]):
        _check_networks(networks, missing)
        sources = sorted({settings[model]["transfer from"] for model in missing} - {None})
        print(preparation.cost(networks, missing, {"layers": len(missing)}))
        with tasks.workers(dask_scheduler) as client:
            needed = list(dict.fromkeys([*missing, *sources]))  # none is trained twice at the same time
            diverged = preparation.train(networks, needed, client)
            there = [model for model in missing if model not in diverged]
            preparation.prepare(networks, there, client)
            for model in (model for model in missing if model in diverged):
                print(f"{model} diverged: {diverged[model]}")
                yield model, row.of_diverged(networks, model, settings[model])
            calls = [row.pgd(networks, model, settings[model]) for model in sources if model not in diverged]
            tasks.run(row.attack, calls, client=client, label="attacks to be transferred")
            arguments = [(networks, model, settings[model]) for model in there]
            found = tasks.as_finished(
                row.of_network,
                arguments,
                client=client,
                label="layers",
                pace=preparation.pace(networks, "layers"),
            )
            for i, one in found:
                yield there[i], one

    return results.gather(STUDY, rows, preset=preset, source=source, compute=compute)


def _classes(networks: Population) -> int:
    """Return how many classes have at least two of the clean images."""
    import numpy as np

    counts = np.unique(networks.selections[0].load()["label"].values, return_counts=True)[1]
    return int((counts > 1).sum()) if (counts > 1).all() else 0


def _check_networks(networks: Population, models: list[str]) -> None:
    """Raise InputError if a network cannot be attacked or has no rectified convolution; none is trained for that."""
    import torch

    from robustshape import datasets
    from robustshape.features import load_classifier
    from robustshape.models.zoo import construct
    from robustshape.relu_maps import check_found, pooled_relu_maps

    for model in models:
        if model.startswith("zoo:"):
            about = networks.identity(model)
            shape = {name: about[name] for name in ("channels", "size", "n_classes")}
            module = construct(about["architecture"], **shape)
            x = torch.zeros(1, shape["channels"], shape["size"], shape["size"])
        else:
            classifier = load_classifier(model, networks.options(model), networks.held_out.load())
            module = classifier.on_pixels()
            x = classifier.pixels(datasets.pixels(networks.held_out.load().isel(sample=slice(0, 1))))
        with torch.inference_mode(), pooled_relu_maps() as pooled:
            module.eval()(x)
        check_found(pooled, model)
