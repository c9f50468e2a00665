"""What all populations together say of the claims: the first page's picture and cards, and the page of claims."""

import hashlib
import importlib
import json
from html import escape
from pathlib import Path

from robustshape.analysis.page import look
from robustshape.book.pages import first_pages
from robustshape.book.runs import INPUTS
from robustshape.book.tables import plain, table
from robustshape.paths import cache_dir
from robustshape.store import sealed
from robustshape.store.atomic import remove


def claims_pieces(root: Path) -> dict[str, bytes]:
    """Return the pictures and texts of the claims by their path in ``book``; none in a project that states none."""
    if not (root / "data" / "claims.toml").is_file():
        return {}
    lines, style = evidence(root), f"<style>{look()}</style>"
    made = {
        "answer.md": headline(lines),
        "overview.html": f"{style}{overview(lines)}",
        "claims.md": f"{style}\n\n{claims_page(lines)}",
        "verdicts.csv": verdicts_table(lines).decode(),
        "cards.md": cards(lines, root),
    }
    return {f"generated/{name}": text.encode() for name, text in made.items()}


def evidence(root: Path):
    """Return the verdict of every published population on every claim that it estimates: a pandas.DataFrame.

    The columns of `verdicts.judged` with ``claim``, and ``study`` and ``rows`` (the preset) whose rows they are. It is
    kept until the library, the claims or a published row change.
    """
    import pandas as pd

    digest = hashlib.sha256()
    for path in sorted(
        path
        for pattern in (*INPUTS, "data/results/**/*.zip")
        for path in root.glob(pattern)
        if path.is_file()
    ):
        digest.update(path.read_bytes())
    kept = cache_dir("book") / f"evidence.{digest.hexdigest()[:16]}.json"
    found = sealed.noted(kept)
    if found is None:
        for older in kept.parent.glob("evidence.*.json"):
            remove(older)
        found = _judged_everywhere(root).to_dict("list")
        sealed.note(kept, found)
    return pd.DataFrame(found)


def _judged_everywhere(root: Path):
    import pandas as pd

    from robustshape import studies
    from robustshape.analysis import claims
    from robustshape.analysis.verdicts import judged
    from robustshape.store.results import read_published

    making, found = {claim.study for claim in claims.load().values()}, []
    for path in sorted((root / "data" / "results").glob("*/*.zarr.zip")):
        study, preset = path.name.removesuffix(".zarr.zip"), path.parent.name
        if study in making:
            rows = studies.load(study).described(read_published(study, preset))
            rows.attrs |= {"preset": preset, "study": study}
            lines = judged(study, rows).rename_axis("claim").reset_index()
            found.append(lines.assign(study=study, rows=preset))
    return pd.concat(found, ignore_index=True)


def of_claim(lines, claim):
    """Return the lines of one claim, one a population: the one that decides first, then estimates of others.

    Without any estimate, one line that says so: where the population that decides has no rows either, the claim is not
    yet measured anywhere.
    """
    from robustshape.statistics.verdict import UNMEASURED

    own = lines[lines["claim"] == claim.id]
    rank = 2 * own["estimate"].isna() + (own["preset"] != claim.population)
    own = (
        own.assign(rank=rank)
        .sort_values("rank", kind="stable")
        .drop_duplicates("preset")
        .drop(columns="rank")
    )
    estimated = own[own["estimate"].notna()]
    if len(estimated):
        return estimated
    first = own[:1]
    if (first["preset"] == claim.population).all():
        return first
    return first.assign(verdict=UNMEASURED, uncorrected=UNMEASURED, reason="", preset=claim.population)


def headline(lines) -> str:
    """Return the answer to the book's own question, and how many claims are decided, as two sentences of Markdown."""
    from robustshape.analysis import claims
    from robustshape.analysis.answers import is_decided, sentence
    from robustshape.statistics.verdict import UNTOLD
    from robustshape.studies.indicator_comparison.answer import QUESTIONS

    stated = claims.load()
    deciding = {name: of_claim(lines, claim).iloc[0] for name, claim in stated.items()}
    line = deciding[QUESTIONS[0].claim]
    whom = f" It is an estimate {line['population']}." if line["population"] else ""
    decided = sum(is_decided(one) for one in deciding.values())
    untold = sum(str(one["verdict"]).startswith(UNTOLD) for one in deciding.values())
    return (
        f"**{plain(sentence(QUESTIONS[0], line))}**{plain(whom)}\n"
        f"Of {len(stated)} claims {decided} are decided, {untold} were judged and cannot be told; the others wait for "
        "networks.\n"
    )


