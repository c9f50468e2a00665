"""The 1,000 classes of ImageNet-1k: index, WordNet id, name.

Russakovsky et al., "ImageNet large scale visual recognition challenge", IJCV 115 (2015). Networks number the
classes by their sorted WordNet ids. The lists are read from the installed timm, without importing it.
"""

import functools

from robustshape.datasets import packaged
from robustshape.errors import StoreError


def _lines(file: str) -> list[str]:
    path = packaged.locate("timm", f"data/_info/{file}")
    if path is None:
        raise StoreError(f"timm's {file} is not where it should be; pip install --force-reinstall timm")
    return path.read_text(encoding="utf-8").split("\n")


@functools.cache
def positions() -> dict[str, int]:
    """Return the index of each WordNet id.

    >>> positions()["n01443537"], len(positions())
    (1, 1000)
    """
    return {wnid: i for i, wnid in enumerate(filter(None, _lines("imagenet_synsets.txt")))}


def facts(wnids) -> dict:
    """Return ``n_classes``, ``class_names`` and ``imagenet_index`` of classes given by their WordNet ids.

    ``imagenet_index`` holds the index of each class among the 1,000: logits restricted to these columns are
    those of a network that chooses among the given classes only.

    Raises
    ------
    StoreError
        If one of the ids is none of ImageNet-1k.

    Examples
    --------
    >>> facts(["n01443537"])
    {'n_classes': 1, 'class_names': ['goldfish, Carassius auratus'], 'imagenet_index': [1]}
    """
    known, names = (
        positions(),
        dict(line.partition("\t")[::2] for line in _lines("imagenet_synset_to_lemma.txt")),
    )
    strange = [wnid for wnid in wnids if wnid not in known]
    if strange:
        raise StoreError(f"{strange[0]!r} is not one of the 1,000 WordNet ids of ImageNet-1k")
    return {
        "n_classes": len(wnids),
        "class_names": [names[wnid] for wnid in wnids],
        "imagenet_index": [known[wnid] for wnid in wnids],
    }
