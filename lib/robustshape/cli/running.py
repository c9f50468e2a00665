"""Commands that run notebooks and show, publish and bind what came out."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from robustshape.cli.app import command


@command(
    "run kstar_skewness --preset laptop",
    'run kstar_skewness --preset laptop -p models \'["zoo:lenet", "python:my_module:build"]\' -p source extend',
    "run my_copy.ipynb -p n_samples 200 -o out.ipynb",
)
def run(
    notebook: str,
    /,
    *,
    preset: str | None = None,
    parameter: Annotated[
        list[tuple[str, str]] | None,
        Parameter(name=["-p", "--parameter"], negative=(), allow_leading_hyphen=True, json_list=False),
    ] = None,
    output: Annotated[Path | None, Parameter(name=["-o", "--output"])] = None,
    trust_card: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Run a notebook with checked parameters; what is already in the cache is not computed again.

    Parameters
    ----------
    notebook
        Its name (see: robustshape list studies) or a path to an .ipynb file.
    preset
        A parameter file, notebooks/presets/NOTEBOOK.PRESET.yaml (see: robustshape list presets).
    parameter
        NAME VALUE: a parameter of the notebook; lists as JSON. May be given several times, wins over the preset.
    output
        The executed notebook; default NOTEBOOK.PRESET.ipynb in the cache. If a cell fails, what was done until then
        is in OUTPUT.partial.ipynb.
    trust_card
        Run the functions that cards (file:) name: code of whoever wrote the cards.
    """
    from robustshape.models.trust import trusting
    from robustshape.notebooks import run_notebook

    with trusting(trust_card):
        written = run_notebook(notebook, preset=preset, parameters=dict(parameter or []), output=output)
    print(f"executed notebook: {written}")


@command(
    "results kstar_skewness --preset mnist",
    "results kstar_skewness --preset mnist --per class --csv classes.csv",
    "results kstar_skewness --preset mnist --figures figures --format pdf",
)
def results(
    study: str,
    /,
    *,
    preset: str = "laptop",
    per: str = "",
    csv: Path | None = None,
    full: bool = False,
    figures: Path | None = None,
    format: Literal["svg", "pdf", "png"] = "svg",
) -> None:
    """Show a study's results: your latest run with this preset if there is one, else the published one.

    Parameters
    ----------
    study
        See: robustshape list studies.
    preset
        See: robustshape list presets. A run without a preset is called 'custom'.
    per
        A line for each class, sample or other dimension of the rows, in place of one for each model.
    csv
        Write the table to this file as well.
    full
        Also how and on what everything was measured, down to the provenance.
    figures
        Draw the study's figures into this folder as well.
    format
        Of the figures.
    """
    from robustshape.analysis.table import table as flat
    from robustshape.preset_results import latest

    rows, which = latest(study, preset)
    table, drawn = flat(rows, per, full=full), []
    if csv:  # files before words, whose reader may go: ... | head -1
        from robustshape.store.atomic import write_file

        with write_file(csv) as temporary:
            table.to_csv(temporary, index=False)
    if figures:
        from robustshape.book.figures import write_figures

        drawn = write_figures(study, preset, figures, format)
    print(f"{study}, preset {preset}: {which}, {rows.sizes['model']} models, {len(table):,} lines")
    print(table.to_string(index=False, float_format=lambda x: f"{x:.4f}", max_rows=200))
    if csv:
        print(f"table: {csv}")
    for path in drawn:
        print(f"figure: {path}")


@command("publish kstar_skewness --preset mnist")
def publish(study: str, /, *, preset: str) -> None:
    """Copy your finished rows of a study into data/results, for others to read and extend.

    Parameters
    ----------
    study
        See: robustshape list studies.
    preset
        The preset whose rows to publish.
    """
    from robustshape import paths, preset_results

    paths.require_checkout("publishing")
    done, wanted, file = preset_results.publish(study, preset)
    print(f"{done} of {wanted} rows published: {file}")


@command("book", "book --preset smoke")
def book(*, preset: str = "laptop") -> None:
    """Run every notebook whose inputs have changed and build the HTML book in _build/html.

    Parameters
    ----------
    preset
        What is measured here; every other preset is drawn from its published results.
    """
    from robustshape.book import build_book

    build_book(preset)
