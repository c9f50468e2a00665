"""What a study on some networks and images has to do, counted: pure arithmetic, nothing is loaded.

A gradient costs two passes beside the forward one, so a step of training or of an attack counts as three (Kaplan et
al. 2020, arXiv 2001.08361, section 2.1). Attacks are counted as if no image were fooled: an upper bound.
"""

from dataclasses import dataclass, field

GRADIENT = 3  # passes of a step that needs a gradient
PIECE = 2048  # images of a task
STARTS, LLOYD = 10, 30  # of k-means: starts, and iterations until it rests (assumed)
SEARCHES = 3  # for nearest neighbours in a row of kstar_skewness: shuffled labels, hit, dimension
STEPS = {  # an attack's passes of one image: gradients x 3, plain passes x 1
    "fgsm": 1 * GRADIENT,
    "pgd": 20 * GRADIENT,
    "apgd": 100 * GRADIENT + 9 * 100 * GRADIENT,
    "autoattack": (100 + 2 * 9 * 100) * GRADIENT + 5000,
}
LIBRARIES = 0.6e9  # bytes that a worker has before its first task: torch, xarray, scikit-learn


@dataclass(frozen=True)
class NetworkSize:
    """How large a network is.

    Attributes
    ----------
    flops : float
        Of one image's pass: two for each multiplication with its addition.
    parameters, width, classes : int
        ``width`` is that of the penultimate features.
    side : int
        Of the images that it takes, in pixels.
    training : float
        Passes that its training takes, a gradient counted as three; 0 for a network that is only loaded.
    assumed : bool
        Whether it could not be built here, so that a ResNet-50 stands for it.
    """

    flops: float
    parameters: int
    width: int
    classes: int
    side: int
    training: float = 0.0
    assumed: bool = False


@dataclass(frozen=True)
class Workload:
    """What is asked of some networks.

    Attributes
    ----------
    study, dataset : str
    networks : tuple of NetworkSize
    n_samples, n_robustness : int
        Images of the indicator, and of the robustness.
    cells : int
        Corruptions times severities.
    files : bool
        Whether images are files that are decoded whenever they are looked at.
    attacks : tuple of (str, int)
        Name and number of images of each attack at each budget.
    halves : int
        Half-samples of k*; 0: the study has no k*.
    draws, drawn, clusters : int
        Draws of k-means, images in one, and clusters; 0 draws: the study has no k-means.
    """

    study: str
    dataset: str
    networks: tuple[NetworkSize, ...]
    n_samples: int
    n_robustness: int = 0
    cells: int = 0
    files: bool = False
    attacks: tuple[tuple[str, int], ...] = ()
    halves: int = 0
    draws: int = 0
    drawn: int = 0
    clusters: int = 0


@dataclass(frozen=True)
class Step:
    """One thing that takes time: `amount` of what `rate` is counted in.

    `stage` is the part of a run that it belongs to, under which a pace may be remembered, and `tasks` its number of
    tasks; `per_task` says what one of them is.
    """

    what: str
    stage: str
    amount: float
    rate: str
    tasks: int


@dataclass(frozen=True)
class Needs:
    """Bytes beside the steps: on disk in all, and in memory for each worker."""

    disk: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)


def steps(work: Workload) -> list[Step]:
    """Return what takes time, in the order of a run; what is not asked for is left out.

    The rates are ``network`` and ``products`` and ``products64`` (operations of floating point), ``decode`` and
    ``corrupt`` (images).

    >>> network = NetworkSize(flops=1e9, parameters=10, width=5, classes=2, side=8)
    >>> work = Workload("class_selectivity", "digits", (network, network), n_samples=100, n_robustness=50, cells=4)
    >>> [(step.what, step.amount) for step in steps(work)]
    [('passes of clean images', 300000000000.0), ('images corrupted', 200), ('passes of corrupted images', 400000000000.0)]
    """
    networks, n, m = work.networks, work.n_samples, work.n_robustness
    count, flops = len(networks), sum(one.flops for one in networks)
    trained = [one for one in networks if one.training]
    pieces = count * (-(-n // PIECE) + -(-m // PIECE))
    attacked = sum(STEPS[name] * images for name, images in work.attacks)
    width, squared = sum(one.width for one in networks), float(n) ** 2
    found = [
        Step("training", "networks", sum(o.training * o.flops for o in trained), "network", len(trained)),
        Step("images decoded for features", "features", count * (n + m) * work.files, "decode", pieces),
        Step("passes of clean images", "features", (n + m) * flops, "network", pieces),
        Step("images decoded to corrupt", "corruptions", work.cells * m * work.files, "decode", work.cells),
        Step("images corrupted", "corruptions", work.cells * m, "corrupt", work.cells),
        Step("passes of corrupted images", "corruptions", work.cells * m * flops, "network", work.cells),
        Step("passes of attacks", "attacks", attacked * flops, "network", count),
    ]
    if work.halves:
        ranks = (1 + work.halves / 4) * squared * width  # every pair once, of which a half has a quarter
        found += [
            Step("k*, whole and halves", work.study, ranks, "products", count),
            Step("nearest neighbours", work.study, SEARCHES * 2 * squared * width, "products64", count),
        ]
    if work.draws:
        lloyd = work.draws * STARTS * LLOYD * 2.0 * work.drawn * work.clusters * width
        found.append(Step("k-means", work.study, lloyd, "products64", count))
    return [step for step in found if step.amount]


def needs(work: Workload) -> Needs:
    """Return the bytes on disk and in the memory of a worker.

    A row of k* holds its features with a working copy (float32) and about their mean (float64): 16 bytes a value.

    >>> network = NetworkSize(flops=1e9, parameters=1000, width=6, classes=2, side=8)
    >>> found = needs(Workload("kstar_skewness", "digits", (network,), n_samples=100, n_robustness=50, halves=2))
    >>> found.disk["features and logits"], found.memory["features of a network"]
    (4800, 9600)
    """
    networks, images = work.networks, work.n_samples + work.n_robustness
    largest = max(networks, key=lambda one: one.parameters)
    copies = 4 if any(one.training for one in networks) else 1  # gradients and two moments
    values = max(one.width for one in networks) * (work.n_samples if work.halves else work.drawn)
    disk = {
        "features and logits": 4 * images * sum(one.width + one.classes for one in networks),
        "predictions of corrupted images": 2 * work.cells * work.n_robustness * len(networks),
        "weights": 4 * sum(one.parameters for one in networks),
    }
    memory = {
        "libraries": LIBRARIES,
        "weights of the largest network": 4 * copies * largest.parameters,
        "images of a task": 3 * min(PIECE, images) * max(one.side for one in networks) ** 2,
        "features of a network": 16 * values,
    }
    return Needs(*({k: v for k, v in kind.items() if v} for kind in (disk, memory)))