def overview(lines) -> str:
    """Return one picture of all claims and populations as HTML: a strip for each claim, grouped by study."""
    from robustshape import studies
    from robustshape.analysis import claims
    from robustshape.analysis.strips import axis, strip
    from robustshape.statistics.verdict import UNJUDGED

    groups: dict[str, list] = {}
    for claim in claims.load().values():
        groups.setdefault(claim.study, []).append(claim)
    made = []
    for study, its in groups.items():
        strips = ""
        for claim in its:
            name, own = claim.id, of_claim(lines, claim)
            first = own.iloc[0]
            word = str(first["verdict"]).partition(":")[0]
            statement = escape(first["statement"])
            decides = first["preset"] == claim.population or first["verdict"] != UNJUDGED
            strips += (
                f'<a class="rs-mini" href="claims.html#{name}" title="{statement}"><span>{escape(claim.short or claim.statement)}</span>'
                f"{strip(first, own.iloc[1:], decides=decides)}<b>{escape(word)}</b></a>"
            )
        made.append(f"<section><h3>{escape(studies.load(study).title)}</h3>{strips}</section>")
    return f'<div class="rs-overview"><div class="rs-mini rs-key"><span></span>{axis()}<b></b></div>{"".join(made)}</div>'


def claims_page(lines) -> str:
    """Return the body of the page of claims as Markdown: every claim by study, with its verdict for each population."""
    from robustshape import studies
    from robustshape.analysis import claims
    from robustshape.analysis.strips import strips

    made, study = [], None
    for name, claim in claims.load().items():
        if claim.study != study:
            study = claim.study
            made.append(f"## {studies.load(study).title}\n")
        own = of_claim(lines, claim)
        why = f" ({plain(claim.smallest_effect_why)})" if claim.smallest_effect_why else ""
        facts = [
            ("Source", claim.source), ("Judged by", claim.quantity), ("Claimed", claim.claimed),
            ("Decided by", f"{claim.population}, with at least {claim.fewest_units} of: {claim.unit}"),
            ("Of whom the paper speaks", claim.paper_population), ("Formerly judged by", claim.formerly),
            ("Restated", claim.restated),
        ]  # fmt: skip
        told = "\n".join(f"- {what}: {plain(words)}" for what, words in facts if words)
        shown = strips(own.assign(statement=own["preset"]).set_index("preset", drop=False))
        made.append(
            f"({name})=\n### {name}\n\n{plain(claim.statement)}\n\n{shown.html}\n\n"
            f":::{{dropdown}} Where it comes from, how it is judged, when it was restated\n{told}\n"
            f"- Smallest effect that would matter: {claim.smallest_effect:g}{why}\n:::\n"
        )
    return "\n".join(made)


def verdicts_table(lines) -> bytes:
    """Return a line for each claim as CSV: its estimate, its verdict, and the power of its population."""
    import pandas as pd

    from robustshape.analysis import claims
    from robustshape.analysis.verdicts import summary

    deciding = pd.concat([of_claim(lines, claim).iloc[:1] for claim in claims.load().values()])
    shown = summary(deciding.set_index("claim"))
    return table(list(shown), shown.itertuples(index=False))


def cards(lines, root: Path) -> str:
    """Return the studies' cards for the first page as Markdown: a picture, the question, and the computed answer.

    The answer is that of the first page of each study in the table of contents.
    """
    from robustshape.analysis.answers import answer
    from robustshape.store.results import published_file, read_published

    made = []
    for page, title in first_pages(root).items():
        study, preset = page.removeprefix("executed/").split(".")
        own_words = importlib.import_module(f"robustshape.studies.{study}.answer")
        if not hasattr(own_words, "QUESTIONS"):
            continue  # a page without claims has no card
        say = getattr(own_words, "answer", answer)
        if not published_file(study, preset).is_file():
            continue
        own = lines[(lines["study"] == study) & (lines["rows"] == preset)].set_index("claim")
        words = say(own_words.QUESTIONS, own, read_published(study, preset))
        picture = sorted((root / "book" / "figures").glob(f"{study}.{preset}.{_first_figure(root, study)}.*"))
        image = (
            f"![First figure of: {plain(title)}]({picture[0].relative_to(root / 'book')})\n\n"
            if picture
            else ""
        )
        made.append(
            f":::{{grid-item-card}} {title}\n:link: {page}\n:link-type: doc\n\n{image}{plain(words)}\n:::\n"
        )
    return "::::{grid} 1 1 2 2\n:gutter: 3\n\n" + "\n".join(made) + "::::\n"


def _first_figure(root: Path, study: str) -> str:
    """Return the name of the first figure of a study's notebook."""
    cells = json.loads((root / "notebooks" / f"{study}.ipynb").read_text(encoding="utf-8"))["cells"]
    tags = [tag for cell in cells for tag in cell["metadata"].get("tags", []) if tag.startswith("figure:")]
    return tags[0].partition(":")[2] if tags else ""
