"""The comparison of indicators: every registered one on the same draws of classes, beside accuracy and robustness."""

from dataclasses import dataclass

from robustshape.errors import InputError
from robustshape.measurements.draws import class_draws
from robustshape.measurements.indicators import OnDraws
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.paths import require_checkout
from robustshape.studies.study import Settings, Study


@dataclass(frozen=True)
class ComparisonSettings(Settings):
    """The study's own parameters, explained in its notebook."""

    n_classes: int
    per_class: int
    n_draws: int
    layer: str
    normalise: bool

    def check(self, population: Population) -> "ComparisonSettings":
        """Return the settings, or raise InputError where nothing can be compared or drawn."""
        if not population.corruptions:
            raise InputError(
                "what is predicted is accuracy under corruption, so corruptions names at least one"
            )
        if self.n_draws < 1:
            raise InputError(f"n_draws is at least 1, but was {self.n_draws}")
        class_draws(
            population.clean.load()["label"].values, n_classes=self.n_classes, per_class=self.per_class, n_draws=1,
            seed=population.seed,
        )  # fmt: skip
        return self


def indicators(population: Population, settings: ComparisonSettings) -> OnDraws:
    """Return where every registered indicator is measured."""
    how = settings.n_classes, settings.per_class, settings.n_draws, settings.layer, settings.normalise
    return OnDraws(population.clean, *how)


def row(population: Population, network: Network, settings: ComparisonSettings):
    """Return on what indicators are measured; they are parts of the row, and robustness is in every study's."""
    import xarray

    return xarray.Dataset(
        {
            "n_classes": settings.n_classes,
            "per_class": settings.per_class,
            "compared_layer": settings.layer,
            "normalised": settings.normalise,
        }
    )


def published(preset: str, rows) -> None:
    """Keep the calibration of the published comparison, see `prediction`."""
    from robustshape.studies.indicator_comparison.calibration import FILE, write
    from robustshape.studies.indicator_comparison.prediction import POPULATION, calibrate

    if preset == POPULATION:
        write(calibrate(rows), require_checkout("publishing") / FILE)


VARIABLES = {
    "indicator_value": ("a registered indicator on a draw", ""),
    "indicator_seconds": ("time that an indicator takes on a draw", "s"),
    "n_classes": ("classes of a draw; 0: half of those that there are", "classes"),
    "per_class": ("images of each class in a draw", "images"),
    "compared_layer": ("layer whose features indicators are read from", ""),
    "normalised": ("whether features have length 1", ""),
}

STUDY = Study(
    name="indicator_comparison",
    title="Which number of clean features should I trust? (all indicators compared)",
    settings=ComparisonSettings,
    row=row,
    variables=VARIABLES,
    coordinates={"indicator": ("registered indicator", "")},
    quantities=("indicator_value", "accuracy", "corrupted_accuracy", "robust_accuracy"),
    parts=indicators,
    along="indicator",
    published=published,
)
