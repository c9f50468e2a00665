"""The plan of a preset in words: its workload, divided by the rates measured here."""

from robustshape import tasks
from robustshape.doctor import cores
from robustshape.errors import InputError
from robustshape.measurements.prepare import pace
from robustshape.resources import estimate, of_preset, rates, words, workload


def report(
    preset: str,
    *,
    study: str | None = None,
    workers: int | None = None,
    device: str = "cpu",
    images: int = 0,
    networks: int = 0,
    dataset: str = "",
) -> str:
    """Return the plan of every study that has the preset (or of one) in words; see ``robustshape plan --help``."""
    known = of_preset.studies_of(preset)
    if study is not None and study not in known:
        raise InputError(f"{study!r} has no preset {preset!r}; the studies that have it: {', '.join(known)}")
    remembered = tasks.paces() if device == "cpu" and not (images or dataset) else {}
    workers = workers or (1 if device == "cuda" else cores())
    found = []
    for name in [study] if study else known:
        given = of_preset.parameters(name, preset, images, dataset)
        work = of_preset.workload(name, given, networks)
        stages = ("networks", "features", "corruptions", "attacks", name)
        paces = {stage: remembered[pace(work, stage)] for stage in stages if pace(work, stage) in remembered}
        speed = rates.measure(
            of_preset.names_of(name, given),
            of_preset.images_asked(given),
            of_preset.corruptions_of(given),
            device,
        )
        costs = estimate.costs(workload.steps(work), speed, paces)
        found.append(words.table(work, costs, workload.needs(work), workers, device))
    return "\n\n".join(found)
