"""The project's notebooks: their parameters and presets, running them, and what they check themselves.

From the shell a notebook is run by `robustshape run`, from Python by `run_notebook`. Its first cell after the
parameters calls `check`, so that papermill and JupyterLab give the same answers as the shell; `load_preset` takes
the parameters of a preset in an open notebook.
"""

from robustshape.notebooks.kernel import check, load_preset
from robustshape.notebooks.parameters import (
    list_presets,
    names,
    notebook_path,
    parameters_of,
    preset_path,
    read_parameters,
    titles,
)
from robustshape.notebooks.run import run_notebook

__all__ = [
    "check",
    "list_presets",
    "load_preset",
    "names",
    "notebook_path",
    "parameters_of",
    "preset_path",
    "read_parameters",
    "run_notebook",
    "titles",
]
