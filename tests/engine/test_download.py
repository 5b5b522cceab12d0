"""Downloads from a server on this machine: watched, cancelled, cut short, wrong."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from engine.download import DownloadCancelled, download
from engine.errors import GibbonError

BODY = bytes(range(256)) * 2048
DIGEST = hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    stalled = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/absent":
            return self.send_error(404)
        body = b"<!DOCTYPE html><html>Sign in</html>" if self.path == "/page" else b"" if self.path == "/empty" else BODY
        self.send_response(200)
        if self.path != "/unsized":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.path == "/short":
            body = body[:1000]
        if self.path == "/stall":
            self.wfile.write(body[:1000])
            self.wfile.flush()
            self.stalled.wait(30)
            return None
        self.wfile.write(body)
        return None

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    Handler.stalled.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "net.pth"


def left(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_the_whole_file_arrives_and_progress_is_told(server: str, target: Path) -> None:
    told: list[tuple[int, int | None]] = []
    assert download(f"{server}/file", target, sha256_prefix=DIGEST[:8], progress=lambda *now: told.append(now)) == target
    assert target.read_bytes() == BODY
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (len(BODY), len(BODY))
    assert left(target) == ["net.pth"]


def test_a_body_of_unknown_length(server: str, target: Path) -> None:
    told: list[tuple[int, int | None]] = []
    download(f"{server}/unsized", target, progress=lambda *now: told.append(now))
    assert target.read_bytes() == BODY
    assert told[-1] == (len(BODY), None)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/short", f"ended after 1,000 bytes of {len(BODY):,}"),
        ("/empty", "ended after 0 bytes"),
        ("/page", "gave a web page"),
        ("/absent", "answered 404"),
        ("/file", "not the published file: its SHA-256 begins with"),
    ],
)
def test_what_is_wrong_leaves_nothing_behind(server: str, target: Path, path: str, words: str) -> None:
    with pytest.raises(GibbonError, match=words):
        download(f"{server}{path}", target, sha256_prefix="00000000" if path == "/file" else "")
    assert left(target) == []


def test_a_failure_leaves_the_old_file(server: str, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"old")
    with pytest.raises(GibbonError):
        download(f"{server}/short", target)
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("path", ["/file", "/stall"])
def test_cancel_ends_it_even_where_the_server_says_nothing(server: str, target: Path, path: str) -> None:
    begun = threading.Event()
    with pytest.raises(DownloadCancelled, match="cancelled"):
        download(f"{server}{path}", target, progress=lambda *_: begun.set(), cancel=begun.is_set)
    assert begun.is_set()
    assert left(target) == []


def test_without_a_network_it_says_where_to_put_the_file(target: Path) -> None:
    url = "http://127.0.0.1:9/net.pth"  # the discard port: nobody listens
    with pytest.raises(GibbonError, match="could not be downloaded") as error:
        download(url, target)
    assert url in str(error.value)
    assert str(target) in str(error.value)


def test_a_server_that_stops_talking_is_given_up(server: str, target: Path) -> None:
    with pytest.raises(GibbonError, match=r"timed out"):
        download(f"{server}/stall", target, timeout=0.3)
    assert left(target) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(GibbonError, match="cannot be written"):
        download("http://127.0.0.1:9/net.pth", tmp_path / "file" / "net.pth")
