"""Run a notebook of the project with checked parameters, see `parameters`, in a kernel of this environment."""

import contextlib
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from robustshape import errors
from robustshape.errors import InputError, NotebookError, ReadOnlyError, StoreError
from robustshape.notebooks.parameters import notebook_path, read_parameters
from robustshape.paths import cache_dir, checked_path
from robustshape.processes import KEEPS_MEMORY, environment
from robustshape.store.atomic import check_writable, write_file

KERNEL_ENVIRONMENT = {
    # Jupyter prefers a kernel called python3 in the home folder, which may be another Python.
    "JUPYTER_PREFER_ENV_PATH": "1",
    # A MPLBACKEND of the caller's would keep figures out of the notebook.
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    **KEEPS_MEMORY,
}
PATIENCE = 300  # seconds without a sign of life of a kernel; four are not enough on a busy machine
PARTIAL = ".partial.ipynb"  # how the notebook of a run that failed ends


def run_notebook(
    notebook: str | Path,
    preset: str | None = None,
    parameters: dict[str, Any] | None = None,
    output: str | Path | None = None,
    progress: bool = True,
) -> Path:
    """Execute a notebook and return the path of the executed copy.

    Of a run that fails, ``OUTPUT.partial.ipynb`` shows how far it came; OUTPUT itself is only ever a finished one.

    Parameters
    ----------
    notebook : str or Path
        A name of `names()`, or the path of any ``.ipynb``.
    preset : str, optional
        Whose parameter file to start from; without it the notebook's own defaults hold.
    parameters : dict, optional
        Parameters over the preset's. Text is converted to the parameter's type; lists may be JSON text.
    output : path, optional
        Where the executed notebook goes; default: ``runs/<notebook>[.<preset>].ipynb`` of the cache,
        or this folder where the cache cannot be written.
    progress : bool
        Whether the notebook's prints and progress bars are shown as they come.

    Raises
    ------
    InputError
        A notebook, preset, parameter name or value that does not exist or fit; before anything runs.
    RobustshapeError
        Whatever of our own errors a cell raised, with its message and where the unfinished notebook is.
    NotebookError
        For any other error of a cell.
    """
    source, values = notebook_path(notebook), read_parameters(notebook, preset, parameters)
    if output is None:
        output = _place(f"{source.stem}{f'.{preset}' if preset else ''}.ipynb")
    output = checked_path(output, "the executed notebook").absolute()
    if output.suffix != ".ipynb" or output.is_dir():
        raise InputError(
            f"the executed notebook is a file that ends in .ipynb, but {output} was given; nothing was written"
        )
    with write_file(output) as unfinished, tempfile.TemporaryDirectory() as folder:
        unfinished.touch()  # a folder that cannot be written shows now, not after hours
        copy, partial = Path(folder) / "copy.ipynb", output.with_name(output.stem + PARTIAL)
        try:
            _execute(source, copy, values, progress)
        except BaseException as error:
            where = ""
            if copy.is_file():
                shutil.copyfile(copy, partial)
                where = f"the notebook as far as it came: {partial}"
            ours = _ours(error, source)
            if ours is None:
                if where and isinstance(error, KeyboardInterrupt):
                    error.add_note(where)
                raise
            raise type(ours)("\n".join(filter(None, (str(ours), where)))) from None
        shutil.copyfile(copy, unfinished)
        partial.unlink(missing_ok=True)  # of an earlier run
    return output


def _place(name: str) -> Path:
    """Return where an executed notebook goes by itself: into the cache, or here where nothing may be written there."""
    place = cache_dir("runs") / name
    try:
        check_writable(place)
    except ReadOnlyError as error:
        print(f"{error}; the executed notebook goes into this folder")
        return Path(name)
    return place


@contextlib.contextmanager
def kernel_environment():
    """Set what kernels need of the environment for the length of a block; threads that start some do so within one."""
    with environment(KERNEL_ENVIRONMENT):
        yield


@contextlib.contextmanager
def _quiet(*loggers: str):
    """Keep what these loggers say of a failure to themselves, for it is raised and put into words here."""
    before = {name: logging.getLogger(name).level for name in loggers}
    for name in loggers:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _execute(source: Path, copy: Path, values: dict[str, Any], progress: bool) -> None:
    """Let papermill run the notebook on this environment's Python; `copy` is written after every cell."""
    import warnings

    import papermill
    import zmq
    from traitlets.config import Config

    shown = {"stdout_file": sys.stdout, "stderr_file": sys.stderr} if progress else {}
    # Other users of this machine can read an unencrypted kernel's traffic; the kernel warns about it too.
    config = Config(KernelManager={"transport_encryption": "auto" if zmq.has("curve") else "disabled"})
    # What a kernel logs of itself is about Jupyter, such as that its parent was interrupted; cells write as they do.
    config.NotebookClient.extra_arguments = ["--log-level=CRITICAL"]
    with warnings.catch_warnings(), kernel_environment(), _quiet("papermill", "traitlets"):
        warnings.filterwarnings("ignore", module="(nbformat|traitlets|zmq|jupyter_client).*")
        papermill.execute_notebook(
            *(
                str(path).replace("{", "{{").replace("}", "}}") for path in (source, copy)
            ),  # it fills in braces
            parameters=values,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            cwd=os.getcwd(),  # where your own modules and cards are found
            iopub_timeout=PATIENCE,
            config=config,
            **shown,
        )


def _ours(error: BaseException, source: Path) -> Exception | None:
    """Return the error of ours that a failure of papermill's stands for, or None if it stands for itself."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import PapermillExecutionError

    if isinstance(error, PapermillExecutionError):
        ours = getattr(errors, error.ename, None)
        if isinstance(ours, type) and issubclass(ours, errors.RobustshapeError):
            return ours(error.evalue)
        return NotebookError(
            f"cell [{error.exec_count}] of {source.stem} failed: {error.ename}: {error.evalue}"
        )
    if isinstance(error, CellTimeoutError):
        return NotebookError(
            f"the Python that ran {source.stem} gave no sign of life for {PATIENCE} s: the machine is too busy; "
            "run the same command again: what is finished is not computed twice"
        )
    if isinstance(error, DeadKernelError):
        return StoreError(
            f"the Python that ran {source.stem} was ended from outside, most often because memory ran out; "
            "run the same command again: what is finished is not computed twice"
        )
    return None
