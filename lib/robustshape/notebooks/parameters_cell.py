"""What a notebook's parameters cell says: typed, commented assignments such as ``n_samples: int = 500  # per class``.

The cell is read and not run, so a value is a plain one: what is computed, magics and calls of the shell stand in the cell
after it.
"""

import ast
import io
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robustshape.errors import InputError
from robustshape.notebooks.types import type_of

PLAIN = (
    "give it a plain value (a number, text, True, None or a list of such), and compute in the cell after it"
)


@dataclass(frozen=True)
class Parameter:
    """One line of a notebook's parameters cell."""

    name: str
    type: Any  # see `types.fit`
    written_type: str  # the annotation as it stands in the notebook
    default: Any
    help: str


def read_cell(source: str, notebook: Path) -> dict[str, Parameter]:
    """Return the parameters that a cell assigns, in its order; raise InputError with the line that is no plain assignment.

    >>> read_cell("n: int = 3  # images", Path("a.ipynb"))["n"].help
    'images'
    >>> read_cell("n: int = 2**3", Path("a.ipynb"))
    Traceback (most recent call last):
    robustshape.errors.InputError: line 1 of the parameters cell of a.ipynb, 'n: int = 2**3', is computed; give it a plain value (a number, text, True, None or a list of such), and compute in the cell after it
    """
    try:
        lines = ast.parse(source).body
        comments = {
            token.start[0]: token.string.lstrip("# ").strip()
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type == tokenize.COMMENT
        }
    except (SyntaxError, ValueError, RecursionError, tokenize.TokenError) as error:
        at = getattr(error, "lineno", None) or 1
        raise _refused(
            source, at, notebook, "is no Python; magics and calls of the shell stand in another cell"
        ) from error
    found = {}
    for line in lines:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None:
            name, annotation = line.target.id, line.annotation
        elif isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            name, annotation = line.targets[0].id, None
        else:
            continue
        help_ = comments.get(line.lineno) or comments.get(line.end_lineno, "")
        try:
            kind = Any if annotation is None else type_of(annotation)
        except (SyntaxError, ValueError, TypeError) as error:
            raise _refused(
                source, line.lineno, notebook, "has a type that cannot be read; write one such as int"
            ) from error
        try:
            default = ast.literal_eval(line.value)
        except (ValueError, TypeError, MemoryError, RecursionError) as error:
            raise _refused(source, line.lineno, notebook, f"is computed; {PLAIN}") from error
        written = "" if annotation is None else ast.unparse(annotation)
        found[name] = Parameter(name, kind, written, default, help_)
    return found


def _refused(source: str, number: int, notebook: Path, why: str) -> InputError:
    lines = source.splitlines()
    line = lines[min(number, len(lines)) - 1].strip() if lines else ""
    return InputError(f"line {number} of the parameters cell of {notebook}, {line[:80]!r}, {why}")
