"""A cache at an address: what one machine finished another one takes; half-written, mixed and damaged entries are none."""

import errno
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import fsspec
import numpy as np
import pytest
import xarray

from robustshape import doctor
from robustshape.errors import InputError, StoreError
from robustshape.paths import cache_address, cache_dir
from robustshape.store import entries, remote, results, shared
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
    remote._remote.cache_clear()
    shared._TOLD.clear()


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
    entry, files = Kept("tests", SPEC), remote.remote().files
    put = files.put

    def lost(local, there, **more):
        if there[0].endswith("manifest.json"):
            raise TimeoutError("the line is dead")
        put(local, there, **more)

    with monkeypatch.context() as patch:
        patch.setattr(files, "put", lost)
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

    def machine(i):
        monkeypatch.setenv("ROBUSTSHAPE_COPIES", str(made[i].parents[2]))

    there = remote.remote()
    put = there.put

    def other_first(given):
        if any(
            name.endswith("manifest.json") for name in given
        ):  # of the first machine, whose other files are there
            monkeypatch.setattr(there, "put", put)
            machine(1)
            shared.offer(made[1])
            machine(0)
        put(given)

    monkeypatch.setattr(there, "put", other_first)
    machine(0)
    shared.offer(made[0])
    another()
    xarray.testing.assert_identical(entry.open(), numbers(0.0))  # whose manifest came last
    machine(1)
    xarray.testing.assert_identical(entry.open(), numbers(1.0))  # each keeps its own


def test_two_at_once_on_one_machine_take_one_entry(address, another):
    Kept("tests", SPEC).save(numbers())
    for _ in range(5):
        another()
        together = threading.Barrier(2)

        def taken(_, together=together):
            together.wait()
            return Kept("tests", SPEC).open()

        with ThreadPoolExecutor(2) as pool:
            for found in pool.map(taken, range(2)):
                xarray.testing.assert_identical(found, numbers())
        assert [path.name for path in cache_dir("tests").iterdir()] == [Kept("tests", SPEC).key]


def test_what_is_shared_is_not_asked_for_again(address, another, monkeypatch):
    entry, there, asked = Kept("tests", SPEC), remote.remote(), []
    within = there._within
    monkeypatch.setattr(there, "_within", lambda *a: asked.append(a) or within(*a))
    entry.save(numbers())
    assert asked and not asked.clear() and not entry.missing and not asked
    another()
    assert not entry.missing and len(asked) == 3  # for the manifest, the sizes, the files
    asked.clear()
    entries._WHOLE.clear()  # another process
    assert not entry.missing and not asked


def test_what_was_damaged_here_comes_anew_from_the_address(address, capsys):
    entry = Kept("tests", SPEC)
    entry.save(numbers())
    next(
        path for path in entry.folder.rglob("*") if path.name.startswith("c") or path.name == "data.npz"
    ).write_text("x")
    assert not entry.missing
    assert f"copied anew from {address}" in capsys.readouterr().out
    xarray.testing.assert_identical(entry.open(), numbers())


def test_what_is_garbled_on_its_way_is_copied_again(address, another, monkeypatch, capsys):
    entry = Kept("tests", SPEC)
    entry.save(numbers())
    another()
    there, garbled = remote.remote(), []
    get = there.get

    def once(wanted):
        get(wanted)
        if not garbled:
            garbled.append(next(iter(wanted.values())))
            garbled[0].write_bytes(b"")

    monkeypatch.setattr(there, "get", once)
    assert not entry.missing and garbled and "damaged" not in capsys.readouterr().out


def test_a_manifest_that_another_machine_has_mended_stays(address, another, monkeypatch):
    entry = Kept("tests", SPEC)
    entry.save(numbers())
    files, there = objects(address)
    [place] = [name for name in there if name.endswith("manifest.json")]
    whole = files.cat_file(place)
    files.pipe_file(place, b"{")
    copied = shared._copied

    def meanwhile(*given):
        found = copied(*given)
        files.pipe_file(place, whole)
        return found

    another()
    with monkeypatch.context() as patch:
        patch.setattr(shared, "_copied", meanwhile)
        assert entry.missing
    assert not entry.missing


def test_a_full_disk_is_not_blamed_on_the_address(address, another, monkeypatch):
    entry = Kept("tests", SPEC)
    entry.save(numbers())
    another()
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(remote.remote().files, "get", lambda *_: (_ for _ in ()).throw(full))
    with pytest.raises(StoreError, match="the disk is full while writing"):
        _ = entry.missing
    assert list(cache_dir("tests").iterdir()) == []


