"""A stage of a ladder of attacks, in words: ``pgd linf 2/255 8/255 on 1000``."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from robustshape.attacks import ATTACKS, NORMS
from robustshape.errors import InputError
from robustshape.registry import unknown_name

FORM = "ATTACK NORM BUDGET... [on N], such as 'pgd linf 2/255 8/255 on 1000'"


@dataclass(frozen=True)
class Stage:
    """One attack at some budgets on the first `n` images.

    Attributes
    ----------
    name : str
        Of an attack; see ``robustshape list attacks``.
    norm : "linf" or "l2"
    budgets : tuple of Fraction
        Radii of the balls in units of the pixel range 1, ascending.
    n : int, optional
        Number of images; None = all.

    Examples
    --------
    >>> stage = Stage.parse("pgd linf 2/255 8/255 on 1000")
    >>> stage.labels, stage.n, float(stage.budgets[1])
    (('pgd linf 2/255', 'pgd linf 8/255'), 1000, 0.03137254901960784)
    >>> str(Stage.parse("autoattack  l2 0.50"))
    'autoattack l2 0.5'
    """

    name: str
    norm: str
    budgets: tuple[Fraction, ...]
    n: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Stage":
        """Return the Stage that `text` describes, or raise InputError with what is allowed."""
        if not isinstance(text, str):
            raise InputError(f"a stage of attacks is written {FORM}, not {text!r}")
        words, on, count = text.strip().partition(" on ")
        name, *rest = words.split() or [""]
        ATTACKS[name]  # an unknown name raises with the closest
        if len(rest) < 2:
            raise InputError(f"the stage {text!r} is incomplete; it is written {FORM}")
        norm, *budgets = rest
        if norm not in NORMS:
            raise unknown_name("norm", norm, NORMS, f"one of {', '.join(NORMS)}; a stage is {FORM}")
        return cls(name, norm, _budgets(text, norm, budgets), _count(text, count) if on else None)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each budget is called: ``pgd linf 2/255``."""
        return tuple(f"{self.name} {self.norm} {in_words(budget)}" for budget in self.budgets)

    def __str__(self) -> str:
        budgets = " ".join(in_words(budget) for budget in self.budgets)
        return f"{self.name} {self.norm} {budgets}" + (f" on {self.n}" if self.n else "")


def ladder(texts) -> tuple[Stage, ...]:
    """Return the stages that `texts` describe; the same attack at the same budget twice is refused.

    >>> [stage.name for stage in ladder(["pgd linf 8/255", "apgd linf 8/255 on 256"])]
    ['pgd', 'apgd']
    """
    if isinstance(texts, str):
        raise InputError(f"attacks are a list of stages, each written {FORM}, not the text {texts!r}")
    stages = tuple(Stage.parse(text) for text in texts)
    seen = set()
    for label in (label for stage in stages for label in stage.labels):
        if label in seen:
            raise InputError(f"the attack {label!r} is asked for twice; leave one out")
        seen.add(label)
    return stages


def in_words(budget: Fraction) -> str:
    """Return a budget as people write it: grey levels of 255 where it is no short decimal.

    >>> in_words(Fraction(2, 255)), in_words(Fraction("0.5")), in_words(Fraction(1, 3))
    ('2/255', '0.5', '85/255')
    """
    if Fraction(repr(float(budget))) == budget:
        return f"{float(budget):g}" if Fraction(f"{float(budget):g}") == budget else repr(float(budget))
    return f"{budget * 255}/255" if (budget * 255).denominator == 1 else str(budget)


def _budgets(text: str, norm: str, words) -> tuple[Fraction, ...]:
    budgets = []
    for word in words:
        try:
            budget = Fraction(word)
        except (ValueError, ZeroDivisionError) as error:
            raise InputError(
                f"the budget {word!r} of {text!r} is not a fraction or a number; a stage is written {FORM}"
            ) from error
        if budget <= 0:
            raise InputError(f"the budget {word} of {text!r} must be above 0")
        if norm == "linf" and budget >= 1:
            raise InputError(
                f"the budget {word} of {text!r} is the whole pixel range, which is 1; perhaps {word}/255 is meant"
            )
        budgets.append(budget)
    if any(later <= earlier for earlier, later in pairwise(budgets)):
        raise InputError(f"the budgets of {text!r} must ascend, each given once")
    return tuple(budgets)


def _count(text: str, word: str) -> int:
    word = word.strip()
    if not word.isdecimal() or int(word) < 1:
        raise InputError(
            f"the number of images of {text!r} must be a whole number of at least 1, not {word!r}"
        )
    return int(word)
