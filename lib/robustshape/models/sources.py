"""The source files of a reader's own modules: which a module needs, whether they were edited, and their checksums.

What Python and its packages bring is not a reader's own.
"""

import ast
import functools
import importlib
import importlib.util
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

from robustshape.models.weights import sha256

_IMPORTED: dict[str, str] = {}  # checksum of each module's source when it was imported


@functools.cache
def _libraries() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    installed = {Path(paths[key]).resolve() for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    return (*installed, Path(__file__).resolve().parents[1])


def source_of(module: ModuleType | None) -> Path | None:
    """Return the source file of a module, or None if it has none or is not the reader's own."""
    file = getattr(module, "__file__", None)
    if not file or not file.endswith(".py"):
        return None
    path = Path(file).resolve()
    return path if path.is_file() and not any(map(path.is_relative_to, _libraries())) else None


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
        for name in _imports(path, sha256(path), current.__package__ or "") if path else ():
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
            _IMPORTED.setdefault(each.__name__, sha256(path))


def refreshed(module: ModuleType) -> bool:
    """Return whether `module` or one that it needs was edited since it was imported; those it needs are imported anew."""
    others = needed(module)
    paths = {each.__name__: path for each in (*others, module) if (path := source_of(each))}
    if all(_IMPORTED.get(name, sha256(path)) == sha256(path) for name, path in paths.items()):
        return False
    for each in others:
        importlib.reload(each)
    for name, path in paths.items():
        _IMPORTED[name] = sha256(path)
    return True


def checksums(module: ModuleType) -> list[str]:
    """Return the sorted checksums of the sources of the reader's own modules that `module` needs, without itself."""
    return sorted({sha256(source_of(each)) for each in needed(module)})
