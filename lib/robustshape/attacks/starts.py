"""Random directions for starts, each image's own: from the seed and the image's id, whatever batch it stands in."""

import torch

from robustshape.corruptions.randomness import Streams


def direction(ids, seed: int, *key, like, norm: str):
    """Return (n, c, h, w): uniform in [-1, 1] (linf), or of length 1 in a uniform direction (l2).

    Parameters
    ----------
    ids : (n,) str or int
    seed : int
    *key : str or int
        What the numbers are for; another key gives other numbers.
    like : (n, c, h, w) tensor
        Gives shape, type and device.
    norm : "linf" or "l2"

    Examples
    --------
    >>> images = torch.zeros(3, 1, 4, 4)
    >>> three = direction(["a", "b", "c"], 0, "pgd", like=images, norm="l2")
    >>> one = direction(["c"], 0, "pgd", like=images[:1], norm="l2")
    >>> torch.equal(three[2:], one), bool((three.flatten(1).norm(dim=1) - 1 < 1e-6).all())
    (True, True)
    """
    streams = Streams(ids, seed, norm, *key)
    if norm == "linf":
        return torch.from_numpy(streams.uniform(-1, 1, *like.shape[1:])).to(like)
    drawn = torch.from_numpy(streams.normal(*like.shape[1:]))
    length = drawn.flatten(1).norm(dim=1).clamp_min(1e-12)
    return (drawn / length[:, None, None, None]).to(like)


def in_ball(ids, seed: int, *key, like, norm: str):
    """Return (n, c, h, w): points drawn uniformly from the ball of radius 1, as for `direction`."""
    drawn = direction(ids, seed, *key, like=like, norm=norm)
    if norm == "linf":
        return drawn
    radius = torch.from_numpy(Streams(ids, seed, "radius", *key).uniform(0, 1, 1, 1, 1)).to(like)
    return drawn * radius ** (1 / like[0].numel())
