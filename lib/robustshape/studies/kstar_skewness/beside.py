"""What a row of the k* study holds beside the distribution itself, each aspect an xarray.Dataset.

All are functions of features, labels and ids, so that they can be tried on anything; nothing is read or kept here.
"""

import numpy as np

CLASS_SIZES = (20, 50, 100, 200, 400)  # images a class at which the statistics are computed again
N_SUSPECTS = 24
NEIGHBOURS = 10  # of the neighbourhood hit


def neighbours_and_clusters(features, labels, n_small: int):
    """Return the neighbourhood hit, its value by chance, the intrinsic dimension, and the silhouette.

    Parameters
    ----------
    features : (n, d) float
    labels : (n,) int
    n_small : int
        The silhouette looks at every pair, so it is that of the first so many samples.

    Returns
    -------
    xarray.Dataset
        Four numbers; NaN for the silhouette of fewer than two classes.
    """
    import xarray

    from robustshape.indicators.dimensionality import intrinsic_dimension
    from robustshape.indicators.neighbours import neighbourhood_hit, neighbourhood_hit_by_chance
    from robustshape.indicators.separability import silhouette

    return xarray.Dataset(
        {
            "neighbourhood_hit": neighbourhood_hit(features, labels, k=NEIGHBOURS),
            "neighbourhood_hit_by_chance": neighbourhood_hit_by_chance(labels),
            "silhouette": silhouette(features[:n_small], labels[:n_small]),
            "intrinsic_dimension": intrinsic_dimension(features),
        }
    )


