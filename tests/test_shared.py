"""A cache at an address: what one machine finished another one takes; half-written, mixed and damaged entries are none."""

import itertools
import json
import os
import subprocess
import sys
import time

import fsspec
import numpy as np
import pytest
import xarray

from robustshape import doctor
from robustshape.errors import InputError, StoreError
from robustshape.paths import cache_address, cache_dir
from robustshape.store import entries, results, shared
from robustshape.store.kept import Kept
from robustshape.store.rows import Wanted, row_entry
from test_studies import KSTAR, STUDIES
from test_tasks import SCHEDULER

SPEC = {"model": "mine"}
BUCKETS = itertools.count()


@pytest.fixture(scope="module")
def s3():
    """Return the address of an S3 server on this machine."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(params=["memory", "s3"])
def address(request, tmp_path, monkeypatch):
    """Return the address of an empty cache, which this machine has."""
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "")
    given = f"{request.param}://bucket{next(BUCKETS)}/cache"
    if request.param == "s3":
        monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3"))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        files, place = fsspec.url_to_fs(given)
        files.mkdir(place.partition("/")[0])
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", given)
    monkeypatch.setenv("ROBUSTSHAPE_COPIES", str(tmp_path / "one"))
    yield given
    shared._files.cache_clear()


@pytest.fixture
def another(tmp_path, monkeypatch):
    """Return a function after which this is another machine, whose folder is empty."""
    names = map(str, itertools.count())
    return lambda: monkeypatch.setenv("ROBUSTSHAPE_COPIES", str(tmp_path / next(names)))


def numbers(value=0.0):
    big = np.random.default_rng(0).normal(size=(4000, 40)) + value  # large enough to be a store of its own
    return xarray.Dataset({"x": (("sample", "feature"), big), "name": "a name"}, attrs={"about": [1, 2]})


def objects(address):
    files, root = fsspec.url_to_fs(address, use_listings_cache=False)
    return files, sorted(files.find(root))


def test_what_one_machine_finished_another_one_takes(address, another):
    entry = Kept("tests/of", SPEC)
    assert entry.missing and entry.open() is None
    entry.save(numbers())
    _, there = objects(address)
    assert [name for name in there if name.endswith(f"/tests/of/{entry.key}/manifest.json")] and len(
        there
    ) > 2
    another()
    assert not entry.folder.exists() and entries.is_finished(entry.folder)
    xarray.testing.assert_identical(entry.open(), numbers())
    assert entry.folder.is_dir() and objects(address)[1] == there  # and it is not copied back
    another()
    xarray.testing.assert_identical(entry.open(chunks={}).compute(), numbers())


def test_the_manifest_is_written_last_and_what_was_cut_short_goes_on(address, another, monkeypatch):
    entry, files = Kept("tests", SPEC), shared._files(address)[0]
    put = files.put_file

    def lost(local, there, **more):
        if there.endswith("manifest.json"):
            raise TimeoutError("the line is dead")
        put(local, there, **more)

    with monkeypatch.context() as patch:
        patch.setattr(files, "put_file", lost)
        with pytest.raises(StoreError, match=r"cache at .* cannot be used .the line is dead.*OFFLINE=1"):
            entry.save(numbers())
    assert (
        len(objects(address)[1]) > 1 and entry.folder.is_dir()
    )  # its files are there, but nobody takes them
    one = os.environ["ROBUSTSHAPE_COPIES"]
    another()
    assert entry.missing
    monkeypatch.setenv("ROBUSTSHAPE_COPIES", one)
    entries._WHOLE.clear()  # another process
    assert not entry.missing
    another()
    assert not entry.missing


def test_two_machines_that_finish_one_entry_at_once_do_not_mix_it(address, another, monkeypatch):
    entry = Kept("tests", SPEC)
    with monkeypatch.context() as patch:
        patch.setenv("ROBUSTSHAPE_OFFLINE", "1")
        made = []
        for value in (0.0, 1.0):  # as processors of two kinds make them
            another()
            entry.save(numbers(value))
            made.append(entry.folder)
    holds = shared._content
    monkeypatch.setattr(shared, "_content", lambda *_: None)  # neither sees the other's
    for folder in made:
        monkeypatch.setenv("ROBUSTSHAPE_COPIES", str(folder.parents[2]))
        shared.offer(entry.folder)
    monkeypatch.setattr(shared, "_content", holds)
    another()
    xarray.testing.assert_identical(entry.open(), numbers(1.0))
    monkeypatch.setenv("ROBUSTSHAPE_COPIES", str(made[0].parents[2]))
    xarray.testing.assert_identical(entry.open(), numbers(0.0))  # each keeps its own


def test_damage_of_any_file_at_the_address_is_named_and_made_again(address, another, capsys):
    entry = Kept("tests", SPEC)
    entry.save(numbers())
    files, there = objects(address)
    for place in there:
        content = files.cat_file(place)
        for damaged in (content[:-1] + bytes([content[-1] ^ 1]), content[:-1], None):
            files.rm_file(place) if damaged is None else files.pipe_file(place, damaged)
            another()
            if damaged is None and place.endswith("manifest.json"):
                assert entry.missing  # as if it had never been finished
            else:
                assert entry.missing and not entry.folder.exists()
                said = capsys.readouterr().out
                assert f"{address}/tests/{entry.key} is damaged" in said and "made again" in said
                assert entry.missing and not capsys.readouterr().out  # once
            entry.save(numbers())
            assert files.cat_file(place) == content
            another()
            xarray.testing.assert_identical(entry.open(), numbers())


@pytest.mark.parametrize("name", ["../../out", "/tmp/out", "a/../../out", "a\\..\\out", "..", ""])
def test_no_manifest_leads_out_of_its_folder(address, another, tmp_path, capsys, name):
    entry = Kept("tests", SPEC)
    entry.save(numbers())
    files, there = objects(address)
    [place] = [place for place in there if place.endswith("manifest.json")]
    text = json.dumps({name: "00"}).encode()
    files.pipe_file(place, text)
    another()
    before = sorted(map(str, tmp_path.rglob("*")))
    assert entry.missing and f"it names {name!r}" in capsys.readouterr().out
    assert {path for path in map(str, tmp_path.rglob("*")) if "/tests" not in path} <= {
        *before,
        *map(str, cache_dir("tests").parents),
    }


def test_without_connections_a_machine_works_alone_and_shares_later(address, another, monkeypatch):
    entry = Kept("tests", SPEC)
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "1")
    entry.save(numbers())
    assert not entry.missing and objects(address)[1] == []
    assert "not asked: ROBUSTSHAPE_OFFLINE is set" in doctor.places()["cache"]
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "")
    entries._WHOLE.clear()
    assert not entry.missing and objects(address)[1]


def wanted():
    return {name: Wanted(row_entry("study", {"m": name})) for name in "ab"}


def gather(computed):
    def compute(missing):
        computed.extend(missing)
        for name in missing:
            yield name, xarray.Dataset({"value": float(ord(name))})

    return results.gather("study", wanted(), preset="p", source="measure", compute=compute)


def test_rows_are_measured_by_one_machine_and_found_by_another(address, another):
    computed = []
    first = gather(computed)
    another()
    found, n = results.latest_run("study", "p")
    assert n == 2 and {name: float(row["value"]) for name, row in found.items()} == {"a": 97.0, "b": 98.0}
    another()
    assert gather(computed)["value"].values.tolist() == first["value"].values.tolist() and computed == [
        "a",
        "b",
    ]


WORKER = """
import asyncio, os, sys
from distributed import Worker


