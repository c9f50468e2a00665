"""Indicators: numbers read from clean features that may foretell how a classifier fails.

Each is a pure function of arrays in a module here. Those that are one number for each network enter themselves in
`INDICATORS`, and are measured wherever indicators are: a new one is one module with one decorated function.

>>> INDICATORS.names("*_purity"), INDICATORS.about("neural_collapse")["symbol"]
(['kmeans_purity', 'multicut_purity'], 'NC1')
"""

from robustshape.indicators.describing import describe
from robustshape.indicators.registered import INDICATORS, value

__all__ = ["INDICATORS", "describe", "value"]
