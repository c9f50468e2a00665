"""A study: its settings are checked once, and each network has a row that is kept under what defines it.

A study is a `Study` with a dataclass of its own settings and a function that returns one network's row; its
parameters are checked, its rows published and described here, and measured in `robustshape.studies.plan`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import ClassVar

from robustshape.datasets.selection import FIRST_VERSION
from robustshape.errors import InputError
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.registry import closest
from robustshape.store import results
from robustshape.store.rows import Wanted
from robustshape.studies import common
from robustshape.studies.plan import Plan
from robustshape.values import as_list

RUN = ("preset", "source", "dask_scheduler")  # parameters of every notebook that say how, not what


class Settings:
    """Base of a study's own parameters: a frozen dataclass whose fields are parameters of the study's notebook.

    Those of a population that `rows` decides are in ``decided``, and are no parameters of the notebook.
    """

    decided: ClassVar[tuple[str, ...]] = ()

    def rows(self, models) -> dict[str, tuple[str, dict]]:
        """Return the rows by name: the network of each, and what its population has otherwise than the parameters.

        `models` is the parameter of that name, or None where the notebook has none.
        """
        return {name: (name, {}) for name in as_list(models, "models")}

    def check(self, population: Population) -> "Settings":
        """Return the settings as they are used, or raise InputError; nothing is trained for that."""
        return self

    def key(self, population: Population, network: Network) -> dict:
        """Return what of the settings defines a network's row."""
        return asdict(self)


