"""What a notebook does with its own parameters: hold them to their types, and take those of a preset.

papermill writes whatever it is given into a cell after the parameters, under any name, and JupyterLab lets a reader
type anything. So the next cell calls `check`, which sees what stands in the notebook's memory: the types that its
parameters cell declares, and the history of executed cells, which has papermill's.
"""

import ast
from typing import Any

from robustshape.errors import InputError
from robustshape.notebooks.meanings import check_meanings
from robustshape.notebooks.parameters import names, parameters_of, read_parameters
from robustshape.notebooks.types import fit
from robustshape.registry import closest, unknown_name

INJECTED = "# Parameters\n"  # how papermill's cell begins


def check(memory: dict[str, Any] | None = None) -> None:
    """Hold the parameters of the notebook that calls this to their types and meanings; text becomes what is meant.

    Parameters
    ----------
    memory : dict, optional
        The notebook's variables; by default those of the notebook that is running.

    Raises
    ------
    InputError
        If papermill was given a parameter that the notebook does not have, with the closest three; or if a value
        is not of its type, see `types`, or names nothing, see `meanings`.
    """
    memory = _memory() if memory is None else memory
    declared = memory.get("__annotations__", {})
    for name in injected(memory):
        if name not in declared:
            raise InputError(
                f"unknown parameter {name!r}; closest: {', '.join(closest(name, declared)) or 'none'}; "
                f"the notebook takes {', '.join(declared)}"
            )
    values = {name: fit(name, kind, memory[name]) for name, kind in declared.items() if name in memory}
    check_meanings(values)
    memory.update(values)


def load_preset(
    preset: str, notebook: str | None = None, memory: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Take the parameters of a preset in an open notebook, and return them; what papermill was given stays.

    Parameters
    ----------
    preset : str
        See ``robustshape list presets``.
    notebook : str, optional
        Whose preset; by default that of the project's notebook whose parameters are most like those declared here.
    memory : dict, optional
        The notebook's variables; by default those of the notebook that is running.

    Raises
    ------
    InputError
        If there is no such preset, with the closest three, or a value does not fit.
    """
    memory = _memory() if memory is None else memory
    notebook = notebook or _most_alike(set(memory.get("__annotations__", {})))
    given = injected(memory)
    taken = {name: value for name, value in read_parameters(notebook, preset).items() if name not in given}
    memory.update(taken)
    return taken


def injected(memory: dict[str, Any]) -> list[str]:
    """Return the names that papermill's cell assigns, if the notebook has run one.

    >>> injected({"In": ["", "seed: int = 0", "# Parameters\\nseed = 1\\n", "print(seed)"]})
    ['seed']
    """
    cells = [cell for cell in memory.get("In", ()) if cell.startswith(INJECTED)]
    lines = ast.parse(cells[-1]).body if cells else []
    return [target.id for line in lines if isinstance(line, ast.Assign) for target in line.targets]


def _memory() -> dict[str, Any]:
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise InputError("this is called in a notebook; in Python, give its variables: globals()")
    return shell.user_ns


def _most_alike(declared: set[str]) -> str:
    likeness = {name: len(declared & set(p)) / len(declared | set(p)) for name, p in _known().items()}
    best = max(likeness, key=likeness.get, default="")
    if not best or not likeness[best]:
        raise unknown_name("notebook", "", names(), "robustshape list studies")
    return best


def _known() -> dict[str, dict]:
    return {name: parameters_of(name) for name in names()}