def test_an_address_that_may_only_be_read_serves_what_it_holds(address, another, monkeypatch, capsys):
    computed = []
    gather(computed)
    another()

    def refuse(*_, **__):
        raise PermissionError("Access Denied")

    with monkeypatch.context() as patch:
        for way in ("put", "rm_file", "pipe_file"):
            patch.setattr(remote.remote().files, way, refuse)
        gather(computed)
        assert computed == ["a", "b"]
        entry = Kept("tests", SPEC)
        entry.save(numbers())
        said = capsys.readouterr().out
        words = f"{address} may be read and not written (Access Denied): what is made stays in {cache_dir()}"
        assert said.count(words) == 1
        assert "which answers, but may not be written (Access Denied)" in doctor.places()["cache"]
    entries._WHOLE.clear()  # another process, which may write
    assert not entry.missing and shared.holds(entry.folder)


def test_a_fork_has_connections_of_its_own(address):
    Kept("tests", SPEC).save(numbers())
    if not (child := os.fork()):
        os._exit(
            0
            if remote.remote() is not None and (address[0] == "m" or shared.holds(Kept("tests", SPEC).folder))
            else 1
        )
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_notebooks_of_the_book_stay_here(address):
    with entries.write_folder(cache_dir("executed") / "a.laptop") as folder:
        (folder / "executed.ipynb").write_text("{}")
    assert objects(address)[1] == [] and not entries.check_folder(cache_dir("executed") / "another")


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


@pytest.mark.parametrize(
    "name",
    [
        "../../out",
        "/tmp/out",
        "a/../../out",
        "a\\..\\out",
        "..",
        "",
        "manifest.json",
        ".shared",
        "x" * 256,
        "a//b",
        "\ud800",
    ],
)
def test_no_manifest_leads_out_of_its_folder(address, another, tmp_path, capsys, name):
    entry = Kept("tests", SPEC)
    entry.save(numbers())
    files, there = objects(address)
    [place] = [place for place in there if place.endswith("manifest.json")]
    text = json.dumps({name: "00"}).encode()
    files.pipe_file(place, text)
    another()
    assert entry.missing and f"it names {name!r}" in capsys.readouterr().out
    assert not list(cache_dir("tests").iterdir()) and {path.name for path in tmp_path.iterdir()} <= {
        "one",
        "0",
    }
    assert not [name for name in objects(address)[1] if name.endswith("manifest.json")]


@pytest.mark.parametrize(
    "content",
    [b'{"a": "00", "a/b": "00"}', '{"a": "00"}'.encode("utf-16"), b"[]", b"{", b"null", b"3"],
)
def test_what_is_no_manifest_is_named_and_removed(address, another, capsys, content):
    entry = Kept("tests", SPEC)
    entry.save(numbers())
    files, there = objects(address)
    files.pipe_file(next(name for name in there if name.endswith("manifest.json")), content)
    another()
    assert entry.missing and "manifest.json cannot be read" in capsys.readouterr().out
    entry.save(numbers())
    another()
    assert not entry.missing


def test_without_connections_a_machine_works_alone_and_shares_later(address, another, monkeypatch):
    entry = Kept("tests", SPEC)
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "1")
    entry.save(numbers())
    assert not entry.missing and objects(address)[1] == []
    assert "not asked: ROBUSTSHAPE_OFFLINE is set" in doctor.places()["cache"]
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "")
    entries._WHOLE.clear()
    assert not entry.missing and objects(address)[1]


def wanted(names):
    return {name: Wanted(row_entry("study", {"m": name})) for name in names}


def gather(computed, names="ab"):
    def compute(missing):
        computed.extend(missing)
        for name in missing:
            yield name, xarray.Dataset({"value": float(ord(name))})

    return results.gather("study", wanted(names), preset="p", source="measure", compute=compute)


def test_rows_are_measured_by_one_machine_and_found_by_another(address, another, monkeypatch):
    computed = []
    first = gather(computed)
    another()
    found, n = results.latest_run("study", "p")
    assert n == 2 and {name: float(row["value"]) for name, row in found.items()} == {"a": 97.0, "b": 98.0}
    two = os.environ["ROBUSTSHAPE_COPIES"]
    another()
    assert gather(computed, "abc")["value"].values.tolist()[:2] == first["value"].values.tolist()
    assert computed == ["a", "b", "c"]
    monkeypatch.setenv("ROBUSTSHAPE_COPIES", two)
    assert results.latest_run("study", "p")[1] == 3  # the latest, whatever it saw before


