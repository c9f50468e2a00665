"""The networks of the study: one network at every alpha and seed, and others beside it at every seed."""

import math

from robustshape.errors import InputError
from robustshape.models import short_name
from robustshape.models.zoo_names import name_of, parse, parts_of
from robustshape.studies.seeds import at_every_seed
from robustshape.values import as_list


def with_alpha(network: str, alpha: float, seed: int = 0) -> str:
    """Return the name of `network` trained at this alpha and seed.

    >>> with_alpha("zoo:resnet", -0.4, 1), with_alpha("zoo:resnet-pgd", 2.0), with_alpha("zoo:resnet", 0.0, 2)
    ('zoo:resnet-alpha=-0.4/1', 'zoo:resnet-pgd+alpha=2', 'zoo:resnet/2')
    """
    words = f"{alpha:g}"
    if float(words) != alpha:
        words = repr(alpha)
    architecture, recipe, _ = parts_of(network)
    joined = [recipe] * bool(recipe) + [f"alpha={words}"] * bool(alpha)
    return name_of(architecture, "+".join(joined), str(seed or ""))


def networks(network: str, alphas, seeds, beside) -> dict[str, tuple[float, int]]:
    """Return the networks of a study by name, with their alpha and seed.

    Parameters
    ----------
    network : str
        Of the zoo, without a seed: "zoo:resnet".
    alphas : list of float
        Strengths of the regulariser; 0 is among them, for the transferred attack comes from there.
    seeds : list of int
        From 0.
    beside : list of str
        Networks that are trained otherwise: those of the zoo at every seed, any other as it is, with seed -1. Their
        alpha is NaN: they stand beside the dose-response.

    Raises
    ------
    InputError
        If `network` is not of the zoo or has a seed of its own, 0 is not among the alphas, or a seed is negative.

    Examples
    --------
    >>> networks("zoo:resnet", [-1, 0], [0, 1], ["zoo:resnet-pgd"])  # doctest: +NORMALIZE_WHITESPACE
    {'zoo:resnet-alpha=-1': (-1.0, 0), 'zoo:resnet': (0.0, 0), 'zoo:resnet-alpha=-1/1': (-1.0, 1),
     'zoo:resnet/1': (0.0, 1), 'zoo:resnet-pgd': (nan, 0), 'zoo:resnet-pgd/1': (nan, 1)}
    """
    parts = parts_of(network)
    if parts is None or parts.seed or "alpha=" in parts.recipe:
        raise InputError(
            f"network is one of the zoo without seed and alpha, such as zoo:resnet, for it is trained anew at every "
            f"alpha, but was {network!r}; put a finished network into beside"
        )
    parse(short_name(network))  # what is no network of the zoo raises
    alphas, seeds = as_list(alphas, "alphas", float), as_list(seeds, "seeds", int)
    if 0 not in alphas:
        raise InputError(f"alphas must hold 0, the network without the regulariser, but are {alphas}")
    if min(seeds) < 0:
        raise InputError(f"seeds are whole numbers from 0, but {min(seeds)} was given")
    found = {with_alpha(network, alpha, seed): (alpha, seed) for seed in seeds for alpha in alphas}
    others = at_every_seed(as_list(beside, "beside", empty=True), seeds)
    return found | {name: (math.nan, seed) for name, seed in others.items() if name not in found}


def source_of(network: str, seed: int, seeds) -> str | None:
    """Return the network without regulariser whose attacked images are shown to those of a seed.

    It is the one of the first of the `seeds`, for that seed itself the second: networks of one seed begin with the
    same weights, so that what fools one fools the others. None where there is no other seed.

    >>> source_of("zoo:resnet", 0, [0, 1, 2]), source_of("zoo:resnet", 2, [0, 1, 2]), source_of("zoo:resnet", 0, [0])
    ('zoo:resnet/1', 'zoo:resnet', None)
    """
    others = [other for other in seeds if other != seed]
    return with_alpha(network, 0.0, others[0]) if others else None
