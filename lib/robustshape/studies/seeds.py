"""Networks of a study at several seeds of their training."""

from robustshape.models import source_of


def at_every_seed(models: list[str], seeds: list[int]) -> dict[str, int]:
    """Return names of models with their seeds: networks of ours at every seed, any other as it is, with seed -1.

    >>> at_every_seed(["zoo:mlp", "zoo:vit/5", "file:mine.json"], [0, 1])
    {'zoo:mlp': 0, 'zoo:mlp/1': 1, 'zoo:vit/5': -1, 'file:mine.json': -1}
    """
    found = {}
    for name in models:
        ours = source_of(name).trained_here and "/" not in name
        for seed in seeds if ours else (-1,):
            found.setdefault(f"{name}/{seed}" if ours and seed else name, seed)
    return found
