"""What studies of a set of networks share: the networks, their clean features, their robustness.

The images of an indicator and those of the robustness are disjoint parts of the test split, so that no
chance of one image enters both sides of a correlation.
"""

from dataclasses import dataclass
from functools import cached_property

from robustshape import features, robustness, tasks
from robustshape.corruptions import VERSION as CORRUPTIONS_VERSION
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError
from robustshape.store.keys import key_of
from robustshape.studies import as_list


@dataclass(frozen=True)
class Population:
    """The networks of a study and the images they are measured on."""

    models: tuple[str, ...]
    dataset: str
    n_samples: int
    n_robustness: int
    corruptions: tuple[str, ...]
    severities: tuple[int, ...]
    epochs: int  # of training; 0 leaves it to the recipe
    seed: int
    reading: str | None = None  # of the images, see robustshape.datasets.load; None: the data set's own
    constants: str = "auto"  # of the corruptions, see robustshape.corruptions.corrupt

    @classmethod
    def of(
        cls, *, models, dataset, n_samples, n_robustness, corruptions, severities, epochs, seed,
        reading=None, constants="auto",
    ):  # fmt: skip
        """Check a notebook's parameters and return the Population they describe."""
        from robustshape import corruptions as known
        from robustshape.corruptions import CORRUPTIONS
        from robustshape.datasets import DATASETS

        DATASETS[dataset]  # an unknown name raises with the closest three
        names = as_list(corruptions, "corruptions")
        names = list(known.STANDARD) if names == ["standard"] else names
        for name in names:
            CORRUPTIONS[name]
        severities = as_list(severities, "severities", int)
        if any(not 1 <= severity <= 5 for severity in severities):
            raise InputError(f"severities run from 1 to 5, but {severities} were given")
        if epochs < 0:
            raise InputError(f"epochs is 0 (the recipe's own) or more, but was {epochs}")
        for name, n in (("n_samples", n_samples), ("n_robustness", n_robustness)):
            if n < 1:
                raise InputError(f"{name} is at least 1, but was {n}")
        population = cls(
            tuple(as_list(models, "models")), dataset, n_samples, n_robustness, tuple(names),
            tuple(severities), epochs, seed, reading, constants,
        )  # fmt: skip
        known_as = {}
        for model in population.models:  # an unknown model raises before anything is computed
            key = key_of(population.identity(model))
            if key in known_as:
                raise InputError(f"{known_as[key]!r} and {model!r} are the same network; name it once")
            known_as[key] = model
        return population

    @cached_property
    def selections(self) -> list[Selection]:
        """The images of the indicator, and those of the robustness: no image in both."""
        return Selection.parts(
            self.dataset, (self.n_samples, self.n_robustness), seed=self.seed, reading=self.reading
        )

    def options(self, model: str) -> tuple:
        """Return the (name, value) pairs that `models.load` takes for `model`: only our own are trained."""
        ours = (("dataset", self.dataset), ("epochs", self.epochs or None), ("reading", self.reading))
        return ours if model.startswith("zoo:") else ()

    def _corrupted(self) -> tuple:
        """Return the arguments that follow a model's in the calls of `robustness`."""
        return self.selections[1], self.corruptions, self.severities, self.seed, self.constants

    def identity(self, model: str) -> dict:
        """Return what defines the network."""
        from robustshape import models

        return models.identity(model, **dict(self.options(model)))

    def specification(self, model: str) -> dict:
        """Return what defines the common part of a model's row."""
        indicator, held_out = self.selections
        return {
            "model": self.identity(model),
            "indicator images": indicator.identity(),
            "robustness images": held_out.identity(),
            "corruptions": list(self.corruptions),
            "severities": list(self.severities),
            "seed": self.seed,
            "constants": self.constants,
            "version": [features.VERSION, robustness.VERSION, CORRUPTIONS_VERSION],
        }

    def prepare(self, models: list[str], client=None) -> None:
        """Train what is not trained, and keep all features and corrupted predictions; resumes."""
        pairs = [(model, self.options(model)) for model in models]
        for pair in pairs:
            if not pair[0].startswith("zoo:"):
                features.check(*pair, self.selections[0])  # what does not fit shows before others are trained
        fresh = len(self._untrained(models)) == len(models)  # a pace is that of networks all trained now
        tasks.run(
            features.ready,
            sorted(pairs, key=lambda pair: "-pgd" not in pair[0]),  # the longest begin first
            client=client,
            label="networks (trained once, then kept)",
            pace=self._pace("networks") if fresh else None,
        )
        pieces = [
            call
            for selection in self.selections
            for pair in pairs
            for call in features.missing_pieces(*pair, selection)
        ]
        tasks.run(
            features.compute_piece, pieces, client=client, label="clean features", pace=self._pace("features")
        )
        calls = robustness.missing(pairs, *self._corrupted())
        tasks.run(
            robustness.predict, calls, client=client, label="corruptions", pace=self._pace("corruptions")
        )

    def features(self, model: str):
        """Return the finished features of the indicator's images, in memory."""
        return features.open_features(model, self.options(model), self.selections[0]).load()

    def correct(self, model: str):
        """Return which robustness images are classified rightly: clean (sample,), corrupted (..., sample)."""
        options, held_out = self.options(model), self.selections[1]
        clean = features.open_features(model, options, held_out)
        corrupted = robustness.correct(model, options, *self._corrupted())
        return (clean["logits"].argmax("class") == clean["label"]).values, corrupted.values

    def row(self, model: str):
        """Return the part of a model's row that every study has: accuracies and what the model is.

        Returns
        -------
        xarray.Dataset
            ``accuracy`` on the robustness images, ``indicator_accuracy`` on the indicator's images,
            ``corrupted_accuracy (corruption, severity)``; family, recipe, trains_on, data, provenance.
        """
        import xarray

        from robustshape.store.provenance import provenance

        options, indicator = self.options(model), self.selections[0]
        clean = [features.open_features(model, options, part) for part in self.selections]
        right = robustness.correct(model, options, *self._corrupted())
        classifier = features.load_classifier(model, options)
        about = classifier.about
        row = xarray.Dataset({"corrupted_accuracy": right.mean("sample", keep_attrs=False)})
        return row.assign(
            indicator_accuracy=features.accuracy(clean[0]),
            accuracy=features.accuracy(clean[1]),
            family=about.get("family", model),
            recipe=about.get("recipe", ""),
            trains_on=",".join(about.get("trains_on", ())),
            training_seed=classifier.identity.get("seed", -1),
            layer=classifier.head,
            preprocessing=classifier.preprocessing(),
            reading=str(indicator.load().attrs["reading"]),
            dataset=self.dataset,
            checksum=indicator.load().attrs["checksum"],
            n_samples=self.n_samples,
            n_robustness=self.n_robustness,
            seed=self.seed,
            feature_time_s=sum(store.attrs["seconds"] for store in clean),
            corruption_time_s=right.attrs["seconds"],
            **provenance(),
        )

    def _pace(self, stage: str) -> str:
        return f"{stage}, {self.dataset}, {self.n_robustness} images, {len(self.severities)} severities"

    def _untrained(self, names: list[str]) -> list[str]:
        from robustshape import models

        return [name for name in names if not models.is_ready(name, **dict(self.options(name)))]

    def cost(self, missing: list[str]) -> str:
        """Return a sentence on what is still to be computed, for a reader to see before it starts."""
        pairs = [(model, self.options(model)) for model in missing]
        untrained = len(self._untrained(missing))
        pieces = sum(len(features.missing_pieces(*pair, s)) for pair in pairs for s in self.selections)
        calls = robustness.missing(pairs, *self._corrupted())
        images = sum(len(call[0]) for call in calls) * len(self.severities) * self.n_robustness
        work = {"networks": untrained, "features": pieces, "corruptions": len(calls)}
        return (
            f"{len(missing)} of {len(self.models)} rows to measure: {untrained} networks to train, "
            f"{images:,} corrupted images to classify; "
            + tasks.expected({self._pace(stage): n for stage, n in work.items()})
        )
