"""Named entries of one kind (models, data sets, corruptions, ...): refuse double names, list, suggest.

>>> shapes = Registry("shape", "robustshape list shapes")
>>> @shapes.register("disk", sides=0)
... def disk():
...     return "a disk"
>>> shapes["disk"]()
'a disk'
>>> shapes.names("d*"), shapes.about("disk")["sides"]
(['disk'], 0)
>>> shapes["disc"]
Traceback (most recent call last):
robustshape.errors.InputError: unknown shape 'disc'; closest: disk; list them all with: robustshape list shapes
"""

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from fnmatch import fnmatchcase
from typing import Any

from robustshape.errors import InputError


def closest(name: str, known, n: int = 3) -> list[str]:
    """Return up to `n` of the `known` names that are spelt most like `name`, best first."""
    known = list(known)
    found = difflib.get_close_matches(str(name), known, n=n, cutoff=0.0)
    return found or known[:n]


def unknown_name(kind: str, name: str, known, how_to_list: str) -> InputError:
    """Return the error for a name that does not exist: what was given, the closest three, how to list."""
    return InputError(
        f"unknown {kind} {name!r}; closest: {', '.join(closest(name, known)) or 'none'}; "
        f"list them all with: {how_to_list}"
    )


class Registry:
    """A dictionary of named entries with a few facts about each.

    Parameters
    ----------
    kind, how_to_list : str
        In the words of an error.
    facts : dataclass, optional
        What is said of each entry; a fact that is missing, unknown or of another type is refused when it is registered.
    package : str, optional
        Whose modules enter themselves: all are imported when the registry is first looked at.
    """

    def __init__(self, kind: str, how_to_list: str, *, facts: type | None = None, package: str | None = None):
        self.kind, self.how_to_list = kind, how_to_list
        self._facts, self._package = facts, package
        self._entries: dict[str, Any] = {}
        self._about: dict[str, dict] = {}

    def register(self, name: str, **about) -> Callable:
        """Decorate an entry; `about` holds whatever a listing should show of it."""
        if name in self._entries:
            raise InputError(f"{self.kind} {name!r} is registered twice")
        about = self._checked(name, about)

        def keep(entry):
            self._entries[name], self._about[name] = entry, about
            return entry

        return keep

    def _checked(self, name: str, about: dict) -> dict:
        if self._facts is None:
            return about
        known = {field.name: field.type for field in fields(self._facts)}
        for fact, value in about.items():
            if fact not in known:
                raise InputError(
                    f"{self.kind} {name!r}: unknown fact {fact!r}; closest: {', '.join(closest(fact, known))}"
                )
            if isinstance(known[fact], type) and not isinstance(value, known[fact]):
                raise InputError(
                    f"{self.kind} {name!r}: {fact} is of type {known[fact].__name__}, but was {value!r}"
                )
        try:
            return asdict(self._facts(**about))
        except TypeError as error:
            raise InputError(f"{self.kind} {name!r} lacks a fact: {error}") from error

    def _look(self) -> None:
        """Import the modules that enter themselves, once."""
        package, self._package = self._package, None
        if package:
            for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
                importlib.import_module(f"{package}.{module.name}")

    def __getitem__(self, name: str):
        self._look()
        if not isinstance(name, str) or name not in self._entries:
            raise unknown_name(self.kind, name, self._entries, self.how_to_list)
        return self._entries[name]

    def __contains__(self, name: str) -> bool:
        self._look()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        self._look()
        return len(self._entries)

    def names(self, pattern: str = "*") -> list[str]:
        """Return the sorted names that match a shell pattern such as ``mnist*``."""
        self._look()
        return sorted(name for name in self._entries if fnmatchcase(name, pattern))

    def about(self, name: str) -> dict:
        """Return the facts given when `name` was registered."""
        self[name]
        return dict(self._about[name])
