"""The project's notebooks and presets, and the parameters that a notebook takes.

papermill alone only logs an unknown parameter and never looks at types. Here the notebook's cell with the
tag ``parameters`` (plain commented assignments, ``n_samples: int = 500  # images per class``) is read first,
and a name or a value that does not fit is refused before anything runs. A preset is a flat YAML file
``presets/<notebook>.<preset>.yaml`` beside the notebook.
"""

import ast
import contextlib
import io
import json
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union

from robustshape.errors import InputError, StoreError
from robustshape.paths import project_root, require_project
from robustshape.registry import closest, unknown_name

_TYPES = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict, "Any": Any}


@dataclass(frozen=True)
class Parameter:
    """One line of a notebook's parameters cell."""

    name: str
    type: Any  # what pydantic checks a value against
    written_type: str  # the annotation as it stands in the notebook
    default: Any
    help: str


def notebooks() -> list[str]:
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
    path = Path(notebook)
    if path.suffix == ".ipynb":
        if not path.is_file():
            raise StoreError(
                f"there is no notebook file {path}; list the project's with: robustshape list studies"
            )
        return path.resolve()
    if str(notebook) not in notebooks():
        raise unknown_name("notebook", str(notebook), notebooks(), "robustshape list studies")
    return require_project() / "notebooks" / f"{notebook}.ipynb"


def preset_path(notebook: str | Path, preset: str) -> Path:
    """Return the parameter file of a notebook's preset; an unknown one is refused with the closest three."""
    source = notebook_path(notebook)
    path = source.parent / "presets" / f"{source.stem}.{preset}.yaml"
    if not path.is_file():
        known = [file.stem.partition(".")[2] for file in sorted(path.parent.glob(f"{source.stem}.*.yaml"))]
        raise unknown_name(f"preset of {source.stem}", preset, known, "robustshape list presets")
    return path


def parameters_of(notebook: str | Path) -> dict[str, Parameter]:
    """Return the parameters that a notebook takes, in the order of its parameters cell."""
    path = notebook_path(notebook)
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} is not a notebook that can be read ({error}); open it in JupyterLab"
        ) from error
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if not tagged:
        return {}
    source = "".join(tagged[0]["source"])
    comments = {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found = {}
    for line in ast.parse(source).body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None:
            name, kind, written = line.target.id, _type_of(line.annotation), ast.unparse(line.annotation)
        elif isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            name, kind, written = line.targets[0].id, Any, ""
        else:
            continue
        help_ = comments.get(line.lineno) or comments.get(line.end_lineno, "")
        found[name] = Parameter(name, kind, written, ast.literal_eval(line.value), help_)
    return found


def _type_of(node: ast.expr) -> Any:
    """Return the type that an annotation means; what is not plain Python here is left unchecked."""
    match node:
        case ast.Name(id=name):
            return _TYPES.get(name, Any)
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str(text)):
            return _type_of(ast.parse(text, mode="eval").body)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return Union[_type_of(left), _type_of(right)]  # noqa: UP007 (built from values, not written)
        case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
            return Union[_type_of(inner), None]  # noqa: UP007
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
            return Literal[ast.literal_eval(inner)]
        case ast.Subscript(value=ast.Name(id="list"), slice=inner):
            return list[_type_of(inner)]
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[key, value])):
            return dict[_type_of(key), _type_of(value)]
    return Any


def check_parameters(notebook: str | Path, given: dict[str, Any]) -> dict[str, Any]:
    """Return `given` with each value as its parameter's type, or refuse it.

    Text is turned into what the type asks for: numbers, ``true``, ``none``, and JSON for lists and tables,
    because a command line hands over nothing but text.
    """
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    known, path = parameters_of(notebook), notebook_path(notebook)
    checked = {}
    for name, value in given.items():
        if name not in known:
            raise InputError(
                f"unknown parameter {name!r} of {path.stem}; closest: {', '.join(closest(name, known)) or 'none'}; "
                f"list them all with: papermill --help-notebook {_shown(path)}"
            )
        parameter = known[name]
        adapter = TypeAdapter(parameter.type, config=ConfigDict(allow_inf_nan=False))
        refusals = []
        for reading in _readings(value, parameter.written_type):
            try:
                checked[name] = adapter.validate_python(reading)
                break
            except ValidationError as error:
                refusals.append(error.errors()[0]["msg"])
        else:
            example = (
                json.dumps(parameter.default) if isinstance(parameter.default, list) else parameter.default
            )
            raise InputError(
                f"parameter {name!r} of {path.stem} must be {parameter.written_type}, but was given {value!r} "
                f"({refusals[-1]}); its default is: {example}"
            )
    return checked


def _readings(value, written_type: str) -> list:
    """Return what a value may mean, the likeliest first; only text can mean more than itself."""
    readings = []
    if isinstance(value, str):
        if "None" in written_type and value.strip().lower() in ("none", "null"):
            readings.append(None)
        if not written_type or value.lstrip()[:1] in ("[", "{"):
            with contextlib.suppress(ValueError):
                readings.append(json.loads(value))
    return [*readings, value]


def _shown(path: Path) -> str:
    """Return a path as a reader in the project's folder would type it."""
    root = project_root()
    return str(path.relative_to(root)) if root and path.is_relative_to(root) else str(path)


def read_parameters(
    notebook: str | Path, preset: str | None, parameters: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the checked parameters of a run: the preset's, then `parameters` over them."""
    import yaml

    values: dict[str, Any] = {}
    if preset is not None:
        path = preset_path(notebook, preset)
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, yaml.YAMLError) as error:
            raise StoreError(f"the preset file {path} cannot be read: {error}") from error
        if not isinstance(values, dict):
            raise StoreError(f"the preset file {path} must be lines of 'parameter: value'")
        if "preset" in parameters_of(notebook):
            values.setdefault("preset", preset)
    return check_parameters(notebook, {**values, **(parameters or {})})