def test_a_note_that_is_damaged_at_the_address_is_named(address, another, capsys):
    gather([])
    files, there = objects(address)
    [place] = [name for name in there if name.endswith("/runs/study/p.json")]
    files.pipe_file(place, files.cat_file(place)[:-5])
    another()
    assert results.latest_run("study", "p") == ({}, 0)
    assert f"{address}: p.json is damaged" in capsys.readouterr().out


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
        (
            "https://host/x",
            "is no object store, in which a file is whole or not there: give an address that begins with s3://, gs://",
        ),
        ("simplecache::s3://bucket", "is no object store"),
        ("zip://x", "is no object store"),
        ("sftp://me:pa/sec@ret@host/x", "'sftp://...@host/x', is no object store"),
        ("s4://bucket", "is of an unknown protocol: give an address that begins with s3://"),
        ("s3://me:sec@ret@bucket/x", "'s3://...@bucket/x', has a password in it"),
        ("s3:/bucket", "names no place: give one such as s3://bucket/folder"),
        ("s3:bucket", "names no place"),
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
    assert words in str(raised.value) and "sec" not in str(raised.value) and not list(tmp_path.iterdir())


def test_an_address_is_one_whatever_its_spelling(monkeypatch):
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", " S3://bucket/cache//")
    assert cache_address() == "s3://bucket/cache"
    for folder in ("a:b", "C:/x", "/a/s3:/b", "", "~/cache"):
        monkeypatch.setenv("ROBUSTSHAPE_CACHE", folder)
        assert cache_address() == ""


@pytest.fixture
def at(tmp_path, monkeypatch):
    """Return a function that makes an address the cache."""
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "")
    monkeypatch.setenv("ROBUSTSHAPE_COPIES", str(tmp_path))
    yield lambda address: monkeypatch.setenv("ROBUSTSHAPE_CACHE", address)
    remote._remote.cache_clear()


def test_a_protocol_whose_library_is_missing_says_which(at):
    at("gs://bucket")
    with pytest.raises(StoreError, match=r"cache at gs://bucket cannot be used \(.*gcsfs"):
        _ = Kept("tests", SPEC).missing


@pytest.mark.parametrize("address", ["s3"], indirect=True)
def test_a_bucket_that_is_missing_is_said(address, monkeypatch, another):
    monkeypatch.setenv("ROBUSTSHAPE_CACHE", "s3://nobody-made-it/cache")
    words = r"s3://nobody-made-it/cache cannot be used \(.*bucket does not exist"
    with pytest.raises(StoreError, match=words):
        Kept("tests", SPEC).save(numbers())
    assert re.search(words, doctor.places()["cache"])


def test_an_address_that_never_answers_is_given_up(at, monkeypatch):
    at("memory://silent")
    monkeypatch.setattr(remote, "ANSWER", 0.2)
    with monkeypatch.context() as patch:
        patch.setattr(fsspec, "url_to_fs", lambda *_, **__: time.sleep(30))
        with pytest.raises(
            StoreError, match=r"memory://silent cannot be used \(no answer within 0.[23]\d* s\)"
        ):
            _ = Kept("tests", SPEC).missing
        assert "the cache at memory://silent cannot be used" in doctor.places()["cache"]
    assert "memory://silent, which can be read and written" in doctor.places()["cache"]


def test_an_address_that_falls_silent_is_told_of_and_given_up(at, monkeypatch, capsys):
    at("memory://falls-silent")
    entry, files = Kept("tests", SPEC), remote.remote().files
    for name, value in (("QUIET", 0.1), ("PATIENCE", 0.3), ("PACE", 1e9)):
        monkeypatch.setattr(remote, name, value)
    for way in ("cat_file", "put"):
        with monkeypatch.context() as patch:
            patch.setattr(files, way, lambda *_: time.sleep(30))
            with pytest.raises(StoreError, match=r"cannot be used \(no answer within 0.[23]\d* s\)"):
                entry.save(numbers())
            assert "waiting for memory://falls-silent" in capsys.readouterr().out
    entries._WHOLE.clear()
    assert not entry.missing and shared.holds(entry.folder)
