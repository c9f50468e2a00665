"""Results of a study: one row for each network, yours and the published ones never mixed unseen.

measure     reads and writes only your cache; never opens ``data/results``
published   reads only ``data/results/<preset>/<study>.zarr.zip``; a missing row shows as missing
extend      takes the published rows whose key agrees, and measures the rest

Every row says which it is (``origin``), its ``key``, and its provenance; `rows` says what a row is.
"""

import re
from collections.abc import Callable, Iterable

from robustshape.errors import DamagedError, InputError, StoreError
from robustshape.paths import cache_address, cache_dir, published_dir
from robustshape.registry import closest
from robustshape.store import arrays, sealed, shared
from robustshape.store.kept import Kept
from robustshape.store.rows import MEASURED, PUBLISHED, SCHEMA, Wanted, finished, parts_of, row_entry, stack

SOURCES = ("measure", "published", "extend")
MOST_NAMED = 10  # of the networks that a message names


def check_preset(preset: str) -> None:
    """Raise InputError unless a preset's name can be that of a file: a run is noted under it, and published rows lie there.

    >>> check_preset("../../mine")
    Traceback (most recent call last):
    robustshape.errors.InputError: preset is a name of letters, digits, _, -, + and dots, such as laptop, but was given '../../mine'
    """
    if not re.fullmatch(r"\w[\w.+-]{0,99}", str(preset)):
        raise InputError(
            f"preset is a name of letters, digits, _, -, + and dots, such as laptop, but was given {preset!r}"
        )


def _run_file(study: str, preset: str):
    """Return where the latest run of `study` with `preset` is noted."""
    check_preset(preset)
    return cache_dir("runs", study) / f"{preset}.json"


def published_file(study: str, preset: str):
    """Return the file of the published rows of `study` for `preset`, whether it exists or not."""
    check_preset(preset)
    return published_dir() / preset / f"{study}.zarr.zip"


def published_presets(study: str) -> list[str]:
    """Return the presets for which `study` has published rows."""
    return sorted(file.parent.name for file in published_dir().glob(f"*/{study}.zarr.zip"))


def check_source(source: str) -> None:
    """Raise InputError unless `source` is one of SOURCES."""
    if source not in SOURCES:
        raise InputError(
            f"unknown source {source!r}; closest: {closest(source, SOURCES, 1)[0]}; "
            f"it is one of {', '.join(SOURCES)}"
        )


def read_published(study: str, preset: str):
    """Return the published rows, or say which presets have some; those of another schema are refused."""
    file = published_file(study, preset)
    if not file.is_file():
        raise InputError(
            f"{study} has no published results for preset {preset!r}; "
            f"published: {', '.join(published_presets(study)) or 'none'}; "
            "measure them with source=measure"
        )
    rows = arrays.open_zip(file)
    if rows.attrs.get("schema") != SCHEMA:
        raise StoreError(f"{_other_schema(file, rows)}; measure the rows again with source=measure")
    return rows


def _other_schema(file, rows) -> str:
    return (
        f"{file} has rows of schema {rows.attrs.get('schema', 1)}, but this robustshape reads schema {SCHEMA}"
    )


def gather(
    study: str,
    wanted: dict[str, Wanted],
    *,
    preset: str,
    source: str,
    compute: Callable[[list[str]], Iterable[tuple[str, object]]],
    compute_parts: Callable[[dict[str, list[str]]], None] = lambda missing: None,
):
    """Return the rows that are asked for, computing only what `source` allows and no store holds.

    Parameters
    ----------
    study : str
        Its name.
    wanted : dict
        What defines each row, by name, in the order of the result.
    preset : str
        Which published file to look at.
    source : {"measure", "published", "extend"}
        See the head of this module.
    compute : callable
        Given the names of rows that are missing, yields (name, xarray.Dataset) as each is finished. A row whose
        ``diverged`` is true is shown and not kept, so that a network which is trained again has another chance.
    compute_parts : callable
        Given the names of the parts that are missing, by row, computes and keeps them.

    Returns
    -------
    xarray.Dataset
        With dimension ``model``, and ``origin``, ``key`` for each; attribute ``missing`` lists rows
        that a published source does not have.
    """
    _remember_run(study, preset, source, wanted)
    published = _published(study, wanted, preset) if source == "extend" else {}
    absent = [name for name, one in wanted.items() if name not in published and one.row.missing]
    passing = {}
    for name, row in compute(absent) if absent else ():
        if bool(row.get("diverged", False)):
            passing[name] = row.assign(key=wanted[name].row.key)
        elif wanted[name].row.missing:  # who computes it may have kept it
            wanted[name].row.save(row)
    lacking = {
        name: [part for part, entry in one.parts.items() if part not in there and entry.missing]
        for name, one in wanted.items()
        if name not in passing
        for there in [parts_of(published.get(name), one)]
    }
    if any(lacking.values()):
        compute_parts({name: parts for name, parts in lacking.items() if parts})
    found = finished(wanted, published)
    shown = {name: passing[name].assign(origin=MEASURED, preset=preset) for name in passing}
    shown |= {name: row.assign(preset=preset) for name, row in found.items()}
    result = stack({name: shown[name] for name in wanted})
    result.attrs = {"study": study, "preset": preset, "missing": [], "schema": SCHEMA}
    return result


