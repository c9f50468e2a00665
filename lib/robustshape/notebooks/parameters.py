"""Which notebooks and presets there are, and the parameters that a notebook takes.

The parameters are read from the notebook's cell with the tag ``parameters``, see `parameters_cell`. A preset is a flat YAML file
``presets/<notebook>.<preset>.yaml`` beside the notebook.
"""

import json
from pathlib import Path
from typing import Any

from robustshape.errors import InputError, StoreError
from robustshape.notebooks.meanings import check_meanings
from robustshape.notebooks.parameters_cell import Parameter, read_cell
from robustshape.notebooks.types import fit
from robustshape.paths import checked_path, require_project
from robustshape.registry import closest, unknown_name


def names() -> list[str]:
    """Return the names of the project's notebooks, sorted."""
    return sorted(path.stem for path in (require_project() / "notebooks").glob("*.ipynb"))


def list_presets() -> dict[str, list[str]]:
    """Return every preset with the notebooks that have it, both sorted."""
    found: dict[str, list[str]] = {}
    for path in sorted((require_project() / "notebooks" / "presets").glob("*.yaml")):
        notebook, _, preset = path.stem.partition(".")
        found.setdefault(preset, []).append(notebook)
    return dict(sorted(found.items()))


def notebook_path(notebook: str | Path) -> Path:
    """Return the file of a notebook given by its name (``kstar_skewness``) or by a path to an ``.ipynb``."""
    path = checked_path(notebook, "a notebook")
    if path.suffix == ".ipynb":
        if not path.is_file():
            raise StoreError(
                f"there is no notebook file {path}; list the project's with: robustshape list studies"
            )
        return path.resolve()
    if str(notebook) not in names():
        raise unknown_name("notebook", str(notebook), names(), "robustshape list studies")
    return require_project() / "notebooks" / f"{notebook}.ipynb"


def presets_of(notebook: str | Path) -> list[str]:
    """Return the presets that a notebook has, sorted."""
    source = notebook_path(notebook)
    return [
        file.stem.partition(".")[2]
        for file in sorted((source.parent / "presets").glob(f"{source.stem}.*.yaml"))
    ]


def preset_path(notebook: str | Path, preset: str) -> Path:
    """Return the parameter file of a notebook's preset; an unknown one is refused with the closest three."""
    source, known = notebook_path(notebook), presets_of(notebook)
    if preset not in known:
        raise unknown_name(f"preset of {source.stem}", preset, known, "robustshape list presets")
    return source.parent / "presets" / f"{source.stem}.{preset}.yaml"


def titles() -> dict[str, str]:
    """Return the project's notebooks with the first heading of each."""
    found = {}
    for name in names():
        lines = _cells(notebook_path(name))[0]["source"].splitlines()
        found[name] = next((line.lstrip("# ") for line in lines if line.startswith("# ")), "")
    return found


def _cells(path: Path) -> list[dict]:
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [
            {"source": "".join(cell["source"]), "tags": list(cell["metadata"].get("tags") or [])}
            for cell in cells
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError(
            f"{path} is not a notebook that can be read ({type(error).__name__}: {error}); open it in JupyterLab"
        ) from error


def parameters_of(notebook: str | Path) -> dict[str, Parameter]:
    """Return the parameters that a notebook takes, in the order of its parameters cell."""
    path = notebook_path(notebook)
    tagged = [cell["source"] for cell in _cells(path) if "parameters" in cell["tags"]]
    return read_cell(tagged[0], path) if tagged else {}


def check_parameters(notebook: str | Path, given: dict[str, Any]) -> dict[str, Any]:
    """Return `given` with each value as its parameter's type, or refuse it in words: see `types` and `meanings`."""
    known, path = parameters_of(notebook), notebook_path(notebook)
    for name in given:
        if name not in known:
            raise InputError(
                f"unknown parameter {name!r} of {path.stem}; closest: {', '.join(closest(name, known)) or 'none'}; "
                f"list them all with: papermill --help-notebook {_shown(path)}"
            )
    checked = {}
    for name, value in given.items():
        try:
            checked[name] = fit(name, known[name].type, value)
        except InputError as error:
            example = json.dumps(known[name].default, default=repr)
            raise InputError(f"{error}; {path.stem}'s default is {example}") from error
    check_meanings({name: parameter.default for name, parameter in known.items()} | checked)
    return checked


def _shown(path: Path) -> str:
    """Return a path as a reader would type it in the folder that this process runs in."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def read_parameters(
    notebook: str | Path, preset: str | None = None, given: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the checked parameters of a run: the preset's, then what is `given` over them.

    Who gives a parameter ``preset`` that is the name of one takes its parameters too: published rows belong to a
    preset by how they were measured, and by its bare name none of them would be found.
    """
    given = given or {}
    if preset is None and given.get("preset") in presets_of(notebook):
        preset = given["preset"]
    values = {} if preset is None else _read_preset(notebook, preset)
    return check_parameters(notebook, values | given)


def _read_preset(notebook: str | Path, preset: str) -> dict[str, Any]:
    import yaml

    path = preset_path(notebook, preset)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:  # a month 13 is a ValueError
        raise StoreError(f"the preset file {path} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise StoreError(f"the preset file {path} must be lines of 'parameter: value'")
    return ({"preset": preset} if "preset" in parameters_of(notebook) else {}) | values
