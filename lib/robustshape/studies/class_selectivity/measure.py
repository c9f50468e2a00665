"""Numbers of the selectivity study: for each network selectivity, accuracies, and what its layers look like inside."""

from robustshape import tasks
from robustshape.attacks.stages import Stage, in_words
from robustshape.errors import InputError
from robustshape.robustness import attacked, pgd_steps
from robustshape.store import results
from robustshape.studies import as_list
from robustshape.studies.class_selectivity import row
from robustshape.studies.class_selectivity.grid import networks as grid
from robustshape.studies.class_selectivity.grid import numbers, source_of
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
    strong = Stage.parse(strongest) if strongest else None
    if strong is not None:
        attacked.tries([*networks.attacks, strong], networks.held_out)  # more images than there are raise
    hardest = numbers(strongest_alphas, "strongest_alphas", empty=True)
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
            "transfer from": source_of(network, seed) if seed >= 0 else None,
        }
        settings[model] = own
        rows[model] = {
            "study": STUDY,
            "version": [VERSION, pgd_steps.VERSION],
            **networks.specification(model),
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
        Dimensions model, depth (the layer's place), corruption, severity, attack, step, shift, measure: see `row.of_network`. A network
        whose training diverged has a row with ``diverged`` true and no numbers.
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
        print(networks.cost(missing))
        with tasks.workers(dask_scheduler) as client:
            sources = {settings[model]["transfer from"] for model in missing} - {None}
            needed = list(dict.fromkeys([*missing, *(m for m in rows if m in sources)]))
            diverged = networks.prepare(needed, client, diverging=True)
            for model, why in diverged.items():
                print(f"{model} diverged: {why}")
                if model in missing:
                    yield model, row.of_diverged(networks, model, settings[model])
            there = [model for model in missing if model not in diverged]
            first = sorted(sources - set(diverged))
            calls = [row.pgd(networks, model, settings[model]) for model in first]
            tasks.run(row.attack, calls, client=client, label="attacks to be transferred")
            arguments = [(networks, model, settings[model]) for model in there]
            for i, found in tasks.as_finished(row.of_network, arguments, client=client, label="layers"):
                yield there[i], found

    return results.gather(STUDY, rows, preset=preset, source=source, compute=compute)