def _published(study: str, wanted: dict[str, Wanted], preset: str) -> dict:
    """Return the published rows whose keys agree, by name; of another schema none does, which is said."""
    file = published_file(study, preset)
    if not file.is_file():
        return {}
    stored = arrays.open_zip(file)
    if stored.attrs.get("schema") != SCHEMA:
        print(f"{_other_schema(file, stored)}: none is taken")
        return {}
    keys = dict(zip(map(str, stored.model.values), map(str, stored["key"].values)))
    return {
        name: stored.sel(model=name, drop=True)
        for name, one in wanted.items()
        if keys.get(name) == one.row.key
    }


def gather_published(study: str, names: list[str], *, preset: str):
    """Return the published rows of these names; those that were never published are listed as missing."""
    stored = read_published(study, preset)
    known = [str(m) for m in stored.model.values]
    there = [m for m in names if m in known]
    if not there:
        raise InputError(
            f"none of the {len(names)} models asked for is in the published {study} of {preset!r}; "
            f"it has {', '.join(known)}"
        )
    absent = [m for m in names if m not in known]
    print(f"{len(there)} published rows of preset {preset}, with the settings they were measured with")
    if absent:
        print(f"not published, so missing here: {_named(absent)}")
    result = stored.sel(model=there)
    result = result.assign(origin=("model", [PUBLISHED] * len(there)))
    facts = {name: stored.attrs[name] for name in ("first_images",) if name in stored.attrs}
    result.attrs = {"study": study, "preset": preset, "missing": absent, "schema": SCHEMA} | facts
    return result


def publish(
    study: str, preset: str, wanted: dict[str, Wanted], *, without: tuple[str, ...] = (), **facts
) -> int:
    """Copy finished rows of your cache into ``data/results``; return how many are there.

    Rows published earlier stay where their key still agrees; others are replaced, or go and are named, and new ones
    are added when their parts are finished, too. `facts` of all of them become attributes. Variables in `without` are left
    out: what follows from others takes no room.
    """
    earlier = _published(study, wanted, preset)
    whole = {
        m: one
        for m, one in wanted.items()
        if m in earlier or not any(part.missing for part in one.parts.values())
    }
    rows = finished(whole, earlier)
    if not rows:
        raise InputError(
            f"no finished row of {study} for preset {preset!r} in the cache; "
            f"measure some with: robustshape run {study} --preset {preset}"
        )
    result = stack({m: rows[m] for m in wanted if m in rows}).drop_vars(["origin", *without], errors="ignore")
    result = result.assign(preset=("model", [preset] * result.sizes["model"]))
    result.attrs = {"study": study, "preset": preset, "schema": SCHEMA} | facts
    _tell_gone(study, preset, rows)
    arrays.save_zip(result, published_file(study, preset))
    return len(rows)


def _tell_gone(study: str, preset: str, rows) -> None:
    """Say which rows are published now and will not be any more, once `rows` take their place."""
    file = published_file(study, preset)
    gone = (
        [str(m) for m in arrays.open_zip(file).model.values if str(m) not in rows] if file.is_file() else []
    )
    if gone:
        print(
            f"published before and no longer, for they were measured otherwise than {preset} asks now, or are none of "
            f"its rows: {_named(gone)}; measure them again to publish them, or restore the file with git"
        )


def _named(names: list[str]) -> str:
    """Return the names for a message: the first few, and how many more there are.

    >>> _named([f"net{i}" for i in range(12)])
    'net0, net1, net2, net3, net4, net5, net6, net7, net8, net9 and 2 more'
    """
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _remember_run(study: str, preset: str, source: str, wanted: dict[str, Wanted]) -> None:
    """Note what the latest run asked for, so that its rows are found without the data they were measured on."""
    rows = {
        name: {
            "row": one.row.spec,
            "along": one.along,
            "parts": {p: [e.kind, e.spec] for p, e in one.parts.items()},
        }
        for name, one in wanted.items()
    }
    sealed.note(_run_file(study, preset), {"schema": SCHEMA, "source": source, "rows": rows})
    shared.offer_file(_run_file(study, preset))


def _noted_elsewhere(file):
    """Return what another machine noted at the cache's address; it is not kept here, where it would never change."""
    data = shared.content(file)
    try:
        return data and sealed.opened(data, f"{cache_address()}: {file.name}")
    except DamagedError as error:
        print(f"{error}, or run the study again", flush=True)
        return None


def latest_run(study: str, preset: str) -> tuple[dict, int]:
    """Return the finished rows of the latest run on this machine, by name, and how many it asked for.

    Where this machine has made none, that of the latest on another one that has the same address for a cache.
    Rows that the run took from the published ones (``extend``) are among them. A run whose rows were of another
    schema is none.
    """
    noted = sealed.noted(_run_file(study, preset)) or _noted_elsewhere(_run_file(study, preset)) or {}
    if noted.get("schema") != SCHEMA:
        return {}, 0
    wanted = {
        name: Wanted(
            row_entry(study, one["row"]),
            {part: Kept(kind, spec) for part, (kind, spec) in one["parts"].items()},
            one["along"],
        )
        for name, one in noted["rows"].items()
    }
    published = _published(study, wanted, preset) if noted["source"] == "extend" else {}
    rows = finished(wanted, published)
    return {name: row.assign(preset=preset) for name, row in rows.items()}, len(wanted)
