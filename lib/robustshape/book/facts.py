"""Tables of the written pages that follow from the code itself: the rule's numbers, what is registered, the layers."""

import ast
import tomllib
from pathlib import Path

from robustshape.book import rates
from robustshape.book.tables import table
from robustshape.paths import require_checkout

NOT_SHOWN = (
    "smoke",
    "paper",
    "paper_cifar10",
    "openclip",
    "robustbench",
)  # too small, or of what does not come along


def fact_pieces() -> dict[str, bytes]:
    """Return the tables by their path in ``book``; what a project has no file for is left out."""
    root = require_checkout("the book")
    made = {
        **(_rates(root) if (root / rates.FILE).is_file() else {}),
        **(_layers(root) if (root / "pyproject.toml").is_file() else {}),
        "constants_32.csv": _constants("32"),
        "constants_64.csv": _constants("64"),
        "constants_224.csv": _constants("224"),
        "rule.csv": _rule(),
        "ladders.csv": _ladders(),
        **_registered(),
    }
    return {f"generated/{name}": content for name, content in made.items()}


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _rates(root: Path) -> dict[str, bytes]:
    found = rates.read(root)
    header = ["families", "recipes", "true r", "holds", "fails", "negligible", "cannot be told", "covered"]
    lines = [
        (
            int(one["families"]), int(one["recipes"]), f"{one['effect']:g}",
            *(_percent(share) for share in (
                one["holds"] + one["holds, small"], one["fails"] + one["fails, small"], one["negligible"],
                one["cannot be told"], one["coverage"],
            )),
        )
        for _, one in found.iterrows()
    ]  # fmt: skip
    sides = ["holds", "holds, small", "fails", "fails, small"]
    wrong = found.loc[found["effect"] == 0, sides].sum(axis=1)
    there = found["effect"] == rates.SMALLEST
    power = found.assign(found=found[sides[:2]].sum(axis=1)).set_index(["families", "recipes", "effect"])
    middle, most = sorted(rates.FAMILIES)[-2:]
    one, several = min(rates.RECIPES), max(rates.RECIPES)
    few, many, best = (
        _percent(power.loc[(*who, rates.SMALLEST), "found"])
        for who in ((middle, one), (most, one), (most, several))
    )
    absent = _percent(power.loc[(most, several, 0.0), "negligible"])
    said = (
        f"Of {rates.DRAWS:,} populations a line, a side was taken where there is nothing in {_percent(wrong.mean())} % on "
        f"average and {_percent(wrong.max())} % at most; *negligible* was said of an effect of exactly *d* in "
        f"{_percent(found.loc[there, 'negligible'].max())} % at most.\n\n"
        f"How much a population decides hangs on how many families it has, and in how many ways each was trained. An effect "
        f"of *d* = {rates.SMALLEST:g} is found in {few} % with {middle} families trained in one way, and in {many} % with "
        f"{most}.\nWith {most} families trained in {several} ways it is found in {best} %, and its absence in {absent} %.\n\n"
        f"The interval held the truth in {_percent(found['coverage'].min())} to {_percent(found['coverage'].max())} %.\n"
    )
    return {"rates.csv": table(header, lines), "rates.md": said.encode()}


def _constants(size: str) -> bytes:
    from robustshape.corruptions.constants import CONSTANTS, FIELDS

    def words(row) -> str:
        return ", ".join(f"{number:g}" for number in row)

    lines = [
        (name, ", ".join(FIELDS[name]), *(words(row) for row in rows))
        for name, rows in CONSTANTS[size].items()
    ]
    return table(["corruption", "numbers", "1", "2", "3", "4", "5"], lines)


def _rule() -> bytes:
    from robustshape.analysis.networks import BAND, PILOT
    from robustshape.statistics.effective_robustness import FEWEST_FAMILIES
    from robustshape.statistics.jackknife import FEWEST_GROUPS
    from robustshape.statistics.verdict import SIGNIFICANCE

    lines = [
        ("level of an interval", f"{100 * (1 - SIGNIFICANCE):g} %"),
        ("fewest families for an interval", FEWEST_GROUPS),
        ("fewest plainly trained families for the line of effective robustness", FEWEST_FAMILIES),
        ("half width of a band of accuracy", f"{100 * BAND:g} points"),
        ("pilot of a band, a family of each clan", ", ".join(PILOT)),
    ]
    return table(["what", "number"], lines)


def _ladders() -> bytes:
    from robustshape.notebooks import list_presets, names, parameters_of, read_parameters

    here, lines = set(names()), []
    for preset, having in list_presets().items():
        for notebook in having:
            if preset in NOT_SHOWN or notebook not in here or "attacks" not in parameters_of(notebook):
                continue
            own = {name: one.default for name, one in parameters_of(notebook).items()}
            stages = (own | read_parameters(notebook, preset))["attacks"]
            if stages:
                lines.append((notebook, preset, "; ".join(stages)))
    return table(["study", "preset", "attacks"], lines)


def _layers(root: Path) -> dict[str, bytes]:
    """Return the layers of the import contract, the highest first, with the first sentence of each docstring."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    library, lines = root / "lib" / "robustshape", []
    for layer in layers:
        for name in layer.replace("|", ":").split(":"):
            name = name.strip(" ()")
            for path in (library / name / "__init__.py", library / f"{name}.py"):
                if path.is_file():
                    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
                    lines.append((f"`{name}`", text.partition("\n\n")[0].replace("\n", " ").replace("`", "")))
    return {"layers.csv": table(["package or module", "what it holds"], lines)}


def _registered() -> dict[str, bytes]:
    from robustshape.attacks import ATTACKS
    from robustshape.corruptions import CORRUPTIONS
    from robustshape.indicators import INDICATORS
    from robustshape.models.families import FAMILIES
    from robustshape.models.recipes import CHANGES
    from robustshape.notebooks import titles

    indicators = [
        (f"`{n}`", INDICATORS.about(n)["symbol"], INDICATORS.about(n)["about"]) for n in INDICATORS.names()
    ]
    corruptions = [
        (f"`{n}`", CORRUPTIONS.about(n)["group"], "yes" if CORRUPTIONS.about(n)["standard"] else "no", CORRUPTIONS.about(n)["what"])
        for n in CORRUPTIONS.names()
    ]  # fmt: skip
    families = [(f"`zoo:{name}`", one.clan, one.title, one.paper) for name, one in FAMILIES.items()]
    return {
        "indicators.csv": table(["name", "symbol", "what"], indicators),
        "corruptions.csv": table(["name", "group", "of the 15", "what"], corruptions),
        "attacks.csv": table(
            ["name", "what"], [(f"`{n}`", ATTACKS.about(n)["about"]) for n in ATTACKS.names()]
        ),
        "families.csv": table(["name", "clan", "architecture", "paper"], families),
        "recipes.csv": table(["recipe", "changes"], [(f"`{n}`", _changes(c)) for n, c in CHANGES.items()]),
        "studies.csv": table(["name", "question"], [(f"`{n}`", title) for n, title in titles().items()]),
    }


def _changes(changes: dict) -> str:
    def words(value) -> str:
        return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)

    return ", ".join(f"{name} {words(value)}" for name, value in changes.items()) or "nothing"
