"""What looks odd about a network's answers, in sentences: none of it is an error, all of it may make a number wrong.

>>> import numpy as np
>>> logits = np.eye(3)[[0, 1, 2, 0]]
>>> oddities(logits, [0, 1, 2, 0])
['its answers are probabilities, not logits: confidences and losses made of them are wrong; return what goes into the softmax']
"""

import numpy as np

from robustshape.models.preprocessing import Preprocessing

SURE = 1.645  # standard deviations above chance: one-sided, 5 %
RARE = 0.001  # how seldom another normalisation may do as much better by luck
BETTER = 0.03  # at least so much of the images
LOST, FOUND = (
    0.3,
    0.6,
)  # of a network right on fewer than the first, another normalisation is told if it is right on more

PROBABILITIES = (
    "its answers are probabilities, not logits: confidences and losses made of them are wrong; return what goes "
    "into the {}"
)
# Ways to normalise pixels in [0, 1] that published networks of 3 and of 1 channels were trained with: mean and std.
USUAL = {
    3: {
        "none": ((0.0,) * 3, (1.0,) * 3),
        "mean and std of ImageNet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        "mean and std of CIFAR-10": ((0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616)),
        "mean and std 0.5": ((0.5,) * 3, (0.5,) * 3),
        "pixels from 0 to 255": ((0.0,) * 3, (1 / 255,) * 3),
    },
    1: {
        "none": ((0.0,), (1.0,)),
        "mean and std of MNIST": ((0.1307,), (0.3081,)),
        "mean and std 0.5": ((0.5,), (0.5,)),
        "pixels from 0 to 255": ((0.0,), (1 / 255,)),
    },
}


def oddities(logits, labels) -> list[str]:
    """Return what is odd about a network's answers to images, a sentence each; nothing odd gives none.

    Parameters
    ----------
    logits : (n, class) float
    labels : (n,) int
        The classes of the images.
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels)
    found = []
    if are_probabilities(logits):
        found.append(PROBABILITIES.format("softmax"))
    elif len(logits) > 1 and logits.min() >= 0 and logits.max() <= 1 and np.ptp(logits) > 0.5:
        found.append(PROBABILITIES.format("sigmoid"))
    if len(logits) > 1 and np.ptp(logits, axis=0).max() == 0:
        found.append("it gives the same answer to every image: it sees nothing of them, or has diverged")
    elif at_chance(logits.argmax(1), labels):
        share = (logits.argmax(1) == labels).mean()
        found.append(
            f"it is right on {share:.1%} of the images, which is chance: its classes may stand in another order than "
            "the data's, its pixels may be normalised otherwise, or it is not trained; its robustness means nothing"
        )
    return found


def differing(first, again) -> str:
    """Return a sentence if two looks at the same images gave other answers (n, class); else nothing.

    >>> differing([[1.0, 2.0]], [[1.0, 2.0]]), differing([[1.0, 2.0]], [[1.0, 2.5]])[:33]
    ('', 'it gives the same images other an')
    """
    first, again = np.asarray(first, np.float64), np.asarray(again, np.float64)
    if np.allclose(first, again, rtol=1e-3, atol=1e-3 * np.abs(first).max(initial=0)):
        return ""
    share = (first.argmax(1) != again.argmax(1)).mean()
    return (
        f"it gives the same images other answers at a second look ({share:.1%} of the classes change): something in it draws at "
        "random, such as a dropout that is always on; every number is then one draw of many"
    )


def are_probabilities(logits) -> bool:
    """Return whether all rows (n, class) are not negative and sum to 1.

    >>> are_probabilities([[0.2, 0.8], [1.0, 0.0]]), are_probabilities([[0.2, 0.8], [3.0, -2.0]])
    (True, False)
    """
    logits = np.asarray(logits, np.float64)
    return bool((logits >= -1e-6).all() and (np.abs(logits.sum(1) - 1) < 1e-3).all())


def at_chance(predictions, labels) -> bool:
    """Return whether predictions (n,) hit the labels (n,) no more often than if they had nothing to do with them.

    Against all orders of the labels: the number of hits has the mean ``sum_k p_k l_k / n``, with p_k predictions and
    l_k labels of class k, and the variance of Hoeffding 1951 (Ann. Math. Stat. 22), "A combinatorial central limit
    theorem"; chance is less than 1.645 standard deviations above the mean. So a constant answer is chance, whatever
    the classes' shares.

    >>> at_chance([0, 1, 2] * 20, [0, 1, 2] * 20), at_chance([0] * 60, [0] * 50 + [1] * 10)
    (False, True)
    """
    predictions, labels = np.asarray(predictions), np.asarray(labels)
    n = len(labels)
    if n < 2:
        return False
    classes, both = np.unique(np.concatenate([predictions, labels]), return_inverse=True)
    p, q = (np.bincount(part, minlength=len(classes)) for part in (both[:n], both[n:]))
    mean = p @ q / n
    apart = np.eye(len(classes)) - q[:, None] / n - p[None, :] / n + mean / n  # of predictions k, of labels l
    sd = np.sqrt((p[:, None] * q[None, :] * apart**2).sum() / (n - 1))
    return bool((predictions == labels).sum() - mean <= SURE * sd)


def better_normalised(classifier, images, labels, columns=slice(None)) -> str:
    """Return a sentence if a usual way to normalise pixels makes a network right more often than its own; else nothing.

    A network is best under the normalisation that it was trained with, so one that gets markedly better under another
    was given the wrong one. Whether it is better is McNemar's exact test, at 0.001 over all ways, and 3 % of the images.

    Parameters
    ----------
    classifier : Classifier
        One whose `preprocess` is a Preprocessing; of others nothing is known.
    images : (n, h, w, c) uint8
        They go through the network once for each of `USUAL`. With 256, a wrong normalisation that costs more than 5
        points was seen in all networks of MNIST and CIFAR-10 tried; of ImageNet, one that costs 8 takes about 400.
    labels : (n,) int
    columns : slice or (class,) int
        Which logits are the labels' classes.
    """
    from dataclasses import replace

    preprocess = classifier.preprocess
    channels = preprocess.channels if isinstance(preprocess, Preprocessing) else None
    if channels not in USUAL:
        return ""
    own = preprocess.mean or (0.0,) * channels, preprocess.std or (1.0,) * channels
    right = {}
    for name, (mean, std) in {"its own": own, **USUAL[channels]}.items():
        if name == "its own" or not np.allclose([*mean, *std], [*own[0], *own[1]], atol=1e-3):
            changed = replace(classifier, preprocess=replace(preprocess, mean=mean, std=std))
            right[name] = changed.logits(images)[:, columns].argmax(1) == np.asarray(labels)
    mine = right.pop("its own")
    best = max(right, key=lambda name: right[name].sum())
    if mine.mean() < LOST and right[best].mean() < FOUND:  # as likely its classes stand in another order
        return ""
    if not _surely_better(right[best], mine, len(right)):
        return ""
    return (
        f"it is right on {mine.mean():.1%} of {len(mine)} images, but on {right[best].mean():.1%} with another "
        f"normalisation ({best}): its mean and std look wrong; give those that it was trained with"
    )


def _surely_better(other, mine, n_tried: int) -> bool:
    """Return whether `other` (n,) bool is right where `mine` is wrong more often than the reverse, beyond luck."""
    from scipy.stats import binomtest

    gained, lost = int((other & ~mine).sum()), int((mine & ~other).sum())
    if gained - lost < BETTER * len(mine) or not gained:
        return False
    return binomtest(gained, gained + lost, alternative="greater").pvalue < RARE / n_tried
