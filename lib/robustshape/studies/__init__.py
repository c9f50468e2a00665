"""The studies: a folder each, with ``STUDY`` (settings and a network's row, see `robustshape.studies.study`) and what
is read from the rows: tables, figures, verdicts.

A study's name is the name of its notebook.
"""

import importlib
import pkgutil

from robustshape.registry import unknown_name


def names() -> list[str]:
    """Return the names of the studies, sorted."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if m.ispkg)


def load(name: str):
    """Return the `Study`; an unknown name raises InputError with the closest."""
    if name not in names():
        raise unknown_name("study", name, names(), "robustshape list studies")
    return importlib.import_module(f"robustshape.studies.{name}").STUDY
