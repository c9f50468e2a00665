"""Accuracy under seven corruptions at five severities, for classifiers and ways of reading the digits.

The slides of Le Coz, Herbin, Adjed (2022, arXiv 2410.12814) print such a table for one classifier trained on
clean MNIST, without saying which classifier or how the 28-pixel digits were read. So several of both are
measured, to see which fits. A row is one classifier with one reading, called ``zoo:mlp pad32``.
"""

from dataclasses import dataclass

from robustshape.errors import InputError
from robustshape.measurements.population import Population
from robustshape.models import names, source_of
from robustshape.models.network import Network
from robustshape.registry import unknown_name
from robustshape.studies.study import Settings, Study
from robustshape.values import as_list


@dataclass(frozen=True)
class ProfileSettings(Settings):
    """The study's own parameters, explained in its notebook."""

    readings: tuple[str, ...]

    decided = ("reading", "robustness_reading", "n_samples")

    def rows(self, models) -> dict[str, tuple[str, dict]]:
        """Return a row for each network and reading; the images are those of the robustness alone."""
        for model in as_list(models, "models"):
            if not source_of(model).trained_here:
                raise unknown_name("model of this study", model, names("zoo:*"), "robustshape list models")
        return {
            f"{model} {reading}": (model, {"reading": reading, "robustness_reading": reading, "n_samples": 0})
            for reading in as_list(self.readings, "readings")
            for model in as_list(models, "models")
        }

    def check(self, population: Population) -> "ProfileSettings":
        """Raise InputError if a corruption is not in the reported table, which the rows are compared with."""
        from robustshape.studies.severity_profile.analyse import reported

        printed = [str(name) for name in reported().corruption.values]
        for corruption in population.corruptions:
            if corruption not in printed:
                raise InputError(
                    f"the reported table has no {corruption!r}; it has {', '.join(printed)}: leave it out of corruptions"
                )
        return self

    def key(self, population: Population, network: Network) -> dict:
        """Return nothing: the reading is that of the images."""
        return {}


def row(population: Population, network: Network, settings: ProfileSettings):
    """Return nothing beside what every study's row has: accuracy under each corruption and severity."""
    import xarray

    return xarray.Dataset()


STUDY = Study(
    name="severity_profile",
    title="Do our corrupted digits fail like the published ones? (severity profile)",
    settings=ProfileSettings,
    row=row,
    variables={},
    quantities=("accuracy", "corrupted_accuracy"),
)
