"""A study's rows as a flat table, and where they come from: your latest run, or the published one."""

from robustshape.errors import InputError
from robustshape.notebooks import parameters_of, read_parameters
from robustshape.registry import unknown_name
from robustshape.store import results
from robustshape.studies import as_list, load


def parameters(study: str, preset: str) -> dict:
    """Return what a study's ``measure`` is called with for a preset: the notebook's defaults, then the file.

    Parameters of the notebook that only choose what is drawn are left out.
    """
    import inspect

    measured = inspect.signature(load(study).measure).parameters
    defaults = {name: p.default for name, p in parameters_of(study).items()}
    given = defaults | read_parameters(study, preset, None)
    return {name: value for name, value in given.items() if name in measured}


def latest(study: str, preset: str):
    """Return the rows of your latest run with `preset`, else the published ones, and which they are."""
    load(study)  # an unknown one raises with the closest three
    found, wanted = results.latest_run(study, preset)
    if found:
        return results.stack(found), f"your run ({len(found)} of {wanted} rows finished)"
    if preset in results.published_presets(study):
        return results.read_published(study, preset), "published"
    raise InputError(
        f"{study} has no results for preset {preset!r}: neither your own nor published ones "
        f"(published: {', '.join(results.published_presets(study)) or 'none'}); "
        f"measure them with: robustshape run {study} --preset {preset}"
    )


def table(dataset, per: str = ""):
    """Return a study's rows as a flat table.

    Parameters
    ----------
    dataset : xarray.Dataset
        As returned by `latest`.
    per : str
        Empty for a line for each model, with every single number or word of its row, both ends of its intervals,
        its accuracy under each attack, its mean corrupted accuracy, and means over draws. Or a dimension, such as ``class`` or
        ``sample``: a line for each model and each of those.

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
    [{'network': 'mine', 'model': 'file:cards/mine.json', 'accuracy': 0.9}]
    >>> table(rows, per="sample")[["network", "sample", "rank"]].values.tolist()
    [['mine', 'a', 1], ['mine', 'b', 3]]
    """
    from robustshape.models import short_name

    known = [str(dim) for dim in dataset.dims if dim != "model"]
    if per and per not in known:
        raise unknown_name("dimension of the rows", per, known, f"one of {', '.join(known)}")
    dims = {"model", per} if per else {"model"}
    chosen = dataset[[name for name, v in dataset.data_vars.items() if set(v.dims) == dims]]
    if not per:
        for name, values in dataset.data_vars.items():
            if values.dims == ("model", "bound"):
                ends = {f"{name}_{end}": values.sel(bound=end, drop=True) for end in values["bound"].values}
                chosen = chosen.assign(ends)
            elif name == "robust_accuracy":
                under = {f"accuracy, {a}": values.sel(attack=a, drop=True) for a in values["attack"].values}
                chosen = chosen.assign(under)
            elif name == "corrupted_accuracy":
                chosen = chosen.assign(corrupted_accuracy=values.mean(("corruption", "severity")))
            elif set(values.dims) == {"model", "draw"}:
                chosen = chosen.assign({name: values.mean("draw")})
            elif len(values.dims) == 3 and {"model", "draw"} < set(values.dims):
                [dim] = set(values.dims) - {"model", "draw"}
                mean, labels = values.mean("draw"), values[dim].values
                chosen = chosen.assign({f"{name}, {x}": mean.sel({dim: x}, drop=True) for x in labels})
    flat = chosen.drop_vars([c for c in chosen.coords if c not in dims]).to_dataframe().reset_index()
    flat.insert(0, "network", [short_name(str(model)) for model in flat["model"]])
    return flat


def publish(study: str, preset: str):
    """Publish the finished rows of a preset; return how many of how many, and the file.

    Networks of ours that they are about are put into ``data/models``, so that anyone can check a number. Left out
    are those of `laptop`, for they are trained again on every machine, and those too large to come along.
    """
    from robustshape.models.shipped import LARGEST, ship, total_size

    given = parameters(study, preset)
    specifications = load(study).specifications(**given)
    done, wanted = results.publish(study, preset, specifications)
    if preset != "laptop":
        trained = {"dataset": given["dataset"], "epochs": given["epochs"] or None}
        trained["reading"] = given.get("reading") or None
        named = as_list(given["models"], "models") if "models" in given else specifications
        named = [model for model in named if model.startswith("zoo:")]
        size = total_size(named, trained)
        if size > LARGEST:
            print(
                f"the {len(named)} networks do not come along, for they take {size // 2**20:,} MiB, more than "
                f"{LARGEST // 2**20}; they are in this machine's cache alone"
            )
        for model in named if size <= LARGEST else ():
            ship(model, trained)
    return done, wanted, results.published_file(study, preset)
