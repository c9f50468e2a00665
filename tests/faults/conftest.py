"""For `make test-faults`: the rows of a run that nothing disturbs, and a table of figures at the end.

A figure is what a check gives to pytest's `record_property`.
"""

import pytest
from faulty import Forked, handed, killed_at, measured, measured_into
from tqdm import tqdm


@pytest.fixture(scope="session")
def right(tmp_path_factory):
    """The rows of a run that nothing disturbs, its cache, and the number of its changes of the file system."""
    place = tmp_path_factory.mktemp("right")
    tqdm.monitor_interval = 0  # no thread of which a forked process would lack
    measured(place / "before")  # what is imported and read once, no forked process does again
    child = Forked(place / "said", killed_at, 0, False, measured_into, place / "cache", place / "rows")
    assert child.wait() == 0, child.said()
    changes = int(child.said().rpartition(" changes")[0].split()[-1])
    return handed(place / "rows"), place / "cache", changes


def pytest_terminal_summary(terminalreporter):
    figures = [
        (name, value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
    ]
    if figures:
        terminalreporter.section("figures")
        for name, value in sorted(set(figures)):
            terminalreporter.write_line(f"{name:<60} {value}")
