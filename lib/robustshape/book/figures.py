"""The figures of a study as files, in the form that a paper takes."""

import os
import tempfile
from pathlib import Path

from robustshape.analysis.style import FORM
from robustshape.book.outputs import figures_of
from robustshape.notebooks import run_notebook
from robustshape.store import results
from robustshape.store.atomic import write_file

FORMS = ("svg", "pdf", "png")


def write_figures(study: str, preset: str, folder: Path, form: str = "svg") -> list[Path]:
    """Write every figure of a study's notebook into a folder; nothing is measured.

    Parameters
    ----------
    study, preset : str
        Your latest run with this preset is drawn if it is finished, else the published rows.
    folder : Path
        Made if it is not there; files are called ``STUDY.PRESET.FIGURE.FORM``.
    form : {"svg", "pdf", "png"}

    Returns
    -------
    list of Path
        The files, in the order of the notebook.
    """
    import nbformat

    found, wanted = results.latest_run(study, preset)
    source = "measure" if wanted and len(found) == wanted else "published"
    before = os.environ.get(FORM)
    os.environ[FORM] = form
    try:
        with tempfile.TemporaryDirectory() as place:
            executed = run_notebook(
                study, preset, {"source": source}, Path(place) / "drawn.ipynb", progress=False
            )
            drawn = figures_of(nbformat.read(executed, as_version=4))
    finally:
        os.environ.pop(FORM) if before is None else os.environ.update({FORM: before})
    written = []
    for file, content in drawn.items():
        target = Path(folder) / f"{study}.{preset}.{file}"
        with write_file(target) as temporary:
            temporary.write_bytes(content)
        written.append(target)
    return written
