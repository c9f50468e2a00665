"""The pages of the book: which there are, made by the strict page builder, and checked to load nothing from outside."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from robustshape.errors import StoreError


def titles(root: Path) -> dict[str, str]:
    """Return the title that the table of contents gives every page, in order; "" where it leaves it to the page."""
    import yaml

    def entries(node):
        if isinstance(node, list):
            for item in node:
                yield from entries(item)
        elif isinstance(node, dict):
            for key in ("root", "file"):
                if key in node:
                    yield node[key], node.get("title", "")
            for key, inner in node.items():
                if key not in ("root", "file", "title"):
                    yield from entries(inner)

    return dict(entries(yaml.safe_load((root / "book" / "_toc.yml").read_text(encoding="utf-8"))))


def first_pages(root: Path) -> dict[str, str]:
    """Return the pages of executed notebooks that are no page's child, the first of each study, with their titles."""
    import yaml

    toc = yaml.safe_load((root / "book" / "_toc.yml").read_text(encoding="utf-8"))
    chapters = toc.get("chapters", []) + [
        c for part in toc.get("parts", []) for c in part.get("chapters", [])
    ]
    return {c["file"]: c.get("title", "") for c in chapters if c.get("file", "").startswith("executed/")}


def glossary(root: Path) -> dict[str, str]:
    """Return the terms of ``book/glossary.md`` by their lower case; none where the book has no such page."""
    path = root / "book" / "glossary.md"
    inside = path.read_text(encoding="utf-8").partition(":::{glossary}\n")[2] if path.is_file() else ""
    terms = [line for line in inside.partition("\n:::")[0].splitlines() if line and not line.startswith(" ")]
    return {term.lower(): term for term in terms}


def loaded_from_outside(html: Path) -> list[str]:
    """Return the addresses of other hosts from which a page or style sheet under `html` would load something."""
    tags = re.compile(
        r"<(?:script|link|img|iframe|video|audio|source)\b[^>]*?\b(?:src|href)=[\"']?((?:https?:)?//[^\"'\s>]+)"
    )
    harmless = re.compile(r"<link\b[^>]*rel=[\"']?(?:canonical|license|author)[^>]*>")
    styles = re.compile(r"(?:url\(|@import\s+)\s*[\"']?((?:https?:)?//[^\"')\s;]+)")
    found = []
    for path in sorted([*html.rglob("*.html"), *html.rglob("*.css")]):
        text = harmless.sub("", path.read_text(encoding="utf-8", errors="replace"))
        pattern = styles if path.suffix == ".css" else tags
        found += [f"{path.relative_to(html)}: {address}" for address in pattern.findall(text)]
    return found


def drop_old_pages(html: Path, pages) -> None:
    """Delete pages under `html` that the book has no more: the page builder leaves them, and old addresses would open."""
    kept = {*pages, "genindex", "py-modindex", "search"}  # the last three it makes by itself
    for path in html.rglob("*.html"):
        page = path.relative_to(html).with_suffix("").as_posix()
        if page not in kept and not page.startswith("_"):
            path.unlink()


def forget_pages(root: Path) -> None:
    """Make the page builder read every page again."""
    shutil.rmtree(root / "_build" / ".doctrees", ignore_errors=True)


def make_html(root: Path) -> Path:
    """Run the strict page builder and return ``index.html``; raise StoreError with its warnings if it fails."""
    html = root / "_build" / "html"
    command = [
        str(Path(sys.executable).with_name("jupyter-book")),
        "build",
        "book",
        "--config",
        "_config.yml",
    ]
    command += ["--path-output", ".", "-W", "-n", "--keep-going", "-q"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    listed = titles(root)
    missing = [page for page in listed if not (html / f"{page}.html").is_file()]
    outside = loaded_from_outside(html)
    if done.returncode == 0 and not missing and not outside:
        drop_old_pages(html, listed)
        return html / "index.html"
    forget_pages(root)  # what was read with a warning would pass in silence the next time
    if done.returncode:
        raise StoreError(f"the book was not built; what the page builder says:\n{done.stdout}\n{done.stderr}")
    if missing:
        raise StoreError(f"the book was built without these pages of book/_toc.yml: {', '.join(missing)}")
    raise StoreError("pages of the book load from other hosts:\n" + "\n".join(sorted(set(outside))))
