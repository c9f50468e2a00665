"""Attacks on any torch module whose inputs lie in [0, 1]."""
