"""Who was measured: how many networks of each population are published of how many asked for, on what, and how long it took."""

import json

from robustshape import preset_results, studies
from robustshape.book.tables import table
from robustshape.notebooks import list_presets
from robustshape.store import results

NOT_SHOWN = ("smoke", "laptop")  # for tests; measured anew on every machine
HEADER = ["population", "study", "networks", "families", "images", "corrupted images", "minutes"]


def population_pieces() -> dict[str, bytes]:
    """Return the table by its path in ``book``."""
    lines = [
        line(study, preset)
        for preset, notebooks in list_presets().items()
        for study in notebooks
        if preset not in NOT_SHOWN and study in studies.names()
    ]
    none = ("none", *[""] * (len(HEADER) - 1))  # a table without a line is refused by the page builder
    return {"generated/populations.csv": table(HEADER, lines or [none])}


def line(study: str, preset: str) -> tuple:
    """Return what the table says of a study's preset, published or not; the images of a generator are generated ones.

    The minutes are those of measuring the published rows, on one core of the machine that did; networks whose features or
    predictions another study had kept took less, and training is not in it.
    """
    asked = len(studies.load(study).asked(**preset_results.parameters(study, preset)))
    if preset not in results.published_presets(study):
        return preset, study, f"0 of {asked}", "", "", "", ""
    rows = results.read_published(study, preset)
    there, cells = rows.sizes["model"], rows.sizes.get("corruption", 0) * rows.sizes.get("severity", 0)
    clean, shown = (
        int(rows[name].max()) if name in rows else 0
        for name in ("n_judged" if "n_judged" in rows else "n_samples", "n_robustness")
    )
    spent = sum(
        sum(json.loads(str(about)).get("seconds", {}).values()) for about in rows["provenance"].values
    )
    families = len(set(map(str, rows["family"].values)))
    return (
        preset, study, f"{there} of {asked}", families, f"{clean:,}", f"{shown * cells:,}", f"{spent / 60:.0f}",
    )  # fmt: skip
