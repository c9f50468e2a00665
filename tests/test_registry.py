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
