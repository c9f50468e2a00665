"""Subsets: disjoint, class-balanced selections that depend on nothing but ids, labels, sizes and a seed.

The order is that of a hash of (seed, id), not of a random generator's stream: the same samples are chosen by
every version of every library, and in whatever order the samples are handed over.
"""

from hashlib import blake2b

from robustshape.errors import InputError


def seeded_order(names, seed: int) -> list[int]:
    """Return the positions of `names` in an order fixed by the seed and each name alone.

    >>> seeded_order(["a", "b", "c", "d"], seed=0)
    [2, 0, 1, 3]
    """
    keys = [blake2b(f"{seed}/{name}".encode(), digest_size=16).digest() for name in names]
    return sorted(range(len(keys)), key=keys.__getitem__)


def by_class(labels, names, seed: int) -> dict[int, list[int]]:
    """Return the positions of each class, each in its seeded order, the classes in theirs."""
    order = seeded_order(names, seed)
    classes = sorted({int(label) for label in labels})
    members = {classes[i]: [] for i in seeded_order(classes, seed)}
    for position in order:
        members[int(labels[position])].append(position)
    return members


def equal_shares(size: int, available: list[int]) -> list[int]:
    """Return how many to take of each class: as equal as `available` allows, `size` in all.

    What does not divide evenly goes to the first classes that have any left.

    >>> equal_shares(10, [9, 2, 9])
    [4, 2, 4]
    """
    shares = [0] * len(available)
    while size:
        wanting = [i for i, n in enumerate(available) if shares[i] < n][:size]
        step = min(size // len(wanting), *(available[i] - shares[i] for i in wanting))
        for i in wanting:
            shares[i] += step
        size -= step * len(wanting)
    return shares


def in_turns(labels, names, seed: int) -> list[int]:
    """Return all positions so that the first n, whatever n is, hold the classes as equally as they can.

    The classes take turns, each in its seeded order. Those first n are what `balanced` would choose. The order of
    `balanced` itself is no such: it sorts by the hash that chose, so the first of a later part are of the larger classes.

    >>> labels = [0, 0, 0, 1, 1, 2]
    >>> [labels[i] for i in in_turns(labels, "abcdef", seed=0)]
    [1, 0, 2, 1, 0, 0]
    """
    members = by_class(labels, names, seed).values()
    longest = max(map(len, members), default=0)
    return [its[turn] for turn in range(longest) for its in members if turn < len(its)]


def balanced(labels, ids, *sizes: int, seed: int) -> list[list[int]]:
    """Return the positions of disjoint parts with the classes as equal as the labels allow: see `subset`.

    Parameters
    ----------
    labels : (n,) int
    ids : (n,) str
    *sizes : int
        Together at most n.
    seed : int

    Examples
    --------
    >>> balanced([0, 0, 0, 1, 1, 1], ["a", "b", "c", "d", "e", "f"], 2, 2, seed=0)
    [[4, 2], [5, 0]]
    """
    members, parts = by_class(labels, ids, seed), []
    for size in sizes:
        shares = equal_shares(size, [len(waiting) for waiting in members.values()])
        chosen = [p for waiting, share in zip(members.values(), shares) for p in waiting[:share]]
        for waiting, share in zip(members.values(), shares):
            del waiting[:share]
        parts.append([chosen[i] for i in seeded_order([ids[p] for p in chosen], seed)])
    return parts


def subset(data, *sizes: int, seed: int) -> list:
    """Return disjoint parts of a data set, one for each size, with the classes as equal as the data allow.

    Parameters
    ----------
    data : xarray.Dataset
        As returned by `robustshape.datasets.load`.
    *sizes : int
        Number of samples of each part, at least 1; the first part is served first where a class is short.
    seed : int
        Another seed, another choice.

    Returns
    -------
    list of xarray.Dataset
        In a shuffled order of its own, the same on every machine; ``checksum`` is that of the part.

    Raises
    ------
    InputError
        If more samples are asked for than there are.

    Examples
    --------
    >>> from robustshape.datasets import load
    >>> train, test = subset(load("digits"), 200, 100, seed=0)
    >>> train.sizes["sample"], [int((test.label == digit).sum()) for digit in range(10)]
    (200, [10, 10, 10, 10, 10, 10, 10, 10, 10, 10])
    """
    import operator

    from robustshape.datasets.pictures import pixels
    from robustshape.datasets.samples import checksum

    n = data.sizes["sample"]
    try:
        sizes = tuple(operator.index(size) for size in sizes)
    except TypeError as error:
        raise InputError(f"sizes of subsets must be whole numbers, but were given as {sizes}") from error
    if not sizes or min(sizes) < 1:
        raise InputError(f"sizes of subsets must be at least 1, but were given as {sizes}")
    if sum(sizes) > n:
        raise InputError(
            f"subsets of {' + '.join(map(str, sizes))} = {sum(sizes)} samples were asked for, but "
            f"{data.attrs.get('dataset', 'the data set')} ({data.attrs.get('split', 'given')}) has {n}; "
            "ask for fewer or load a larger data set"
        )
    parts = []
    for chosen in balanced(data.label.values, data.sample.values, *sizes, seed=seed):
        part = data.isel(sample=chosen)
        parts.append(part.assign_attrs(checksum=checksum(pixels(part), part.label.values)))
    return parts
