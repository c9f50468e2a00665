"""Results of a study: one row for each model, yours and the published ones never mixed unseen.

measure     reads and writes only your cache; never opens ``data/results``
published   reads only ``data/results/<preset>/<study>.zarr.zip``; a missing row shows as missing
extend      takes the published rows whose key agrees, and measures the rest

Every row says which it is (``origin``), its ``key``, and its provenance.
"""

import json
from collections.abc import Callable, Iterable

from robustshape.errors import InputError
from robustshape.paths import cache_dir, published_dir
from robustshape.registry import closest
from robustshape.store import arrays
from robustshape.store.atomic import usable_folder, write_file
from robustshape.store.keys import key_of

SOURCES = ("measure", "published", "extend")
MEASURED, PUBLISHED, MISSING = "measured here", "published", "missing"


def keys_of(specifications: dict[str, dict]) -> dict[str, str]:
    """Return the key of each model's row from what defines it."""
    return {model: key_of(specification) for model, specification in specifications.items()}


def row_folder(study: str, key: str):
    """Return where the row of this key is kept in the cache."""
    return cache_dir("results", study) / key


def published_file(study: str, preset: str):
    """Return the file of the published rows of `study` for `preset`, whether it exists or not."""
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
    """Return the published rows, or say which presets have some."""
    file = published_file(study, preset)
    if not file.is_file():
        raise InputError(
            f"{study} has no published results for preset {preset!r}; "
            f"published: {', '.join(published_presets(study)) or 'none'}; "
            "measure them with source=measure"
        )
    return arrays.open_zip(file)


def finished_rows(study: str, keys: dict[str, str], preset: str) -> dict:
    """Return the rows of your cache that are finished, by model, in the order asked for."""
    rows = {}
    for model, key in keys.items():
        row = arrays.open_folder(row_folder(study, key))
        if row is not None:
            rows[model] = row.assign(origin=MEASURED, preset=preset)
    return rows


def published_rows(study: str, keys: dict[str, str], preset: str) -> dict:
    """Return the published rows that have these keys, by model."""
    if not published_file(study, preset).is_file():
        return {}
    stored = read_published(study, preset)
    rows = {str(m): stored.sel(model=m, drop=True) for m in stored.model.values}
    return {
        model: rows[model].assign(origin=PUBLISHED)
        for model, key in keys.items()
        if model in rows and str(rows[model]["key"].item()) == key
    }


def stack(rows: dict):
    """Return one Dataset with a dimension ``model`` from Datasets of one model each."""
    import xarray

    ordered = [row.expand_dims(model=[model]) for model, row in rows.items()]
    return xarray.concat(
        ordered, dim="model", join="outer", data_vars="all", coords="minimal", compat="override",
        combine_attrs="drop_conflicts",
    )  # fmt: skip


def gather(
    study: str,
    specifications: dict[str, dict],
    *,
    preset: str,
    source: str,
    compute: Callable[[list[str]], Iterable[tuple[str, object]]],
):
    """Return the rows of all models, computing only what `source` allows and no store holds.

    Parameters
    ----------
    study : str
        Its name.
    specifications : dict
        For each model, in the order of the result, what defines its row; hashed to its key.
    preset : str
        Which published file to look at.
    source : {"measure", "published", "extend"}
        See the head of this module.
    compute : callable
        Given the models that are missing, yields (model, xarray.Dataset) as each is finished. A row whose
        ``diverged`` is true is shown and not kept, so that a network which is trained again has another chance.

    Returns
    -------
    xarray.Dataset
        With dimension ``model``, and ``origin``, ``key`` for each; attribute ``missing`` lists models
        that a published source does not have.
    """
    keys = keys_of(specifications)
    _remember_run(study, preset, source, keys)
    published = published_rows(study, keys, preset) if source == "extend" else {}
    wanted = {m: key for m, key in keys.items() if m not in published}
    absent = [m for m, key in wanted.items() if not usable_folder(row_folder(study, key))]
    passing = {}
    if absent:
        for model, row in compute(absent):
            row = row.assign(key=wanted[model])
            if bool(row.get("diverged", False)):
                passing[model] = row.assign(origin=MEASURED, preset=preset)
            else:
                arrays.save_folder(row, row_folder(study, wanted[model]))
    both = finished_rows(study, wanted, preset) | passing | published
    result = stack({model: both[model] for model in specifications})
    result.attrs = {"study": study, "preset": preset, "missing": []}
    return result


def gather_published(study: str, models: list[str], *, preset: str):
    """Return the published rows of `models`; those that were never published are listed as missing."""
    stored = read_published(study, preset)
    known = [str(m) for m in stored.model.values]
    there = [m for m in models if m in known]
    if not there:
        raise InputError(
            f"none of the {len(models)} models asked for is in the published {study} of {preset!r}; "
            f"it has {', '.join(known)}"
        )
    absent = [m for m in models if m not in known]
    print(f"{len(there)} published rows of preset {preset}, with the settings they were measured with")
    if absent:
        print(f"not published, so missing here: {', '.join(absent)}")
    result = stored.sel(model=there)
    result = result.assign(origin=("model", [PUBLISHED] * len(there)))
    result.attrs = {"study": study, "preset": preset, "missing": absent}
    return result


def publish(study: str, preset: str, specifications: dict[str, dict]) -> tuple[int, int]:
    """Copy finished rows of your cache into ``data/results``; return how many of how many are there.

    Rows published earlier stay where their key still agrees; others are replaced.
    """
    keys = keys_of(specifications)
    rows = published_rows(study, keys, preset) | finished_rows(study, keys, preset)
    if not rows:
        raise InputError(
            f"no finished row of {study} for preset {preset!r} in the cache; "
            f"measure some with: robustshape run {study} --preset {preset}"
        )
    result = stack({m: rows[m] for m in specifications if m in rows}).drop_vars("origin", errors="ignore")
    result.attrs = {"study": study, "preset": preset}
    arrays.save_zip(result, published_file(study, preset))
    return len(rows), len(specifications)


def _remember_run(study: str, preset: str, source: str, keys: dict[str, str]) -> None:
    """Note the keys of the latest run, so that its rows are found without the data they were measured on."""
    with write_file(cache_dir("runs", study) / f"{preset}.json") as temporary:
        temporary.write_text(json.dumps({"source": source, "keys": keys}, indent=1))


def latest_run(study: str, preset: str) -> tuple[dict, int]:
    """Return the finished rows of the latest run on this machine, by model, and how many it asked for.

    Rows that the run took from the published ones (``extend``) are among them.
    """
    file = cache_dir("runs", study) / f"{preset}.json"
    if not file.is_file():
        return {}, 0
    noted = json.loads(file.read_text())
    rows = finished_rows(study, noted["keys"], preset)
    if noted["source"] == "extend":
        rows |= published_rows(study, noted["keys"], preset)
    return {model: rows[model] for model in noted["keys"] if model in rows}, len(noted["keys"])