def plots(features, labels, ids, methods, seed: int):
    """Return a plot in two dimensions by each method, its trustworthiness and the neighbourhood hit in it.

    Returns
    -------
    xarray.Dataset
        ``plot (embedding, plot_sample, axis)`` float32, ``plot_trustworthiness`` and ``plot_hit (embedding)``.
    """
    import xarray

    from robustshape.indicators.embeddings import TRUSTED_NEIGHBOURS, embed, trustworthiness
    from robustshape.indicators.neighbours import neighbourhood_hit

    made = [embed(features, method=method, seed=seed) for method in methods]
    near = min(TRUSTED_NEIGHBOURS, (len(features) - 1) // 2)
    trust = [trustworthiness(features, plot, n_neighbors=near) for plot in made]
    return xarray.Dataset(
        {
            "plot": (("embedding", "plot_sample", "axis"), np.stack(made)),
            "plot_label": ("plot_sample", labels.astype(np.int16)),
            "plot_trustworthiness": ("embedding", trust),
            "plot_hit": ("embedding", [neighbourhood_hit(plot, labels, k=NEIGHBOURS) for plot in made]),
        },
        coords={"embedding": list(methods), "plot_sample": ids},
    )


def by_class_size(features, labels, metric: str):
    """Return Gamma' and the mean normalised k* of the first 20, 50, 100 ... images of each class, and of all.

    Returns
    -------
    xarray.Dataset
        ``size_skewness``, ``size_mean_rank`` and what shuffled labels give, ``size_skewness_floor`` and
        ``size_mean_rank_floor``, by ``class_size``: those of CLASS_SIZES below the smallest class, and that one.
    """
    import xarray

    from robustshape.indicators import kstar
    from robustshape.indicators.kstar_chance import expected_skewness, permutation_floor

    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    smallest = min(len(member) for member in members)
    sizes = [*[size for size in CLASS_SIZES if size < smallest], smallest]
    lines = []
    for size in sizes:
        chosen = np.sort(np.concatenate([member[:size] for member in members]))
        found = kstar.kstar_distribution(features[chosen], labels[chosen], metric=metric)
        each = found["size"].values
        by_chance = expected_skewness(each, rng=np.random.default_rng(0), n_draws=200)
        floor = float(permutation_floor(each)["mean_normalised_rank"])
        gamma, mean = float(found["approximate_skewness"]), float(found["mean_normalised_rank"])
        lines.append([gamma, float(np.nanmean(by_chance)), mean, floor])
    names = ("size_skewness", "size_skewness_floor", "size_mean_rank", "size_mean_rank_floor")
    columns = np.array(lines).T
    return xarray.Dataset(
        {name: ("class_size", column) for name, column in zip(names, columns)}, coords={"class_size": sizes}
    )


def suspects(features, labels, ids, predicted, rank, metric: str):
    """Return the samples with the lowest k*, each with its nearest foreign neighbour.

    They are the first to look at for a wrong label or an image unlike its class. Of equal normalised k*, those
    come first whose nearest foreign neighbour is nearest in terms of their nearest own one.

    Returns
    -------
    xarray.Dataset
        By ``place``, N_SUSPECTS of them: ``suspect`` and ``suspect_neighbour`` (ids), ``suspect_label``,
        ``suspect_neighbour_label`` and ``suspect_predicted`` (classes), ``suspect_rank``, and
        ``suspect_nearness``, the distance of the nearest foreign sample over that of the nearest own one.
    """
    import xarray

    _, member, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    normalised = rank / sizes[member]
    lowest = np.flatnonzero(normalised <= np.sort(normalised)[min(N_SUSPECTS, len(rank)) - 1])
    foreign, nearness = _nearest(features, labels, lowest, metric)
    order = np.lexsort([ids[lowest], nearness, normalised[lowest]])[:N_SUSPECTS]
    chosen, neighbour = lowest[order], foreign[order]
    values = {
        "suspect": ids[chosen],
        "suspect_label": labels[chosen].astype(np.int16),
        "suspect_predicted": predicted[chosen].astype(np.int16),
        "suspect_rank": rank[chosen].astype(np.int32),
        "suspect_nearness": nearness[order],
        "suspect_neighbour": ids[neighbour],
        "suspect_neighbour_label": labels[neighbour].astype(np.int16),
    }
    return xarray.Dataset({name: ("place", value) for name, value in values.items()})


def _nearest(features, labels, chosen, metric: str):
    """Return the nearest foreign sample of each of `chosen`, and its distance over that of the nearest own one."""
    x = np.asarray(features, dtype=np.float64)
    x = (
        x - x.mean(axis=0)
        if metric == "euclidean"
        else x / np.maximum(np.linalg.norm(x, axis=1), 1e-300)[:, None]
    )
    square = np.einsum("ij,ij->i", x, x)
    foreign, nearness = np.empty(len(chosen), dtype=np.int64), np.empty(len(chosen))
    for start in range(0, len(chosen), 256):
        part = chosen[start : start + 256]
        distance = np.maximum(0, square[part, None] + square - 2 * x[part] @ x.T)  # squared, (256, n)
        same = labels[part, None] == labels
        others = np.where(same, np.inf, distance)
        same[np.arange(len(part)), part] = False  # not its own neighbour
        own = np.where(same, distance, np.inf).min(axis=1)
        place = slice(start, start + len(part))
        foreign[place] = others.argmin(axis=1)
        nearness[place] = np.sqrt(others.min(axis=1) / np.maximum(own, 1e-300))
    return foreign, nearness


def under_attack(clean, attacked, metric: str):
    """Return the k* of the same images clean and attacked, each among its own kind.

    Parameters
    ----------
    clean, attacked : xarray.Dataset
        Features stores of the same samples in the same order.

    Returns
    -------
    xarray.Dataset
        By ``condition`` (clean, attacked): ``shift_rank (condition, shift_sample)``, ``shift_skewness``,
        ``shift_mean_rank`` and ``shift_accuracy``; ``shift_label (shift_sample)``.
    """
    import xarray

    from robustshape.indicators import kstar

    labels = clean["label"].values
    found = [
        kstar.kstar_distribution(store["features"].values, labels, metric=metric)
        for store in (clean, attacked)
    ]
    right = [store["logits"].values.argmax(1) == labels for store in (clean, attacked)]
    return xarray.Dataset(
        {
            "shift_rank": (
                ("condition", "shift_sample"),
                np.stack([f["rank"].values for f in found]).astype(np.int32),
            ),
            "shift_label": ("shift_sample", labels.astype(np.int16)),
            "shift_skewness": ("condition", [float(f["approximate_skewness"]) for f in found]),
            "shift_mean_rank": ("condition", [float(f["mean_normalised_rank"]) for f in found]),
            "shift_accuracy": ("condition", [float(r.mean()) for r in right]),
        },
        coords={"condition": ["clean", "attacked"], "shift_sample": clean.sample.values},
    )
