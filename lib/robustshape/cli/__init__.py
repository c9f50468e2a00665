"""The command line: ``robustshape`` = ``python -m robustshape``.

A command is a function in a module here, registered by `app.command`.
"""

import contextlib
import logging
import os
import signal
import sys
import threading

import cyclopts

from robustshape.cli import listing, own_models, planning, running
from robustshape.cli.app import app
from robustshape.errors import NotebookError, RobustshapeError

__all__ = ["app", "listing", "main", "own_models", "planning", "running"]


ENDINGS = ("SIGTERM", "SIGHUP")  # what a cluster sends when time is up, and a terminal that is closed


@contextlib.contextmanager
def _endings_interrupt():
    """Let what would end this process on the spot interrupt it as Ctrl-C does: what is half done is then put away."""

    def interrupt(number, _):
        raise KeyboardInterrupt(number)

    numbers = [getattr(signal, name) for name in ENDINGS if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    ours = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]  # nohup has its own
    for number in ours:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; a person's mistake ends in exit code 2 with its message, without a traceback.

    A cell that fails by an error of its own ends in 1, an interruption in 130, one by another signal in 128 and its number.
    """
    with _endings_interrupt():
        return _main(arguments)


def _main(arguments: list[str] | None) -> int:
    try:
        app(arguments, exit_on_error=False, print_error=True, result_action="return_value")
        return 0
    except cyclopts.CycloptsError as error:  # already shown
        print(f"see: {' '.join(['robustshape', *(error.command_chain or ())])} --help", file=sys.stderr)
        return 2
    except RobustshapeError as error:
        print(f"robustshape: {error}", file=sys.stderr)
        return 1 if isinstance(error, NotebookError) else 2
    except BrokenPipeError:  # the reader of a pipe has gone, as in `robustshape list models | head`
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # of a file that no store reads
        if error.filename is None:
            raise
        print(f"robustshape: {error.filename} cannot be used ({error.strerror})", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interruption:
        logging.disable(logging.CRITICAL)  # what was under way would still tell of its end, with a traceback
        words = ["interrupted; run the same command again to go on", *getattr(interruption, "__notes__", ())]
        print(f"robustshape: {'; '.join(words)}", file=sys.stderr)
        return 128 + (interruption.args[0] if interruption.args else signal.SIGINT)
