"""What studies of a set of networks share: the networks, their clean features, their robustness.

The images of an indicator and those of the robustness are disjoint parts of a test split, or of two data sets,
so that no chance of one image enters both sides of a correlation.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from robustshape import features, robustness
from robustshape.attacks.stages import Stage, ladder
from robustshape.corruptions import VERSION as CORRUPTIONS_VERSION
from robustshape.datasets.selection import Selection
from robustshape.errors import InputError
from robustshape.robustness import attacked
from robustshape.store.keys import key_of
from robustshape.studies import as_list


def options_of(model: str, *, dataset: str, epochs: int, reading: str | None) -> tuple:
    """Return the (name, value) pairs that `models.load` takes for a model, those that a cluster can be handed.

    Our own networks are trained on the data set; those that read prompts need the names of its classes.

    >>> options_of("zoo:mlp", dataset="digits", epochs=0, reading=None)
    (('dataset', 'digits'), ('epochs', None), ('reading', None))
    >>> options_of("timm:resnet50.a1_in1k", dataset="imagenet", epochs=0, reading=None)
    ()
    """
    ours = (("dataset", dataset), ("epochs", epochs or None), ("reading", reading))
    return {"zoo": ours, "openclip": ours[:1]}.get(model.partition(":")[0], ())


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
    attacks: tuple[Stage, ...] = ()  # a ladder, see robustshape.robustness.attacked
    corrupted: str = robustness.GENERATED  # or stored: see robustshape.robustness.corrupted
    robustness_dataset: str = ""  # of the robustness images, where it is not `dataset`
    robustness_reading: str | None = None  # of the robustness images, where it is not `reading`

    @classmethod
    def of(
        cls, *, models, dataset, n_samples, n_robustness, corruptions, severities, epochs, seed,
        reading=None, constants="auto", attacks=(), corrupted=robustness.GENERATED, robustness_dataset="",
        robustness_reading=None,
    ):  # fmt: skip
        """Check a notebook's parameters and return the Population they describe."""
        from robustshape import corruptions as known
        from robustshape.corruptions import CORRUPTIONS
        from robustshape.datasets import DATASETS

        for name in filter(None, (dataset, robustness_dataset)):
            DATASETS[name]  # an unknown name raises with the closest three
        names = as_list(corruptions, "corruptions", empty=True)
        names = list(known.STANDARD) if names == ["standard"] else names
        for name in names:
            CORRUPTIONS[name]
        severities = as_list(severities, "severities", int)
        if any(not 1 <= severity <= 5 for severity in severities):
            raise InputError(f"severities run from 1 to 5, but {severities} were given")
        if epochs < 0:
            raise InputError(f"epochs is 0 (the recipe's own) or more, but was {epochs}")
        stages = ladder(as_list(attacks, "attacks", empty=True))
        if seed < 0:
            raise InputError(f"seed is a whole number from 0, but was {seed}")
        if n_samples < 1:
            raise InputError(f"n_samples is at least 1, but was {n_samples}")
        if n_robustness < (1 if names or stages else 0):
            raise InputError(
                f"n_robustness is at least 1, but was {n_robustness}; it may be 0 only without corruptions and attacks"
            )
        population = cls(
            tuple(as_list(models, "models")), dataset, n_samples, n_robustness, tuple(names),
            tuple(severities), epochs, seed, reading or None, constants, stages, corrupted,
            robustness_dataset, robustness_reading or None,
        )  # fmt: skip
        robustness.check(population.held_out, population.corruptions, population.severities, corrupted)
        if stages:
            attacked.tries(stages, population.held_out)  # more images than there are raise
        known_as = {}
        for model in population.models:  # an unknown model raises before anything is computed
            key = key_of(population.identity(model))
            if key in known_as:
                raise InputError(f"{known_as[key]!r} and {model!r} are the same network; name it once")
            known_as[key] = model
        return population

    @cached_property
    def selections(self) -> list[Selection]:
        """The images of the indicator and, if any, those of the robustness: no image in both."""
        if self.n_robustness and self.robustness_dataset not in ("", self.dataset):
            indicator = self.dataset, (self.n_samples,), self.reading
            held_out = self.robustness_dataset, (self.n_robustness,), self.robustness_reading
            return [Selection(name, n, 0, self.seed, reading=how) for name, n, how in (indicator, held_out)]
        sizes = (self.n_samples, self.n_robustness) if self.n_robustness else (self.n_samples,)
        parts = Selection.parts(self.dataset, sizes, seed=self.seed, reading=self.reading)
        if self.robustness_reading:
            parts[1:] = [replace(part, reading=self.robustness_reading) for part in parts[1:]]
        return parts

    @property
    def held_out(self) -> Selection:
        """The images of the robustness; where there are none, accuracy is that on the indicator's."""
        return self.selections[-1]

    def options(self, model: str) -> tuple:
        """Return the (name, value) pairs that `models.load` takes for `model`; see `options_of`."""
        return options_of(model, dataset=self.dataset, epochs=self.epochs, reading=self.reading)

    def corrupted_how(self) -> tuple:
        """Return the arguments that follow a model's in the calls of `robustness`."""
        return self.held_out, self.corruptions, self.severities, self.seed, self.constants, self.corrupted

    def identity(self, model: str) -> dict:
        """Return what defines the network."""
        from robustshape import models

        return models.identity(model, **dict(self.options(model)))

    def specification(self, model: str) -> dict:
        """Return what defines the common part of a model's row."""
        from robustshape.corruptions import stored

        attacks = {"attacks": [str(stage) for stage in self.attacks], "attacks version": attacked.VERSION}
        return {
            "model": self.identity(model),
            "indicator images": self.selections[0].identity(),
            "robustness images": self.held_out.identity(),
            "corruptions": list(self.corruptions),
            "severities": list(self.severities),
            "seed": self.seed,
            "constants": self.constants,
            "version": [features.VERSION, robustness.VERSION, CORRUPTIONS_VERSION],
            **(attacks if self.attacks else {}),
            **(
                {"corrupted": [self.corrupted, stored.VERSION]}
                if self.corrupted != robustness.GENERATED
                else {}
            ),
        }

    def features(self, model: str):
        """Return the finished features of the indicator's images, in memory."""
        return features.open_features(model, self.options(model), self.selections[0]).load()

    def shifted(self, model: str, stage: str):
        """Return the features of the same images clean and attacked; `stage` is one attack at one budget."""
        options, stage = self.options(model), Stage.parse(stage)
        attacked_store = attacked.features_under(model, options, self.held_out, stage, self.seed)
        clean = features.open_features(model, options, self.held_out)
        return clean.isel(sample=slice(0, attacked_store.sizes["sample"])).load(), attacked_store

    def correct(self, model: str):
        """Return which robustness images are classified rightly: clean (sample,), corrupted (..., sample)."""
        options = self.options(model)
        clean = features.open_features(model, options, self.held_out)
        corrupted = robustness.correct(model, options, *self.corrupted_how())
        return (clean["logits"].argmax("class") == clean["label"]).values, corrupted.values

    def row(self, model: str):
        """Return the part of a model's row that every study has: accuracies and what the model is.

        Returns
        -------
        xarray.Dataset
            ``accuracy`` on the robustness images, ``indicator_accuracy`` on the indicator's images,
            ``corrupted_accuracy (corruption, severity)``; with a ladder of attacks ``robust_accuracy (attack)``,
            ``attacked_clean_accuracy`` and ``n_attacked`` (attack) and ``robust (attack, attacked_sample)``, see
            `robustshape.robustness.attacked`; family, recipe, trains_on, data, provenance.
        """
        import xarray

        from robustshape.store.provenance import provenance

        options, indicator = self.options(model), self.selections[0]
        clean = [features.open_features(model, options, part) for part in self.selections]
        classifier = features.load_classifier(model, options, indicator.load())
        about, row, corruption_time = classifier.about, xarray.Dataset(), 0.0
        if self.corruptions:
            right = robustness.correct(model, options, *self.corrupted_how())
            row["corrupted_accuracy"] = right.mean("sample", keep_attrs=False)
            corruption_time = right.attrs["seconds"]
        if self.attacks:
            row = row.merge(self._under_attack(model, options), combine_attrs="drop")
        return row.assign(
            indicator_accuracy=features.accuracy(clean[0]),
            accuracy=features.accuracy(clean[-1]),
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
            corruption_time_s=corruption_time,
            **provenance(classifier.device),
        )

    def _under_attack(self, model: str, options: tuple):
        """Return the accuracy under each attack of the ladder, and what became of each image (-1: not tried)."""
        import numpy as np
        import xarray

        found = attacked.correct(model, options, self.held_out, self.attacks, self.seed)
        found = found.rename(sample="attacked_sample").reset_coords(["name", "norm", "eps"], drop=True)
        tried = found["robust"].isel(attacked_sample=slice(0, int(found["n"].max())))
        clean = features.open_features(model, options, self.held_out)
        right = (clean["logits"].argmax("class") == clean["label"]).values
        return xarray.Dataset(
            {
                "attacked_clean_accuracy": ("attack", [right[: int(n)].mean() for n in found["n"].values]),
                "robust_accuracy": tried.astype(float).mean("attacked_sample"),
                "n_attacked": found["n"],
                "robust": tried.fillna(-1).astype(np.int8),
                "attack_time_s": found["seconds"].sum(),
            }
        )
