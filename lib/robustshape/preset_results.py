"""The results of a study with a preset: your latest run, or the published rows; and publishing your own."""

from robustshape.errors import InputError
from robustshape.models.ship import ship_all
from robustshape.notebooks import parameters_of, read_parameters
from robustshape.store import results
from robustshape.store.rows import stack
from robustshape.studies import load


def parameters(study: str, preset: str) -> dict:
    """Return what a study's ``measure`` is called with for a preset: the notebook's own values, then the file's.

    Parameters of the notebook that only choose what is drawn are left out.
    """
    own = {name: p.default for name, p in parameters_of(study).items()}
    return load(study).given(own | read_parameters(study, preset, None))


def latest(study: str, preset: str):
    """Return the rows of your latest run with `preset`, else the published ones, and which they are."""
    known = load(study)  # an unknown one raises with the closest three
    found, wanted = results.latest_run(study, preset)
    if found:
        rows = known.described(stack(found))
        return rows, f"your run ({len(found)} of {wanted} rows finished)"
    if preset in results.published_presets(study):
        return known.described(results.read_published(study, preset)), "published"
    raise InputError(
        f"{study} has no results for preset {preset!r}: neither your own nor published ones "
        f"(published: {', '.join(results.published_presets(study)) or 'none'}); "
        f"measure them with: robustshape run {study} --preset {preset}"
    )


def publish(study: str, preset: str):
    """Publish the finished rows of a preset; return how many of how many, and the file.

    Networks of ours that they are about are put into ``data/models``, so that anyone can check a number. Left out
    are those of `laptop`, for they are trained again on every machine, and those too large to come along.
    """
    known, given = load(study), parameters(study, preset)
    done, wanted = known.publish(preset, **given)
    if preset != "laptop":
        cases = known.plan(**given).cases.values()
        ship_all(list(dict.fromkeys(network for _, network in cases if network.trained_here)))
    return done, wanted, results.published_file(study, preset)
