"""Products of features whose rounding is known: float32 as IEEE 754 has it, on threads that work alone."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

CLOSE_CALLS = 20  # per sample, float64 products cost less than to decide more of them one by one


class TooManyCloseCalls(Exception):
    """So many comparisons lie within the rounding of this precision that a finer one is cheaper."""


@contextlib.contextmanager
def alone_and_precise(device: torch.device) -> Iterator[Callable]:
    """Yield ``each(function, items)``, whose threads work on one item each, with true float32 products."""
    given = torch.get_num_threads()
    n_threads = given if device.type == "cpu" else 1
    settings = torch.backends.cuda.matmul, torch.backends.mkldnn.matmul
    before = [setting.fp32_precision for setting in settings]

    def each(function: Callable, items: Sequence) -> None:
        if n_threads == 1 or len(items) < 2:
            for item in items:
                function(item)
            return
        with ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            found = [pool.submit(function, item) for item in items]
            try:
                for one in found:
                    one.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    try:
        for setting in settings:
            setting.fp32_precision = "ieee"  # not the ten bits of TF32
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            yield each
    finally:
        torch.set_num_threads(given)  # the pool's threads set that of all threads to come
        for setting, value in zip(settings, before):
            setting.fp32_precision = value
