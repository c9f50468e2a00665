"""Downloads against a server on the loopback: whole, resumed, cut, wrong, refused, and without room."""

import contextlib
import errno
import hashlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from robustshape import download
from robustshape.download import fetch
from robustshape.errors import DownloadError, MissingFileError, StoreError

BODY = bytes(range(256)) * 1000  # 256,000 bytes: several blocks
SIZE = len(BODY)
SHA256 = hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        if self.path == "/missing":
            return self.send_error(404)
        if self.path == "/silent":
            return time.sleep(1)
        if start >= len(BODY) or self.path == "/never":
            return self.send_error(416)
        if self.path == "/whole-only":
            start = 0
        body = BODY[::-1] if self.path == "/wrong" else BODY
        body = body + b"more" if self.path == "/longer" else body
        self.send_response(206 if start else 200)
        lengths = {
            "/nonsense": "abc",
            "/negative": "-5",
            "/endless": "9" * 5000,
            "/huge": "9" * 40,
            "/garbled": "-1; x",
        }
        if self.path.startswith("/chunk"):
            return self.chunks(body[start : len(body) // 2])
        self.send_header("Content-Length", lengths.get(self.path, str(len(body) - start)))
        self.end_headers()
        if self.path == "/drip":
            return self.drip(body)
        stop = {"/cut": start + len(BODY) // 2, "/stuck": start}.get(self.path, len(body))
        if self.path == "/slow":
            time.sleep(0.2)
        self.wfile.write(body[start:stop])

    def chunks(self, half):
        """Send half of the body as a record; the next one has no length, or stops where it begins."""
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if half:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(half), half))
        self.wfile.write({"/chunk-length": b"what?\r\n", "/chunk-cut": b"fffff\r\n"}[self.path])

    def drip(self, body):
        """Send a byte now and then, each in time, for ten seconds in all."""
        with contextlib.suppress(OSError):
            for i in range(200):
                self.wfile.write(body[i : i + 1])
                time.sleep(0.05)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("ROBUSTSHAPE_OFFLINE", raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.url = [], f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def get(server, path, *pages, size=SIZE, **more):
    return fetch([f"{server.url}/{page}" for page in pages], path, sha256=SHA256, size=size, **more)


def left(path):
    """The names beside the target, without the lock."""
    return sorted(p.name for p in path.parent.iterdir() if p.suffix != ".lock")


@pytest.mark.parametrize("size", [len(BODY), None])
def test_whole_file_into_a_new_folder_and_not_twice(server, tmp_path, size, capsys):
    path = tmp_path / "new" / "folder" / "x.gz"
    assert get(server, path, "good", size=size) == path
    assert path.read_bytes() == BODY and left(path) == ["x.gz"]
    assert "x.gz: 100%" in capsys.readouterr().err
    get(server, path, "good", size=size)
    assert server.asked == [("/good", None)]


@pytest.mark.parametrize("have", [1, 1000, len(BODY) - 1])
@pytest.mark.parametrize("page", ["good", "whole-only"])
def test_continues_where_it_was_cut(server, tmp_path, have, page):
    path = tmp_path / "x.gz"
    (tmp_path / "x.gz.part").write_bytes(BODY[:have])
    get(server, path, page)
    assert path.read_bytes() == BODY and left(path) == ["x.gz"]
    assert server.asked == [("/" + page, f"bytes={have}-")]


def test_a_finished_part_needs_no_connection(server, tmp_path):
    (tmp_path / "x.gz.part").write_bytes(BODY)
    assert get(server, tmp_path / "x.gz", "good").read_bytes() == BODY
    assert server.asked == []


@pytest.mark.parametrize("have", [100, len(BODY), len(BODY) + 5])
@pytest.mark.parametrize("size", [len(BODY), None])
def test_a_wrong_beginning_is_thrown_away(server, tmp_path, have, size):
    (tmp_path / "x.gz.part").write_bytes(b"?" * have)
    assert get(server, tmp_path / "x.gz", "good", size=size).read_bytes() == BODY
    assert server.asked[-1] == ("/good", None)


def test_cut_short_is_continued_at_the_same_source(server, tmp_path):
    assert get(server, tmp_path / "x.gz", "cut").read_bytes() == BODY
    assert server.asked == [("/cut", None), ("/cut", f"bytes={len(BODY) // 2}-")]


def test_a_source_that_stops_giving_is_left_and_the_next_continues(server, tmp_path):
    (tmp_path / "x.gz.part").write_bytes(BODY[:500])
    assert get(server, tmp_path / "x.gz", "stuck", "good").read_bytes() == BODY
    assert server.asked == [("/stuck", "bytes=500-"), ("/good", "bytes=500-")]


@pytest.mark.parametrize("bad", ["wrong", "longer", "missing", "silent"])
def test_a_bad_source_falls_to_the_second(server, tmp_path, bad):
    assert get(server, tmp_path / "x.gz", bad, "good", timeout=0.3).read_bytes() == BODY
    assert server.asked[0] == (f"/{bad}", None) and server.asked[-1][0] == "/good"


def test_a_damaged_file_of_that_name_is_replaced(server, tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(b"damaged")
    assert get(server, path, "good").read_bytes() == BODY


def test_all_fail_says_where_why_how_large_and_what_next(server, tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/x"
    path = tmp_path / "x.gz"
    urls = [*(f"{server.url}/{page}" for page in ("missing", "wrong", "longer")), closed, "nonsense"]
    with pytest.raises(DownloadError) as error:
        fetch(urls, path, sha256=SHA256, size=len(BODY), instead="or use the smaller set")
    text = str(error.value)
    for words in (
        *urls,
        "HTTP 404",
        "wrong checksum",
        "more than the expected",
        "refused",
        "256,000 bytes",
        SHA256,
        str(path),
    ):
        assert words in text
    assert text.endswith("or use the smaller set") and not path.exists()


def test_what_arrived_is_kept_for_the_next_call(server, tmp_path):
    path = tmp_path / "x.gz"
    (tmp_path / "x.gz.part").write_bytes(BODY[:500])
    with pytest.raises(DownloadError, match="cut short after 500 of 256,000 bytes"):
        get(server, path, "stuck")
    assert left(path) == ["x.gz.part"]
    assert get(server, path, "good").read_bytes() == BODY
    assert server.asked[-1] == ("/good", "bytes=500-")


def test_offline_opens_no_connection(server, tmp_path, monkeypatch):
    path = tmp_path / "x.gz"
    monkeypatch.setenv("ROBUSTSHAPE_OFFLINE", "1")
    with pytest.raises(MissingFileError, match=r"x\.gz is not on this machine and ROBUSTSHAPE_OFFLINE"):
        get(server, path, "good")
    path.write_bytes(b"damaged")
    with pytest.raises(MissingFileError, match=r"x\.gz is damaged .*256,000 bytes"):
        get(server, path, "good")
    path.write_bytes(BODY)
    assert get(server, path, "good") == path
    assert server.asked == []


def test_full_disk_is_named_and_the_beginning_continued_later(server, tmp_path, monkeypatch):
    path = tmp_path / "x.gz"

    class Full:
        def __init__(self, file):
            self.file, self.room = file, 100_000

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def write(self, block):
            if len(block) > self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.room -= len(block)
            return self.file.write(block)

    def open_full(name, mode):
        return Full(name.open(mode)) if name.suffix == ".part" else name.open(mode)

    with monkeypatch.context() as patch:
        patch.setattr(download, "open", open_full, raising=False)
        with pytest.raises(StoreError, match=r"the disk is full: .*x\.gz .*ROBUSTSHAPE_CACHE") as error:
            get(server, path, "good", "good")
    assert not isinstance(error.value, DownloadError) and server.asked == [("/good", None)]
    assert left(path) == ["x.gz.part"]
    have = (tmp_path / "x.gz.part").stat().st_size
    assert 0 < have <= 100_000 and get(server, path, "good").read_bytes() == BODY
    assert server.asked[-1] == ("/good", f"bytes={have}-")


def test_a_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"x\.gz cannot be written .*ROBUSTSHAPE_CACHE"):
        get(server, tmp_path / "file" / "x.gz", "good")
    assert server.asked == []


def test_two_at_once_download_once(server, tmp_path):
    path = tmp_path / "x.gz"
    threads = [threading.Thread(target=get, args=(server, path, "slow")) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() == BODY and server.asked == [("/slow", None)]


def test_a_source_that_sends_without_an_end_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "MOST", 1000)
    with pytest.raises(DownloadError, match="more than the allowed 1,000 bytes"):
        get(server, tmp_path / "file", "good", size=None)
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())


@pytest.mark.parametrize("page", ["../../outside", "a/../../outside", "%2e%2e/outside"])
def test_an_address_does_not_say_where_a_file_goes(server, tmp_path, page):
    folder = tmp_path / "deep" / "deeper"
    assert get(server, folder / "file", page) == folder / "file"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"] == [
        "file"
    ]


@pytest.mark.parametrize("page", ["nonsense", "negative", "endless", "garbled", "huge"])
def test_a_length_that_is_none_is_not_believed(server, tmp_path, page):
    assert get(server, tmp_path / "x", page).read_bytes() == BODY


def test_a_source_that_has_no_such_range_of_the_whole_file_is_left(server, tmp_path):
    with pytest.raises(DownloadError, match=r"could not download x: http\S+/never: HTTP 416 Requested"):
        get(server, tmp_path / "x", "never")
    assert get(server, tmp_path / "x", "never", "good").read_bytes() == BODY


@pytest.mark.parametrize("page", ["chunk-length", "chunk-cut"])
def test_a_record_that_is_cut_short_is_continued_elsewhere(server, tmp_path, page):
    with pytest.raises(DownloadError, match=rf"{page}: cut short after 128,000 bytes"):
        get(server, tmp_path / "x", page)
    assert left(tmp_path / "x") == ["x.part"]
    assert get(server, tmp_path / "x", "good").read_bytes() == BODY and server.asked[-1][1] == "bytes=128000-"


def test_a_source_that_drips_is_left_though_every_byte_comes_in_time(server, tmp_path):
    began = time.monotonic()
    with pytest.raises(
        DownloadError, match=r"drip: fewer than 1,024 bytes a second for 0\.4 s \(\d+ arrived\)"
    ):
        get(server, tmp_path / "x", "drip", timeout=0.4)
    assert time.monotonic() - began < 4
    assert get(server, tmp_path / "x", "drip", "good", timeout=0.4).read_bytes() == BODY


@pytest.fixture
def deaf(monkeypatch):
    """Give the address of a host that takes connections and never answers."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("ROBUSTSHAPE_OFFLINE", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_hub_that_does_not_answer_is_told_of_in_time(deaf, server):
    began = time.monotonic()
    with pytest.raises(
        DownloadError, match=r"^127\.0\.0\.1:\d+ cannot be reached \(.*\); check the network .*, or wait$"
    ):
        download.check_answers(deaf, "wait", seconds=0.3)
    with pytest.raises(DownloadError, match=r"cannot be reached .*refused"):
        download.check_answers("http://127.0.0.1:9", "wait")
    assert time.monotonic() - began < 4
    download.check_answers(f"{server.url}/missing", "wait")  # any answer will do


def test_no_library_of_a_hub_is_asked_while_the_hub_does_not_answer(deaf, cache, monkeypatch):
    from robustshape.models import weights

    monkeypatch.setenv("HF_ENDPOINT", deaf)
    monkeypatch.setattr(
        weights, "check_answers", lambda url, instead: download.check_answers(url, instead, seconds=0.3)
    )
    with pytest.raises(
        DownloadError, match=r"put the weights of timm:a .size unknown., a.safetensors, into a folder"
    ):
        weights.download("timm:a", ["a.safetensors"], lambda: pytest.fail("it was asked"))