@dataclass(frozen=True)
class Study:
    """What a study adds to a population of networks.

    Attributes
    ----------
    name, title : str
        The name is that of its folder and of its notebook.
    settings : type
        A frozen dataclass, see `Settings`.
    row : callable
        ``row(population, network, settings)`` is an xarray.Dataset of one network, without what `common` adds.
    variables : dict
        Of the rows: what each is, and its unit (``""`` for none); those of `common` need not be named again.
    coordinates : dict
        The same of the rows' coordinates beside those of `common`.
    quantities : tuple of str
        By which a run is compared with the published one.
    version, first_version : int
        Raise the version when a change of the algorithm changes the numbers. It enters keys beyond the first one.
    completed : callable
        ``completed(given)`` returns the parameters with what they leave open, such as a number of images, taken from the data.
    before : callable
        ``before(population, networks, settings, client)`` computes what rows need beside what `prepare` keeps.
    check : callable
        ``check(population, networks, settings)`` raises what can be known before anything is trained.
    after : callable
        ``after(plan)`` does what remains once the rows are there, such as writing a file.
    published : callable
        ``published(preset, rows)`` writes what the project keeps of published rows beside them.
    derived : dict of str -> callable
        Variables that follow from others and so are not published: ``rows -> xarray.DataArray``, or None where the rows
        lack what it takes.
    needs : callable
        ``needs(population, networks, settings)`` names further networks that have to be trained.
    parts : callable, optional
        ``parts(population, settings)`` says which parts of a row have keys of their own: an object with
        ``kept(network)``, a dictionary of entries by name, and ``compute(network, names)``.
    along : str
        The dimension of the rows along which these parts lie.
    diverged : callable, optional
        ``diverged(population, network, settings)`` is the row, without numbers, of a network whose training diverged;
        without it, that is an error.
    """

    name: str
    title: str
    settings: type
    row: Callable
    variables: dict[str, tuple[str, str]]
    quantities: tuple[str, ...]
    coordinates: dict[str, tuple[str, str]] = field(default_factory=dict)
    version: int = 1
    first_version: int = 1
    completed: Callable = lambda given: given
    before: Callable = lambda population, networks, settings, client: None
    check: Callable = lambda population, networks, settings: None
    after: Callable = lambda plan: None
    published: Callable = lambda preset, rows: None
    derived: dict[str, Callable] = field(default_factory=dict)
    needs: Callable = lambda population, networks, settings: []
    parts: Callable | None = None
    along: str = ""
    diverged: Callable | None = None

    @cached_property
    def parameters(self) -> list[str]:
        """The names of all parameters that `measure` takes."""
        taken = {*self._own, *self.settings.decided}
        return [*self._own, *[name for name in Population.names() if name not in taken], *RUN]

    @property
    def _own(self) -> list[str]:
        return [one.name for one in fields(self.settings)]

    def _settings(self, given: dict):
        """Return the settings among the parameters; raise InputError if a parameter is unknown or missing."""
        for name in given:
            if name not in self.parameters:
                raise InputError(
                    f"{self.name} has no parameter {name!r}; closest: {', '.join(closest(name, self.parameters))}"
                )
        lacking = [name for name in (*self._own, "dataset") if name not in given]
        if lacking:
            raise InputError(f"{self.name} needs {', '.join(lacking)}; its notebook has a value for each")
        return self.settings(**{name: given[name] for name in self._own})

    def given(self, namespace: dict) -> dict:
        """Return the parameters among the names of a notebook, ``STUDY.given(globals())``."""
        return {name: namespace[name] for name in self.parameters if name in namespace}

    def asked(self, **given) -> list[str]:
        """Return the names of the rows that the parameters ask for; no network is looked at. Takes what `measure` takes."""
        return list(self._settings(given).rows(given.get("models")))

    def networks_asked(self, **given) -> list[str]:
        """Return the network of each row that the parameters ask for; none is looked at. Takes what `measure` takes."""
        return [model for model, _ in self._settings(given).rows(given.get("models")).values()]

    def plan(self, **given) -> Plan:
        """Check the parameters and return what they ask for; nothing is computed. Takes what `measure` takes."""
        self._settings(given)
        given = self.completed(given)
        settings = self._settings(given)
        given = {name: value for name, value in given.items() if name not in (*self._own, *RUN)}
        if given.get("n_samples", 1) < 1:  # that there are none is for `rows` to decide
            raise InputError(f"n_samples is at least 1, but was {given['n_samples']}")
        rows = settings.rows(given.pop("models", None))
        groups: dict[str, list] = {}
        for name, (model, otherwise) in rows.items():
            groups.setdefault(repr(otherwise), []).append((name, model, otherwise))
        cases: dict[str, tuple[Population, Network]] = {}
        for group in groups.values():
            population = Population.of(models=[model for _, model, _ in group], **given | group[0][2])
            cases |= {row: (population, population.network(model)) for row, model, _ in group}
        first, _ = next(iter(cases.values()))
        return Plan(self, settings.check(first), {name: cases[name] for name in rows})

    def measure(
        self, *, preset: str = "custom", source: str = "measure", dask_scheduler: str = "none", **given
    ):
        """Return a row for each network.

        Parameters
        ----------
        preset : str
            Name of this set of parameters; says which published results belong to it.
        source : {"measure", "published", "extend"}
            See `robustshape.store.results`.
        dask_scheduler : str
            See `robustshape.schedulers.workers`.
        **given
            The other parameters of the study's notebook, where each is explained.

        Returns
        -------
        xarray.Dataset
            With the dimension ``model`` and those of `variables`; each variable and coordinate has a ``long_name``,
            and ``units`` where it has one.
        """
        results.check_source(source)
        if source == "published":
            found = results.gather_published(self.name, self.asked(**given), preset=preset)
            print(common.unequal_classes(found), end="")
        else:
            found = self.plan(**given).measure(preset=preset, source=source, dask_scheduler=dask_scheduler)
        return self.described(found)

    def wanted(self, **given) -> dict[str, Wanted]:
        """Return the entry of each row in the cache; nothing is computed. Takes what `measure` takes."""
        return self.plan(**given).wanted

    def publish(self, preset: str, /, **given) -> tuple[int, int]:
        """Copy the finished rows of a preset into ``data/results``; return how many of how many are there."""
        wanted = self.wanted(**given)
        done = results.publish(
            self.name, preset, wanted, without=tuple(self.derived), first_images=FIRST_VERSION
        )
        self.published(preset, self.described(results.read_published(self.name, preset)))
        return done, len(wanted)

    def described(self, rows):
        """Return the rows with what is derived from them, and a ``long_name`` of each variable, ``units`` where it has one.

        Variables that say how and on what was measured have the ``role`` about.
        """
        made = {name: derive(rows) for name, derive in self.derived.items()}
        rows = rows.assign({name: values for name, values in made.items() if values is not None})
        parts = {f"{self.along}_key": (f"hash of what defines the numbers of each {self.along}", "")}
        for name, (words, unit) in (common.VARIABLES | parts | self.variables).items():
            if name in rows.data_vars:
                role = {"role": "about"} if name in common.VARIABLES and name not in common.NUMBERS else {}
                rows[name].attrs |= {"long_name": words} | ({"units": unit} if unit else {}) | role
        for name, (words, unit) in (common.COORDINATES | self.coordinates).items():
            if name in rows.coords:
                rows[name].attrs |= {"long_name": words} | ({"units": unit} if unit else {})
        return rows
