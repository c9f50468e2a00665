"""Names from outside stay names: none becomes a path, markup or mathematics."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from robustshape import preset_results
from robustshape.analysis import page, style
from robustshape.book import explorer, tables
from robustshape.cli import main
from robustshape.errors import InputError
from robustshape.store import results
from robustshape.studies import load
from robustshape.studies.failure_discovery.slider import TEMPLATE, _filled

PATHS = ["../../outside", "..", ".hidden", "/tmp/outside", "a/b", "a\\b", "a\0b", "a\nb", "", "x" * 200]
HOSTILE = [
    "<svg onload=alert(1)>", "</script><script>alert(2)</script>", "`a` **b** |c|", "new\nline", "'\"><b>x</b>",
    "<!--", "&lt;b&gt;", "$\\frac{$", "DATA SHEET UNIT",
]  # fmt: skip


@pytest.mark.parametrize("name", PATHS)
def test_a_preset_s_name_is_no_path(name):
    for use in (
        lambda: results.check_preset(name),
        lambda: results.published_file("kstar_skewness", name),
        lambda: results.latest_run("kstar_skewness", name),
        lambda: preset_results.latest("kstar_skewness", name),
        lambda: results.gather("study", {}, preset=name, source="measure", compute=lambda missing: ()),
        lambda: results.publish("study", name, {}),
    ):
        with pytest.raises(
            InputError, match=r"preset is a name of letters, digits, _, -, \+ and dots, such as laptop"
        ):
            use()


@pytest.mark.parametrize("name", ["../../outside", "/tmp/outside", "a/b"])
def test_nothing_is_written_outside(name, tmp_path, monkeypatch, capsys):
    cache = tmp_path / "deep" / "deeper" / "cache"
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)
    run = ["run", "kstar_skewness"]
    for command in (
        [*run, "--preset", name],
        [*run, "--preset", "smoke", "-p", "preset", name],
        ["results", "kstar_skewness", "--preset", name],
        ["publish", "kstar_skewness", "--preset", name],
        ["report", "zoo:mlp", "--dataset", "digits", "-p", "preset", name],
        ["run", name],
    ):
        assert main(command) == 2, command
    known = preset_results.parameters("kstar_skewness", "smoke") | {"preset": name, "source": "extend"}
    with pytest.raises(InputError, match="preset is a name"):
        load("kstar_skewness").measure(**known)
    assert "Traceback" not in capsys.readouterr().err
    written = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_relative_to(cache)]
    assert written == []


@pytest.mark.parametrize("name", ["laptop", "families_mnist", "my-run+2.1", "été"])
def test_a_plain_name_is_taken(name):
    results.check_preset(name)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_text_in_all_that_notebooks_show(name):
    frame = pd.DataFrame({name: [name, 1.0]})
    shown = [
        page.answer(name), page.paragraph(name), page.bullets([name]), page.table(frame), page.table({name: name}),
        page.folded(name, page.answer(name)), page.figure(plt.figure(), alt=name, caption=name), page.figure(None, alt=name, empty=name),
    ]  # fmt: skip
    made = "".join(one.html for one in shown)
    for tag in ("<svg", "<script", "</script", "<b>", "<!--"):
        assert tag not in made
    assert '"><b' not in made and ("<" not in name or "&lt;" in made)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_data_in_the_explorer_and_text_in_tables_of_pages(name):
    script = explorer.as_script({"name": name})
    assert "<" not in script and json.loads(script) == {"name": name}
    cell = tables.plain(name)
    for sign in "<|*$":
        assert cell.count(sign) == cell.count(f"\\{sign}")


def test_a_slider_s_values_are_not_searched_for_the_template_s_names():
    filled = {
        name: f"[{name} DATA SHEET LAST]"
        for name in ("CLASSES", "ATTRIBUTES", "UNIT", "PANELS", "DATA", "SHEET", "LAST")
    }
    made = _filled(TEMPLATE, filled)
    for name, value in filled.items():
        assert made.count(value) == TEMPLATE.count(name)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_figure_draws_any_name_as_it_is(name):
    figure, axis = style.panel()
    axis.plot([0, 1], [1, 0], label=name)
    axis.plot([0, 1], [0, 1], label="other")
    style.legend_below(axis)
    style.names(axis, np.arange(2), np.arange(2), [name, "b"])
    other, beneath = style.panel()
    style.forest(beneath, [name], [0.0], [-1.0], [1.0], "black")
    for one in (figure, other):
        one.canvas.draw()  # mathematics that does not parse would raise
    assert beneath.get_yticklabels()[0].get_text() == name.replace("$", r"\$")
    plt.close("all")
