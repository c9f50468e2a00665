"""A study's rows as a flat table: the network, R, accuracies and indicators first, in an order that never varies."""

from robustshape.analysis.robustness import robustness
from robustshape.registry import unknown_name

FIRST = ("network", "family", "recipe", "R", "accuracy", "indicator_accuracy", "corrupted_accuracy")
LAST = ("origin", "model")


def table(rows, per: str = "", *, full: bool = False):
    """Return a study's rows as a flat table.

    Parameters
    ----------
    rows : xarray.Dataset
        Of a study.
    per : str
        Empty for a line for each network: its R, its accuracies (under corruption the mean, and under each attack),
        then every single number of its row by name, means over draws and both ends of intervals. Or a
        dimension, such as ``class`` or ``sample``: a line for each network and each of those.
    full : bool
        Whether what says how and on what it was measured follows, down to the provenance.

    Raises
    ------
    InputError
        If the rows have no such dimension.

    Examples
    --------
    >>> import xarray
    >>> rows = xarray.Dataset({"accuracy": ("model", [0.9]), "rank": (("model", "sample"), [[1, 3]])},
    ...                       coords={"model": ["file:cards/mine.json"], "sample": ["a", "b"]})
    >>> table(rows).to_dict("records")
    [{'network': 'mine', 'accuracy': 0.9, 'model': 'file:cards/mine.json'}]
    >>> table(rows, per="sample")[["network", "sample", "rank"]].values.tolist()
    [['mine', 'a', 1], ['mine', 'b', 3]]
    """
    from robustshape.models import short_name

    known = sorted(str(dim) for dim in rows.dims if dim != "model")
    if per and per not in known:
        raise unknown_name("dimension of the rows", per, known, f"one of {', '.join(known)}")
    dims = ["model", per] if per else ["model"]
    found = {str(name): v for name, v in rows.data_vars.items() if set(v.dims) == set(dims)}
    if not per:
        found |= _summarised(rows)
    about = {name for name in found if name in rows and rows[name].attrs.get("role") == "about"}
    about -= {*FIRST, *LAST}
    names = sorted(found.keys() - about) + (sorted(about) if full else [])
    chosen = rows[[dim for dim in dims if dim in rows.coords]].assign({name: found[name] for name in names})
    flat = chosen.drop_vars([c for c in chosen.coords if c not in dims]).to_dataframe(dims).reset_index()
    flat["network"] = [short_name(str(model)) for model in flat["model"]]
    first = [name for name in ("network", per, *FIRST[1:]) if name in flat]
    under = [name for name in flat if str(name).startswith("accuracy, ")]
    if "indicator_value" in rows and not per:
        under += [x for x in sorted(map(str, rows["indicator"].values)) if x not in rows]
    last = [name for name in LAST if name in flat]
    return flat[[*first, *under, *[n for n in flat if n not in {*first, *under, *last}], *last]]


def odd(rows) -> list:
    """Return for each network what is odd about it, in words, None where nothing is: a column of an overview."""
    found = rows["warnings"].values if "warnings" in rows else [""] * rows.sizes["model"]
    return [str(words).replace("\n", "; ") or None for words in found]


def _summarised(rows) -> dict:
    """Return one number for each network of what has more dimensions."""
    found = {}
    if "corrupted_accuracy" in rows:
        found["corrupted_accuracy"] = rows["corrupted_accuracy"].mean(("corruption", "severity"))
        if "accuracy" in rows:
            found["R"] = ("model", robustness(rows))
    for name, values in rows.data_vars.items():
        if values.dims == ("model", "bound"):
            found |= {f"{name}, {end}": values.sel(bound=end, drop=True) for end in values["bound"].values}
        elif name == "robust_accuracy":
            found |= {f"accuracy, {a}": values.sel(attack=a, drop=True) for a in values["attack"].values}
        elif set(values.dims) == {"model", "draw"}:
            found[str(name)] = values.mean("draw")
        elif len(values.dims) == 3 and {"model", "draw"} < set(values.dims):
            [dim] = set(values.dims) - {"model", "draw"}
            mean = values.mean("draw")
            for x in sorted(map(str, values[dim].values)):
                called = x if name == "indicator_value" else f"{name}, {x}"
                found[f"{x} on draws" if called in rows else called] = mean.sel({dim: x}, drop=True)
    return found
