"""Download of data sets from a server on this machine: watched, left early, damaged, and put there by hand."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.data import load, loading
from engine.data.fetching import FILES, Published, fetching
from engine.errors import GibbonError


def _idx(values: np.ndarray) -> bytes:
    sizes = b"".join(side.to_bytes(4, "big") for side in values.shape)
    return gzip.compress(b"\0\0\x08" + bytes([values.ndim]) + sizes + values.astype(np.uint8).tobytes())


def _zip(entries: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return packed.getvalue()


def _png() -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", (40, 40), (9, 99, 199)).save(packed, "PNG")
    return packed.getvalue()


BODIES = {
    "t10k-images-idx3-ubyte.gz": _idx(np.arange(3 * 784).reshape(3, 28, 28)),
    "t10k-labels-idx1-ubyte.gz": _idx(np.array([7, 2, 1])),
    "images.zip": _zip({"GTSRB/Final_Test/Images/00000.ppm": _png(), "GTSRB/Readme.txt": b"read me"}),
    "table.zip": _zip({"GT-final_test.csv": b"Filename;ClassId\n00000.ppm;14\n"}),
}


class Handler(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        Handler.asked.append(name)
        if name not in BODIES:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODIES[name])))
        self.end_headers()
        self.wfile.write(BODIES[name])
        return None

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The published files, at addresses of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Handler.asked.clear()
    home = f"http://127.0.0.1:{server.server_address[1]}/"

    def at(name: str, folder: str, holds: str = "") -> Published:
        return Published(f"{home}{name}", hashlib.md5(BODIES[name]).hexdigest(), folder, holds)

    digits = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
    monkeypatch.setitem(FILES, ("mnist", "test"), tuple(at(name, "MNIST/raw") for name in digits))
    signs = at("images.zip", "gtsrb", "GTSRB/Final_Test/Images"), at("table.zip", "gtsrb", "GT-final_test.csv")
    monkeypatch.setitem(FILES, ("gtsrb", "test"), signs)
    yield home
    server.shutdown()
    thread.join()
    server.server_close()


def _left(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_digits_arrive_and_progress_is_told(served: str, tmp_path: Path) -> None:
    told = []
    bits = loading("mnist", "test", tmp_path, download=True)
    while True:
        try:
            told.append(next(bits))
        except StopIteration as end:
            data = end.value
            break
    assert data.targets.tolist() == [7, 2, 1]
    assert (len(BODIES["t10k-images-idx3-ubyte.gz"]),) * 2 in told
    assert _left(tmp_path) == ["MNIST/raw/t10k-images-idx3-ubyte.gz", "MNIST/raw/t10k-labels-idx1-ubyte.gz"]
    Handler.asked.clear()
    assert len(load("mnist", "test", tmp_path, download=True)) == 3
    assert not Handler.asked  # what is there is not fetched again


def test_archives_are_unpacked_and_removed(served: str, tmp_path: Path) -> None:
    data = load("gtsrb", "test", tmp_path, download=True)
    assert (data.targets.tolist(), data.shape) == ([14], (3, 32, 32))
    assert _left(tmp_path) == ["gtsrb/GT-final_test.csv", "gtsrb/GTSRB/Final_Test/Images/00000.ppm"]


def test_an_archive_that_was_put_there_by_hand_needs_no_network(served: str, tmp_path: Path) -> None:
    (tmp_path / "gtsrb").mkdir()
    for name in ("images.zip", "table.zip"):
        (tmp_path / "gtsrb" / name).write_bytes(BODIES[name])
    assert len(load("gtsrb", "test", tmp_path, download=True)) == 1
    assert not Handler.asked


def test_who_leaves_early_leaves_nothing_behind(served: str, tmp_path: Path) -> None:
    bits = loading("gtsrb", "test", tmp_path, download=True)
    assert [*islice(bits, 1)]
    bits.close()
    assert _left(tmp_path) == []


def test_what_is_missing_is_named_with_its_place(served: str, tmp_path: Path) -> None:
    with pytest.raises(GibbonError, match=r"was not found under .*missing: .*t10k-images-.*, .*t10k-labels.*--download.*; without a net"):
        load("mnist", "test", tmp_path)
    (tmp_path / "MNIST/raw").mkdir(parents=True)
    (tmp_path / "MNIST/raw/t10k-images-idx3-ubyte.gz").write_bytes(BODIES["t10k-images-idx3-ubyte.gz"])
    with pytest.raises(GibbonError, match="is not whole under") as error:
        load("mnist", "test", tmp_path)
    assert "t10k-images" not in str(error.value)
    (tmp_path / "gtsrb").mkdir()
    (tmp_path / "gtsrb/GT-final_test.csv").write_bytes(b"Filename;ClassId\n00000.ppm;14\n")
    with pytest.raises(GibbonError, match=r"is not whole under .*GTSRB/Final_Test/Images"):
        load("gtsrb", "test", tmp_path)


def test_other_files_and_no_network_are_refused_in_a_sentence(served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = FILES["mnist", "test"]
    monkeypatch.setitem(FILES, ("mnist", "test"), (images, Published(labels.url, "0" * 32, labels.folder)))
    with pytest.raises(GibbonError, match="not the published file: its MD5"):
        load("mnist", "test", tmp_path, download=True)
    assert _left(tmp_path) == ["MNIST/raw/t10k-images-idx3-ubyte.gz"]
    monkeypatch.setitem(FILES, ("mnist", "test"), (images, Published("http://127.0.0.1:9/gone.gz", "", labels.folder)))
    with pytest.raises(GibbonError, match=r"could not be downloaded .* put it at .*MNIST/raw/gone.gz"):
        load("mnist", "test", tmp_path, download=True)


def test_a_damaged_archive_leaves_no_half_of_a_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        member = tarfile.TarInfo("other/readme.txt")
        packed.addfile(member)
    with pytest.raises(GibbonError, match="holds no cifar-10-batches-py"):
        [*fetching(tmp_path, "cifar10", "test")]
    archive.write_bytes(b"no archive")
    with pytest.raises(GibbonError, match="cannot be unpacked"):
        [*fetching(tmp_path, "cifar10", "test")]
    assert _left(tmp_path) == ["cifar-10-python.tar.gz"]


_GIVEN = ("--count", "2", "--attack", "fgsm", "--eps", "0.1")
_COMMANDS = {
    "batch": ("batch", "--image-set", "mnist", "--model", "digits", *_GIVEN),
    "curve": ("evaluate", "curve", "digits", "--data-set", "mnist", *_GIVEN),
    "trust": ("evaluate", "trust", "digits", "--data-set", "mnist", "--queries", "5", "--draws", "2", *_GIVEN),
    "table": ("evaluate", "table", "small.toml"),
}


@pytest.mark.parametrize("name", _COMMANDS)
def test_the_command_that_advises_download_fetches_the_set(
    served: str, tmp_path: Path, run: Callable[..., tuple[int, str, str]], name: str
) -> None:
    models, attacks = 'models = ["digits"]', '[[attacks]]\nattack = "fgsm"\neps = 0.1'
    (tmp_path / "small.toml").write_text(f'{models}\n[[data]]\nname = "mnist:test"\ncount = 2\n{attacks}\n')
    given = (*_COMMANDS[name], "--data", "sets", "--device", "cpu")
    code, _, complained = run(*given)
    assert code == 2
    assert "--download" in complained
    assert not Handler.asked
    code, _, complained = run(*given, "--download")
    assert code == 0, complained
    assert len(_left(tmp_path / "sets")) >= 2
    assert len(Handler.asked) == 2
