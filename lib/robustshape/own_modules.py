"""A reader's own modules: imported anew once edited, and known by the checksums of their source files.

What Python and its packages bring is not a reader's own. Python takes a module's compiled form for fresh if the source
has the same size and was saved in the same second, so a reader's own are always compiled from their source.
"""

import ast
import contextlib
import functools
import hashlib
import importlib
import importlib.util
import os
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType

from robustshape.errors import InputError, RobustshapeError

_IMPORTED: dict[str, str] = {}  # checksum of each module's source when it was imported


@functools.cache
def _libraries() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    installed = {Path(paths[key]).resolve() for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    return (*installed, Path(__file__).resolve().parents[0])


@contextlib.contextmanager
def blamed(what: str) -> Iterator[None]:
    """Say of whatever a reader's own code raises in the block what it was and where; our own errors pass.

    >>> with blamed("the function f"):
    ...     exec("1 / 0")
    Traceback (most recent call last):
    robustshape.errors.InputError: the function f failed: ZeroDivisionError: division by zero (line 1 of <string>)
    """
    try:
        yield
    except (RobustshapeError, ModuleNotFoundError):  # whoever imports says what to do about a missing one
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, SyntaxError):
            file, line = error.filename, error.lineno
        else:
            frames = [
                f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith("<frozen")
            ]
            own = [
                frame for frame in frames if _is_own(Path(frame.filename))
            ]  # there the mistake is looked for
            file, line = (own[-1].filename, own[-1].lineno) if own else ("", 0)
        said = " ".join(str(error).split())[:300]
        where = f" (line {line} of {file})" if file else ""
        raise InputError(
            f"{what} failed: {type(error).__name__}{f': {said}' if said else ''}{where}"
        ) from error


def imported(name: str) -> ModuleType:
    """Return the module called `name`, as its source is now; the current folder is searched too, as Python itself does.

    Raises
    ------
    ModuleNotFoundError
        If there is none, or one that it imports is not there.
    InputError
        If the name is none, or the module fails when it is imported.
    """
    if "" in name.split("."):
        raise InputError(f"{name!r} is no name of a module; write it as package.module")
    with _from_source(), blamed(f"the module {name!r}"):
        module = importlib.import_module(name)
        if refreshed(module):  # edited since, as in a notebook that stays open
            module = importlib.reload(module)
    remember(module)
    return module


def imported_file(path: Path) -> ModuleType:
    """Return the module of a file, as it is now, under a name of its own: it hides no package called alike."""
    name = "_".join(("robustshape_file", path.stem, hashlib.sha256(str(path.resolve()).encode()).hexdigest()))
    if name not in sys.modules or refreshed(sys.modules[name]):
        spec = importlib.util.spec_from_file_location(name, path, loader=_Source(name, str(path)))
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        try:
            with _from_source():
                spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]  # half done; the next call starts anew
            raise
        remember(module)
    return sys.modules[name]


def search_here() -> None:
    """Let the current folder be searched for modules, after all others."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())


class _Source(SourceFileLoader):
    """Compiles a module from its source: no compiled file is read or written."""

    def get_code(self, fullname):
        return self.source_to_code(self.get_data(self.path), self.path)


class _OwnFromSource:
    """Finds the modules that Python itself would, and has a reader's own compiled from their source."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target)
        if (
            spec is None
            or type(spec.loader) is not SourceFileLoader
            or not _is_own(Path(spec.origin).resolve())
        ):
            return None
        spec.loader = _Source(spec.loader.name, spec.loader.path)
        return spec