async def serve():
    async with Worker(sys.argv[1], nthreads=1, name=sys.argv[2], dashboard=False) as worker:
        print(worker.address, flush=True)
        await worker.finished()


asyncio.run(serve())
"""


@pytest.mark.parametrize("address", ["s3"], indirect=True)
def test_dask_workers_that_see_no_folder_of_each_other_share_the_cache(address, another, tmp_path):
    """Each keeps copies of its own; what comes home comes through the address, and so it does to a third machine."""

    def begin(code, *given, copies):
        env = os.environ | {"ROBUSTSHAPE_COPIES": str(copies)}
        process = subprocess.Popen(
            [sys.executable, "-c", code, *given], stdout=subprocess.PIPE, text=True, env=env
        )
        started.append(process)
        return process.stdout.readline().strip()

    started = []
    try:
        scheduler = begin(SCHEDULER, copies=tmp_path)
        for name in ("left", "right"):
            begin(WORKER, scheduler, name, copies=tmp_path / name)
        rows = STUDIES["kstar_skewness"].measure(**KSTAR | {"dask_scheduler": scheduler})
    finally:
        for process in started:
            process.kill()
            process.wait()
    made = {name: len(list((tmp_path / name).rglob("manifest.json"))) for name in ("left", "right", "one")}
    assert rows.sizes["model"] == len(KSTAR["models"]) and made["left"] and made["right"] and made["one"]
    another()
    words = [sys.executable, "-m", "robustshape", "results", "kstar_skewness", "--preset", KSTAR["preset"]]
    found = subprocess.run(words, capture_output=True, text=True)
    assert found.returncode == 0 and KSTAR["models"][0] in found.stdout, found.stderr


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("file:///tmp/x", "is a folder of this machine: give the folder itself"),
        ("https://host/x", "cannot be written to: give one such as s3://bucket/folder"),
        ("simplecache::s3://bucket", "cannot be written to"),
        ("s4://bucket", "has an unknown protocol; closest: s3://"),
        ("ftp://me:secret@host/x", "'ftp://...@host/x', has a password in it"),
        ("s3:/bucket", "names no place: give one such as s3://bucket/folder"),
        ("s3://", "names no place"),
    ],
)
def test_an_address_that_cannot_be_a_cache_is_refused_and_nothing_is_made(
    tmp_path, monkeypatch, given, words
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", given)
    with pytest.raises(InputError, match=r"ROBUSTSHAPE_CACHE, ") as raised:
        cache_dir("rows")
    assert words in str(raised.value) and "secret" not in str(raised.value) and not list(tmp_path.iterdir())


def test_an_address_is_one_whatever_its_spelling(monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", "S3://bucket/cache//")
    assert cache_address() == "s3://bucket/cache"
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", "a:b")
    assert cache_address() == ""


def test_a_protocol_whose_library_is_missing_says_which(tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "")
    monkeypatch.setenv("ROBUSTSHAPE_COPIES", str(tmp_path))
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", "gs://bucket")
    with pytest.raises(StoreError, match=r"cache at gs://bucket cannot be used \(.*gcsfs"):
        _ = Kept("tests", SPEC).missing


def test_an_address_that_never_answers_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "")
    monkeypatch.setenv("ROBUSTSHAPE_COPIES", str(tmp_path))
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", "memory://silent")
    monkeypatch.setattr(shared, "ANSWER", 0.2)
    with monkeypatch.context() as patch:
        patch.setattr(fsspec, "url_to_fs", lambda *_, **__: time.sleep(30))
        with pytest.raises(StoreError, match=r"memory://silent cannot be used \(no answer within 0.2 s\)"):
            _ = Kept("tests", SPEC).missing
        assert "missing: the cache at memory://silent" in doctor.places()["cache"]
    assert "memory://silent, which answers" in doctor.places()["cache"]
