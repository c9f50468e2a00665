"""How fast this machine is, from a few seconds of the work itself on one thread; or what is assumed of a GPU.

On a processor its own time is counted, not the watch's, so that what else the machine does hardly matters.
"""

import functools
import io
import time

from robustshape.models.outline import Images, build
from robustshape.resources.estimate import Rate
from robustshape.resources.sizes import passes

SECONDS = 0.4  # of each measurement, about
ALIKE = 3  # networks that are timed
MOST = 8.0  # seconds in all for corruptions
PASS = {"cpu": 2e9, "cuda": 1e12}  # operations of a batch, about
GPU = "assumed of one data-centre GPU in float32; give --device cuda on it to measure"
ASSUMED = {"network": 8e12, "products": 14e12}  # 40 and 70 % of an A100's 19.5 TFLOP/s in float32


def measure(names: list[str], images: Images, corruptions: list[str], device: str = "cpu") -> dict[str, Rate]:
    """Return the rates of this machine, measured now on one thread (or one GPU).

    Parameters
    ----------
    names : list of str
        Networks, of which the first, the middle and the last that can be built are timed.
    images : Images
        Of the data set; larger ones are decoded from files.
    corruptions : list of str
    device : "cpu" or "cuda"
        Where networks and products are made; ``cuda`` is assumed where there is none.
    """
    import torch

    from robustshape.tasks import one_thread

    absent = device == "cuda" and not torch.cuda.is_available()
    with one_thread():
        found = {"decode": decode(images.side)}
        if corruptions:
            found["corrupt"] = corrupt(tuple(corruptions), images)
        found["products64"] = products(torch.float64, "cpu")
        if absent:
            return found | {name: Rate(value, "FLOP", False, GPU) for name, value in ASSUMED.items()}
        return found | {"products": products(torch.float32, "cpu"), "network": network(names, images, device)}


def per_second(work, amount: float, seconds: float = SECONDS, clock=time.process_time) -> float:
    """Return `amount` times the calls of `work` in a second, after one call that is not counted."""
    work()
    began, calls = clock(), 0
    while (taken := clock() - began) < seconds or not calls or not taken:
        work()
        calls += 1
    return amount * calls / taken


@functools.cache
def products(dtype, device: str) -> Rate:
    """Return the floating-point operations a second of products of features."""
    import torch

    left, right = (torch.rand(1024, 512, dtype=dtype, device=device) for _ in range(2))
    out = torch.empty(1024, 1024, dtype=dtype, device=device)
    rate = per_second(lambda: torch.mm(left, right.T, out=out), 2 * 1024 * 1024 * 512)
    return Rate(rate, "FLOP", True, f"products in {str(dtype).partition('.')[2]} here, one thread")


def network(names: list[str], images: Images, device: str) -> Rate:
    """Return the floating-point operations a second of passes of up to three of the networks, with random weights."""
    import torch

    known = list(dict.fromkeys(names))
    chosen = list(dict.fromkeys([known[0], known[len(known) // 2], known[-1]]))[:ALIKE]
    flops = seconds = 0.0
    timed = []
    for name in [*chosen, "torchvision:resnet50"]:
        if timed and name == "torchvision:resnet50":
            break  # stands for networks that cannot be built here, if none can
        try:
            one = passes(*build(name, images))  # there attention is counted too
            module, side, channels = build(name, images, "cpu")
        except Exception:  # whatever a library of networks raises: the others are timed
            continue
        size = int(min(max(PASS[device] / one, 8), 128 if device == "cpu" else 1024))
        batch = torch.rand(size, channels, side, side, device=device)
        module = module.to(device)

        def work(module=module, batch=batch):
            with torch.inference_mode():
                module(batch)
                if device == "cuda":
                    torch.cuda.synchronize()

        clock = time.process_time if device == "cpu" else time.perf_counter
        rate = per_second(work, one * size, clock=clock)
        flops, seconds, timed = flops + one, seconds + one / rate, [*timed, name]
    return Rate(flops / seconds, "FLOP", True, f"passes here of {', '.join(timed)}")


@functools.cache
def decode(side: int) -> Rate:
    """Return the photographs (JPEG of 500 x 375) a second that are read and resized to the side."""
    import numpy as np
    from PIL import Image

    coarse = np.random.default_rng(0).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)

    def work():
        with Image.open(io.BytesIO(file.getvalue())) as image:
            np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))

    return Rate(per_second(work, 1), "images", True, "JPEG files of 500 x 375 decoded here, one thread")


@functools.cache
def corrupt(names: tuple[str, ...], images: Images) -> Rate:
    """Return the images a second that are corrupted, over as many of the corruptions as a few seconds allow."""
    import numpy as np

    from robustshape import corruptions

    n = max(1, 64**2 // images.side**2)
    given = np.random.default_rng(0).integers(
        0, 256, (n, images.side, images.side, images.channels), np.uint8
    )
    seconds, done, began = 0.0, 0, time.perf_counter()
    for name in names:
        if time.perf_counter() - began > MOST:
            break
        seconds += n / per_second(lambda name=name: corruptions.corrupt(given, name, 3), n, 0.0)
        done += 1
    how = f"{done} of {len(names)} corruptions at {images.side} px here, one thread"
    return Rate(done * n / seconds, "images", True, how)