@contextlib.contextmanager
def _from_source():
    search_here()
    finder = _OwnFromSource()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _checksum(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def source_of(module: ModuleType | None) -> Path | None:
    """Return the source file of a module, or None if it has none or is not the reader's own."""
    file = getattr(module, "__file__", None)
    if not file or not file.endswith(".py"):
        return None
    path = Path(file).resolve()
    return path if path.is_file() and _is_own(path) else None


def _is_own(path: Path) -> bool:
    return not any(map(path.is_relative_to, _libraries()))


@functools.lru_cache(maxsize=256)
def _imports(path: Path, _checksum: str, package: str) -> tuple[str, ...]:
    """Return the full names in the import statements of a source file, wherever they stand in it."""
    names = []
    try:
        statements = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    except (SyntaxError, ValueError):  # to import it says what is wrong
        return ()
    for statement in statements:
        if isinstance(statement, ast.Import):
            names += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and (package or not statement.level):
            base = "." * statement.level + (statement.module or "")
            base = importlib.util.resolve_name(base, package) if statement.level else base
            names += [base, *(f"{base}.{alias.name}" for alias in statement.names)]
    return tuple(names)


def needed(module: ModuleType) -> list[ModuleType]:
    """Return the reader's own modules that `module` imports, directly or not, each after those that it needs itself."""
    found: dict[str, ModuleType] = {}
    begun = {module.__name__}

    def visit(current: ModuleType) -> None:
        path = source_of(current)
        for name in _imports(path, _checksum(path), current.__package__ or "") if path else ():
            other = sys.modules.get(name)
            if name not in begun and source_of(other):
                begun.add(name)
                visit(other)
                found[name] = other

    visit(module)
    return list(found.values())


def remember(module: ModuleType) -> None:
    """Note the sources of a module that was just imported, and of those it needs, where they are not known yet."""
    for each in (*needed(module), module):
        if path := source_of(each):
            _IMPORTED.setdefault(each.__name__, _checksum(path))


def refreshed(module: ModuleType) -> bool:
    """Return whether `module` or one that it needs was edited since it was imported; those it needs are imported anew."""
    others = needed(module)
    paths = {each.__name__: path for each in (*others, module) if (path := source_of(each))}
    if all(_IMPORTED.get(name, _checksum(path)) == _checksum(path) for name, path in paths.items()):
        return False
    with _from_source():
        for each in others:
            importlib.reload(each)
    for name, path in paths.items():
        _IMPORTED[name] = _checksum(path)
    return True


def located(name: str):
    """Return the spec of the module called `name`, or None where there is none; neither it nor its packages are imported.

    >>> located("json.decoder").origin.endswith("decoder.py"), located("json.nothing")
    (True, None)
    """
    search_here()
    spec, inside, above = None, None, ""
    for part in name.split("."):
        above = f"{above}.{part}" if above else part
        if spec is not None and (inside := spec.submodule_search_locations) is None:
            return None
        found = (finder.find_spec(above, inside, None) for finder in sys.meta_path)
        spec = next((one for one in found if one is not None), None)
        if spec is None:
            return None
    return spec


def checksums_of_text(path: Path, package: str = "") -> list[str]:
    """Return what `checksums` does of the module in a file, from the import statements alone: nothing is imported."""
    found: dict[str, Path] = {}

    def visit(path: Path, package: str) -> None:
        for name in _imports(path, _checksum(path), package):
            spec = located(name) if name not in found and _may_be_own(name) else None
            origin = Path(spec.origin).resolve() if spec and spec.has_location else None
            if origin and origin.suffix == ".py" and _is_own(origin):
                found[name] = origin
                visit(
                    origin, name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
                )

    visit(path, package)
    return sorted({_checksum(each) for each in found.values()})


def _may_be_own(name: str) -> bool:
    """Return whether a name may be a reader's module, by the package it begins with; spares looking for each of torch's."""
    spec = located(name.partition(".")[0])
    return spec is not None and not (spec.has_location and not _is_own(Path(spec.origin).resolve()))


def checksums(module: ModuleType) -> list[str]:
    """Return the sorted checksums of the sources of the reader's own modules that `module` needs, without itself."""
    return sorted({_checksum(source_of(each)) for each in needed(module)})
