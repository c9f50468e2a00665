"""The book: `runs` of notebooks, their `outputs` and `tables`, and the `pages` made of them by `build_book`."""

from robustshape.book.build import build_book

__all__ = ["build_book"]
