"""The command line: ``robustshape`` = ``python -m robustshape``.

A command is a function in a module here, registered by `app.command`.
"""

import contextlib
import logging
import os
import sys

import cyclopts

from robustshape.cli import listing, own_models, planning, running
from robustshape.cli.app import app
from robustshape.errors import NotebookError, RobustshapeError

__all__ = ["app", "listing", "main", "own_models", "planning", "running"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; a person's mistake ends in exit code 2 with its message, without a traceback.

    A cell that fails by an error of its own ends in 1, an interruption in 130.
    """
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
    except KeyboardInterrupt:
        logging.disable(logging.CRITICAL)  # what was under way would still tell of its end, with a traceback
        print("robustshape: interrupted; run the same command again to go on", file=sys.stderr)
        return 130
