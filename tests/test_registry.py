"""Named entries: no name twice, the closest of an unknown one, facts checked, modules that enter themselves."""

import importlib
import sys
from dataclasses import dataclass

import pytest

from robustshape.errors import InputError
from robustshape.registry import Registry, closest


def test_refuses_a_name_twice():
    shapes = Registry("shape", "list shapes")
    shapes.register("disk")(object())
    with pytest.raises(InputError, match="shape 'disk' is registered twice"):
        shapes.register("disk")


def test_unknown_name_says_the_closest_three_and_how_to_list():
    shapes = Registry("shape", "list shapes")
    for name in ("disk", "dish", "dusk", "square"):
        shapes.register(name)(object())
    with pytest.raises(
        InputError, match=r"unknown shape 'disq'; closest: dis[kh], dis[kh], dusk; .*list shapes"
    ):
        shapes["disq"]


def test_lists_sorted_and_by_pattern():
    shapes = Registry("shape", "list shapes")
    for name in ("b2", "a1", "b1"):
        shapes.register(name, sides=int(name[1]))(name.upper())
    assert shapes.names() == list(shapes) == ["a1", "b1", "b2"]
    assert shapes.names("b*") == ["b1", "b2"]
    assert shapes["b2"] == "B2" and shapes.about("b2") == {"sides": 2} and "a2" not in shapes


def test_closest_of_nothing_alike_still_offers_what_there_is():
    assert closest("zzz", ["alpha", "beta"]) != []
    assert closest("x", []) == []


@dataclass(frozen=True)
class Facts:
    """What is said of a shape."""

    sides: int
    names: tuple
    about: str = "a shape"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (dict(names=()), "shape 'disk' lacks a fact: .*'sides'"),
        (dict(sides=0, names=(), abuot="x"), "shape 'disk': unknown fact 'abuot'; closest: about"),
        (dict(sides="none", names=()), "shape 'disk': sides is of type int, but was 'none'"),
        (dict(sides=0, names=["disk"]), r"shape 'disk': names is of type tuple, but was \['disk'\]"),
    ],
)
def test_facts_are_checked_when_an_entry_is_registered(facts, words):
    shapes = Registry("shape", "list shapes", facts=Facts)
    with pytest.raises(InputError, match=words):
        shapes.register("disk", **facts)
    assert "disk" not in shapes
    shapes.register("disk", sides=0, names=("round",))(object())
    assert shapes.about("disk") == {"sides": 0, "names": ("round",), "about": "a shape"}
    shapes.about("disk")["sides"] = 9
    assert shapes.about("disk")["sides"] == 0


@pytest.mark.parametrize(
    "ask",
    [
        lambda shapes: shapes["disk"],
        lambda shapes: "disk" in shapes,
        lambda shapes: list(shapes) == ["disk", "square"],
        lambda shapes: len(shapes) == 2,
        lambda shapes: shapes.names("d*") == ["disk"],
        lambda shapes: shapes.about("square") == {"sides": 4},
    ],
)
def test_modules_enter_themselves_when_the_registry_is_first_looked_at(tmp_path, monkeypatch, ask):
    name = f"shapes_{tmp_path.name}".replace("-", "_")
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("from robustshape.registry import Registry\n"
                                        f"SHAPES = Registry('shape', 'list shapes', package={name!r})\n")  # fmt: skip
    (folder / "round.py").write_text(f"from {name} import SHAPES\nSHAPES.register('disk', sides=0)(1)\n")
    (folder / "straight.py").write_text(f"from {name} import SHAPES\nSHAPES.register('square', sides=4)(1)\n")
    (folder / "nothing.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    shapes = importlib.import_module(name).SHAPES
    assert f"{name}.round" not in sys.modules
    assert ask(shapes) and f"{name}.nothing" in sys.modules
