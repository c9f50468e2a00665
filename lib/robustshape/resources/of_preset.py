"""The workload of a study with a preset, read from its parameters; neither data nor weights need be there."""

from robustshape import corruptions, notebooks, preset_results, studies
from robustshape.attacks.stages import ladder
from robustshape.datasets import DATASETS
from robustshape.errors import InputError
from robustshape.models.outline import Images
from robustshape.registry import unknown_name
from robustshape.resources.sizes import as_many, images_of, size_of
from robustshape.resources.workload import Workload
from robustshape.values import as_list


def studies_of(preset: str) -> list[str]:
    """Return the studies that have a preset; an unknown one raises InputError with the closest."""
    known = notebooks.list_presets()
    if preset not in known:
        raise unknown_name("preset", preset, known, "robustshape list presets")
    found = [name for name in known[preset] if name in studies.names()]
    if not found:
        raise InputError(f"no study has the preset {preset!r}, only {', '.join(known[preset])}")
    return found


def parameters(study: str, preset: str, images: int = 0, dataset: str = "") -> dict:
    """Return a preset's parameters with another number of images, of the indicator or, if it has none, of the robustness."""
    given = preset_results.parameters(study, preset)
    if dataset:
        given |= {"dataset": dataset}
    if images:
        given |= {"n_samples" if given.get("n_samples") else "n_robustness": images}
    return studies.load(study).completed(given)  # what a report leaves open is taken from its data


def names_of(study: str, given: dict) -> list[str]:
    """Return the names of the networks of all rows."""
    return studies.load(study).networks_asked(**given)


def images_asked(given: dict) -> Images:
    """Return the images of the data set that the parameters name, as they are read."""
    return images_of(DATASETS.about(given["dataset"]), given.get("reading"))


def corruptions_of(given: dict) -> list[str]:
    """Return the corruptions that the parameters ask for."""
    names = as_list(given.get("corruptions") or [], "corruptions", empty=True)
    return list(corruptions.STANDARD) if names == ["standard"] else names


def workload(study: str, given: dict, networks: int = 0) -> Workload:
    """Return what a study has to do with these parameters.

    Parameters
    ----------
    networks : int
        So many in place of the preset's, of the same mix; 0: the preset's own.
    """
    about, images = DATASETS.about(given["dataset"]), images_asked(given)
    sized: dict = {}
    names = names_of(study, given)
    for name in names:
        sized.setdefault(name, size_of(name, images, given.get("epochs") or 0))
    found = [sized[name] for name in names]
    n, m = int(given.get("n_samples") or 0), int(given.get("n_robustness") or 0)
    stages = ladder(as_list(given.get("attacks") or [], "attacks", empty=True))
    clusters = int(given.get("n_classes") or 0) or images.classes
    return Workload(
        study=study,
        dataset=given["dataset"],
        networks=as_many(found, networks or len(found)),
        n_samples=n,
        n_robustness=m,
        cells=len(corruptions_of(given)) * len(given.get("severities") or []),
        files="x" not in str(about.get("size"))
        and not str(given.get("reading") or "").startswith(("crop", "resize", "frame")),
        attacks=tuple((stage.name, stage.n or m) for stage in stages for _ in stage.budgets),
        halves=int(given.get("n_halves") or 0) if study == "kstar_skewness" else 0,
        draws=int(given.get("n_draws") or 0) if study == "cluster_purity" else 0,
        drawn=min(n, clusters * int(given.get("per_class") or 0)) if study == "cluster_purity" else 0,
        clusters=clusters if study == "cluster_purity" else 0,
    )
