"""Stores: entries keyed by what defines their numbers, written beside and renamed, checked when read."""
