"""Rows of a study: one for each network, put together from what is kept of it.

A row may have parts with keys of their own, such as a number for each registered indicator: a part that is added later
is measured alone, and joins the row along its dimension.
"""

from dataclasses import dataclass, field

import numpy as np

from robustshape.store.kept import Kept

SCHEMA = 2  # of rows: raise when a variable is renamed or changes its meaning
MEASURED, PUBLISHED = "measured here", "published"  # origins of a row


@dataclass(frozen=True)
class Wanted:
    """A row that is asked for: its entry in the cache, and those of its parts by name along the dimension `along`."""

    row: Kept
    parts: dict[str, Kept] = field(default_factory=dict)
    along: str = ""


def row_entry(study: str, specification: dict) -> Kept:
    """Return the entry of the row that this defines; rows of another schema lie elsewhere."""
    return Kept(f"results/{study}/schema{SCHEMA}", specification)


def finished(wanted: dict[str, Wanted], published: dict | None = None) -> dict:
    """Return the rows that are finished, with their parts and origin, by name, in the order asked for.

    Parameters
    ----------
    published : dict, optional
        Published rows to be taken in place of those in the cache.
    """
    rows = {}
    for name, one in wanted.items():
        given = (published or {}).get(name)
        row = given if given is not None else one.row.open()
        if row is None:
            continue
        if one.along:
            there = parts_of(given, one)
            parts = {p: there[p] if p in there else entry.open() for p, entry in one.parts.items()}
            row = _joined(row, {p: part for p, part in parts.items() if part is not None}, one)
        rows[name] = row.assign(key=one.row.key, origin=MEASURED if given is None else PUBLISHED)
    return rows


def _joined(row, parts: dict, one: Wanted):
    """Return a row with these parts after what it has of its own along their dimension."""
    import xarray

    along, known = one.along, f"{one.along}_key"
    keys = row[known].values.astype(str) if known in row else np.full(row.sizes.get(along, 0), "")
    own = row[[name for name, v in row.data_vars.items() if along in v.dims and name != known]]
    if along in own.dims:  # stacked with others, a row is padded with the parts that it lacked
        padded = np.isin(row[along].values.astype(str), list(one.parts))
        own = own.isel({along: np.flatnonzero((keys == "") & ~padded)})
    pieces = ([own] if own.sizes.get(along) else []) + list(parts.values())
    rest = row.drop_dims(along, errors="ignore")
    if not parts:
        return rest.merge(own) if own.sizes.get(along) else rest
    both = xarray.concat(pieces, dim=along, data_vars="minimal", coords="minimal", combine_attrs="drop")
    keys = [""] * own.sizes.get(along, 0) + [one.parts[part].key for part in parts]
    return rest.merge(both.assign({known: (along, keys)}))


def parts_of(row, one: Wanted) -> dict:
    """Return the parts of a published row whose keys agree, by name."""
    known = f"{one.along}_key"
    if row is None or known not in row:
        return {}
    own = row[[name for name, v in row.data_vars.items() if one.along in v.dims and name != known]]
    keys = dict(zip(map(str, row[one.along].values), map(str, row[known].values)))
    return {
        part: own.sel({one.along: [part]}).drop_vars(own.coords.keys() - {one.along})
        for part, entry in one.parts.items()
        if keys.get(part) == entry.key
    }


def stack(rows: dict):
    """Return one Dataset with a dimension ``model`` from Datasets of one network each."""
    import xarray

    ordered = [row.expand_dims(model=[model]) for model, row in rows.items()]
    return xarray.concat(
        ordered, dim="model", join="outer", data_vars="all", coords="minimal", compat="override",
        combine_attrs="drop_conflicts",
    )  # fmt: skip
