"""Run a notebook of the project with checked parameters, see `parameters`, in a kernel of this environment."""

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from robustshape import errors
from robustshape.errors import StoreError
from robustshape.parameters import notebook_path, read_parameters
from robustshape.paths import cache_dir
from robustshape.store.atomic import write_file
from robustshape.tasks import KEEPS_MEMORY

KERNEL_ENVIRONMENT = {
    # Jupyter prefers a kernel called python3 in the home folder, which may be another Python.
    "JUPYTER_PREFER_ENV_PATH": "1",
    # A MPLBACKEND of the caller's would keep figures out of the notebook.
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    **KEEPS_MEMORY,
}


def run_notebook(
    notebook: str | Path,
    preset: str | None = None,
    parameters: dict[str, Any] | None = None,
    output: str | Path | None = None,
    progress: bool = True,
) -> Path:
    """Execute a notebook and return the path of the executed copy.

    Parameters
    ----------
    notebook : str or Path
        A name of `notebooks()`, or the path of any ``.ipynb``.
    preset : str, optional
        Whose parameter file to start from; without it the notebook's own defaults hold.
    parameters : dict, optional
        Parameters over the preset's. Text is converted to the parameter's type; lists may be JSON text.
    output : path, optional
        Where the executed notebook goes; default: ``runs/<notebook>[.<preset>].ipynb`` of the cache.
    progress : bool
        Whether the notebook's prints and progress bars are shown as they come.

    Raises
    ------
    InputError
        A notebook, preset, parameter name or value that does not exist or fit; before anything runs.
    RobustshapeError
        Whatever of our own errors a cell raised, with its message alone.
    """
    import nbformat

    source, values = notebook_path(notebook), read_parameters(notebook, preset, parameters)
    if output is None:
        output = cache_dir("runs") / f"{source.stem}{f'.{preset}' if preset else ''}.ipynb"
    with write_file(Path(output).absolute()) as unfinished:
        unfinished.touch()  # a folder that cannot be written shows now, not after hours
        nbformat.write(_execute(source, values, progress), unfinished)
    return Path(output).absolute()


@contextlib.contextmanager
def kernel_environment():
    """Set what kernels need of the environment for the length of a block; threads that start some do so within one."""
    before = {name: os.environ.get(name) for name in KERNEL_ENVIRONMENT}
    os.environ.update(KERNEL_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _execute(source: Path, values: dict[str, Any], progress: bool):
    """Return the notebook as run by papermill on this environment's Python; its failures become ours."""
    import warnings

    import papermill
    import zmq
    from nbclient.exceptions import DeadKernelError
    from traitlets.config import Config

    shown = {"stdout_file": sys.stdout, "stderr_file": sys.stderr} if progress else {}
    # Other users of this machine can read an unencrypted kernel's traffic; the kernel warns about it too.
    encrypted = Config(KernelManager={"transport_encryption": "auto" if zmq.has("curve") else "disabled"})
    try:
        with warnings.catch_warnings(), kernel_environment():
            warnings.filterwarnings("ignore", module="(nbformat|traitlets|zmq|jupyter_client).*")
            return papermill.execute_notebook(
                source,
                None,
                parameters=values,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                cwd=os.getcwd(),  # where your own modules and cards are found
                config=encrypted,
                **shown,
            )
    except papermill.PapermillExecutionError as error:
        ours = getattr(errors, error.ename, None)
        if isinstance(ours, type) and issubclass(ours, errors.RobustshapeError):
            raise ours(error.evalue) from None
        raise
    except DeadKernelError as error:
        raise StoreError(
            f"the Python that ran {source.stem} was ended from outside, most often because memory ran out; "
            "run the same command again: what is finished is not computed twice"
        ) from error
