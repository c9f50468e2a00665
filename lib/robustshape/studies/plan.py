"""What a study's parameters ask for, and the measuring of it: rows that are not kept yet, group by group of images."""

import json
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustshape import schedulers, tasks
from robustshape.measurements import prepare
from robustshape.measurements.population import Population
from robustshape.models.network import Network
from robustshape.paths import device
from robustshape.store import results
from robustshape.store.kept import Kept, folders_missing
from robustshape.store.keys import since
from robustshape.store.provenance import provenance
from robustshape.store.rows import Wanted, row_entry
from robustshape.studies import common

if TYPE_CHECKING:
    from robustshape.studies.study import Study


@dataclass(frozen=True)
class Plan:
    """What a study's parameters ask for: a network on a population's images for each row."""

    study: "Study"
    settings: Any
    cases: dict[str, tuple[Population, Network]]

    @cached_property
    def wanted(self) -> dict[str, Wanted]:
        """The entry of each row in the cache, and of its parts."""
        found = {}
        for name, (population, network) in self.cases.items():
            specification = {
                "study": self.study.name,
                **population.specification(network),
                **since("study version", self.study.version, self.study.first_version),
                **self.settings.key(population, network),
            }
            parts = self.study.parts(population, self.settings).kept(network) if self.study.parts else {}
            found[name] = Wanted(row_entry(self.study.name, specification), parts, self.study.along)
        return found

    def measure(self, *, preset: str, source: str, dask_scheduler: str):
        """Return the rows; see `Study.measure`."""
        with schedulers.workers(dask_scheduler) as client:
            rows = results.gather(
                self.study.name,
                self.wanted,
                preset=preset,
                source=source,
                compute=lambda names: self._rows(names, client),
                compute_parts=lambda missing: self._parts(missing, client),
            )
        self.study.after(self)
        return rows

    def _by_population(self, names) -> dict[Population, list[str]]:
        found: dict[Population, list[str]] = {}
        for name in names:
            found.setdefault(self.cases[name][0], []).append(name)
        return found

    def _ready(self, population: Population, names: list[str], client) -> list[str]:
        """Prepare what rows need; return the names of those whose networks did not diverge."""
        study, networks = self.study, [self.cases[name][1] for name in names]
        study.check(population, networks, self.settings)
        print(prepare.cost(population, networks, {study.name: len(names)}))
        more = [one for one in study.needs(population, networks, self.settings) if one not in networks]
        failed = prepare.train(population, [*networks, *more], client) if study.diverged or more else {}
        for network, why in failed.items():
            print(f"{network.name} diverged: {why}")
        there = [one for one in networks if one not in failed or not study.diverged]
        prepare.prepare(population, there, client)
        study.before(population, there, self.settings, client)
        return [name for name in names if self.cases[name][1] in there]

    def _rows(self, names: list[str], client):
        for population, own in self._by_population(names).items():
            there = self._ready(population, own, client)
            for name in own:
                if name not in there:
                    yield name, diverged_row(self.study, population, self.cases[name][1], self.settings)
            entries = [self.wanted[name].row for name in there]
            calls = [
                (entry, self.study.name, population, self.cases[name][1], self.settings)
                for name, entry in zip(there, entries)
            ]
            how = {"label": self.study.name, "pace": prepare.pace(population, self.study.name)}
            for i, row in tasks.as_finished(_keep_row, calls, client=client, left=_row_left, **how):
                yield there[i], entries[i].open() if row is None else row

    def _parts(self, missing: dict[str, list[str]], client) -> None:
        for population, own in self._by_population(missing).items():
            prepare.clean_features(population, [self.cases[name][1] for name in own], client)
            parts = self.study.parts(population, self.settings)
            calls = [(parts, self.cases[name][1], missing[name]) for name in own]
            tasks.run(_compute_parts, calls, client=client, label=f"{self.study.along}s", left=_parts_left)


def _row(study: str, population: Population, network: Network, settings):
    """Return one network's row, with what all studies' have."""
    import xarray

    from robustshape import studies

    began = time.perf_counter()
    shared, seconds = common.of_network(population, network)
    own = studies.load(study).row(population, network, settings)
    row = xarray.merge([shared, own], combine_attrs="drop", compat="no_conflicts", join="exact")
    seconds["row"] = time.perf_counter() - began
    about = json.dumps(provenance(network.load().device, seconds=seconds))
    # loaded: a lazy number would be read by whoever gets the row, and wait there for the workers that make the next ones
    return row.load().assign(study=study, provenance=about)


def diverged_row(study: "Study", population: Population, network: Network, settings):
    """Return the row of a network whose training diverged: what it is, and no number."""
    import xarray

    parts = [common.about(population, network), study.diverged(population, network, settings)]
    row = xarray.merge(parts, combine_attrs="drop")
    return row.assign(diverged=True, study=study.name, provenance=json.dumps(provenance(device())))


def _keep_row(entry: Kept, *rest):
    """Return one network's row, which is kept before another run may begin with it."""
    row = _row(*rest)
    if not row.get("diverged", False):
        entry.save(row)
    return row


def _row_left(entry: Kept, *_rest) -> list[Path]:
    return folders_missing([entry])


def _compute_parts(parts, network: Network, names: list[str]) -> None:
    kept = parts.kept(network)
    parts.compute(network, [name for name in names if kept[name].missing])


def _parts_left(parts, network: Network, names: list[str]) -> list[Path]:
    kept = parts.kept(network)
    return folders_missing(kept[name] for name in names)
