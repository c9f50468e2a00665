"""The explorer page: every published network with its indicators and its robustness, as data that the page draws.

The page computes r and partial r itself for whatever is shown, as `statistics.centring.correlate_over_families` does.
Its template is ``book/_snippets/explorer.html``; its scripts and style lie in ``book/_look``.
"""

import json

import numpy as np

from robustshape.analysis import style
from robustshape.book.explorer_columns import indicators, targets
from robustshape.paths import require_checkout
from robustshape.store import results

DIGITS = 5  # significant ones of a number on the page
ACCURACY = (
    "clean",
    "clean accuracy",
    "share of right predictions on the images that indicators are read from",
)


def fragment() -> bytes:
    """Return the page's HTML with the data inside."""
    template = (require_checkout("the book") / "book" / "_snippets" / "explorer.html").read_text("utf-8")
    return template.replace("EXPLORER_DATA", as_script(data())).encode()


def as_script(value) -> str:
    """Return JSON that can stand in a script element, whatever names are in it.

    >>> as_script({"name": "</script><svg onload>"})
    '{"name":"\\\\u003c/script>\\\\u003csvg onload>"}'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def data() -> dict:
    """Return every published population, the palette, and Student's t for the intervals.

    Returns
    -------
    dict
        ``populations``, a list of `population` in the order of presets and studies; ``first``, the index of the one with
        the most families that has R and the purity of both clusterings; ``palette``, colours as hex; ``students_t``,
        the 97.5 % quantile by degrees of freedom, from 0 to that of the most families.
    """
    import seaborn as sns
    from scipy.stats import t

    from robustshape import studies

    found = [
        population(studies.load(study).described(results.read_published(study, preset)))
        for study in studies.names()
        for preset in results.published_presets(study)
    ]
    found.sort(key=lambda one: (one["preset"], one["study"]))
    degrees = range(1, max((one["n_families"] for one in found), default=1) + 1)
    return {
        "populations": found,
        "first": max(range(len(found)), key=lambda i: _worth_showing(found[i]), default=0),
        "palette": sns.color_palette("colorblind").as_hex(),
        "recipes": [words[0] for words in style.RECIPES.values()],
        "students_t": [None, *[float(t.ppf(0.975, n)) for n in degrees]],
    }


def _worth_showing(one: dict) -> tuple:
    names = {column["name"] for column in one["indicators"] + one["targets"]}
    return {"p_purity", "R"} <= names, one["n_families"], len(one["networks"])


def population(rows) -> dict:
    """Return the networks of a study's published rows with every indicator and every robustness.

    Returns
    -------
    dict
        ``preset``, ``study``; ``networks``, a list with ``name``, ``family``, ``clan``, ``recipe`` in words, the images of
        indicator and robustness (``n``) and ``clean`` accuracy; ``indicators`` and ``targets``, lists of columns with
        ``name``, ``label``, ``about`` and ``values``, one a network and None where there is none. Those that were
        measured for no network are left out.
    """
    from robustshape.models import short_name

    own = indicators(rows)
    clean = rows["indicator_accuracy" if own else "accuracy"].values.astype(float)
    families = rows["family"].values.astype(str)
    sizes = zip(rows["n_samples" if own else "n_robustness"].values, rows["n_robustness"].values)
    networks = [
        {
            "name": short_name(str(model)),
            "family": family_words(family),
            "clan": clan_of(family),
            "recipe": style.trained([recipe])[0],
            "n": [int(n) for n in n],
            "clean": _rounded(accuracy),
        }
        for model, family, recipe, n, accuracy in zip(rows.model.values, families, rows["recipe"].values, sizes, clean)
    ]  # fmt: skip
    accuracy = (*ACCURACY, clean)
    return {
        "preset": rows.attrs["preset"],
        "study": rows.attrs["study"].replace("_", " ").replace("kstar", "k*"),
        "n_families": len({one["family"] for one in networks}),
        "networks": networks,
        "indicators": _columns([*own, accuracy]),
        "targets": _columns([*targets(rows, clean), accuracy]),
    }


def _columns(named) -> list[dict]:
    known = [(*words, np.asarray(values, float)) for *words, values in named]
    return [
        {"name": name, "label": label, "about": about, "values": [_rounded(v) for v in values]}
        for name, label, about, values in known
        if np.isfinite(values).any()
    ]


def _rounded(value):
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None


def family_words(family: str) -> str:
    """Return a family's title.

    >>> family_words("cifar_resnet"), family_words("levit"), family_words("mine")
    ('CIFAR ResNet', 'LeViT', 'mine')
    """
    from robustshape.models.families import FAMILIES

    known = FAMILIES[family].title if family in FAMILIES else family
    return style.FAMILIES.get(family, (known,))[0]


def clan_of(family: str) -> str:
    """Return the clan of a family of ours, "other" of another.

    >>> clan_of("lenet"), clan_of("squeezenet_of_torchvision")
    ('conv, plain', 'other')
    """
    from robustshape.models.families import FAMILIES

    return next((one.clan for one in FAMILIES.values() if family in (one.family, one.name)), "other")
