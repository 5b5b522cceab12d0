"""Records inside figures and images: read from PNG, PDF and SVG, completed by the sidecar, and what carries none."""

from __future__ import annotations

import json
import re
import shutil
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, PngImagePlugin

import engine
from engine import attacks, figures, images, record
from engine.record import Record, carried
from tests.engine.test_record import load

SUFFIXES = [".png", ".pdf", ".svg"]


@pytest.fixture(scope="module")
def result() -> engine.AttackResult:
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(5))
    made = engine.run(attacks.PGD(eps=0.1, steps=5), load(), image, seed=3)
    assert isinstance(made, engine.AttackResult)
    return made


def entry_of(result: engine.AttackResult, **more: Any) -> Record:
    """The result's record as a figure's, with its pixels inside."""
    made = record.record_of(result, image=record.image_entry(result.clean[0]))
    return made.model_copy(update={"figure": {"panels": ["clean"]}, **more})


def drawn(result: engine.AttackResult, path: Path, entry: Record) -> Path:
    figure = figures.compose(figures.panels_for(result, 0, ["clean"]))
    return figures.export(figure, path, entry.to_json())[0]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_figure_alone_replays_to_the_same_bits(result: engine.AttackResult, tmp_path: Path, suffix: str) -> None:
    path = drawn(result, tmp_path / f"figure{suffix}", entry_of(result))
    alone = shutil.copy(path, tmp_path / f"renamed{suffix}")
    entry = Record.read(alone)
    assert entry == Record.read(tmp_path / f"figure{suffix}.json") == entry_of(result)
    assert record.replay(entry, load=load).same
    found = carried(alone)
    assert found is not None
    assert record.is_figure(found)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["(a) ((b", "c\\d\\", "zwei\nZeilen\r\n\t", "“é” 熊猫 \N{PANDA FACE}", "<b>&amp;</b>", "\\053 \\n"])
def test_any_text_comes_back(result: engine.AttackResult, tmp_path: Path, suffix: str, name: str) -> None:
    entry = entry_of(result)
    entry = entry.model_copy(update={"model": entry.model.model_copy(update={"name": name})})
    path = drawn(result, tmp_path / f"a{suffix}", entry)
    (tmp_path / f"a{suffix}.json").unlink()
    assert Record.read(path).model.name == name


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_too_long_for_the_file_is_read_from_the_sidecar(
    result: engine.AttackResult, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["engine.figures.export"], "_LONGEST", 200)
    path = drawn(result, tmp_path / f"a{suffix}", entry_of(result))
    sidecar = tmp_path / f"a{suffix}.json"
    assert Record.read(path) == entry_of(result)
    other = json.loads(sidecar.read_text("utf-8"))
    other["seed"] = 4
    sidecar.write_text(json.dumps(other), "utf-8")
    with pytest.raises(engine.GibbonError, match=f"“a{suffix}.json” is not the record of “a{suffix}”"):
        Record.read(path)
    sidecar.write_text("{", "utf-8")
    with pytest.raises(engine.GibbonError, match="is not the record of"):
        Record.read(path)
    sidecar.unlink()
    with pytest.raises(engine.GibbonError, match=f"without the pixels, which are in “a{suffix}.json”. Put that file beside it"):
        Record.read(path)


def test_a_renamed_figure_finds_its_renamed_sidecar(result: engine.AttackResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["engine.figures.export"], "_LONGEST", 200)
    path = drawn(result, tmp_path / "a.pdf", entry_of(result))
    path.rename(tmp_path / "b.pdf")
    (tmp_path / "a.pdf.json").rename(tmp_path / "b.pdf.json")
    assert Record.read(tmp_path / "b.pdf") == entry_of(result)


@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt", "iTXt, packed"])
def test_every_kind_of_text_in_a_png(result: engine.AttackResult, tmp_path: Path, kind: str) -> None:
    text, info = json.dumps(entry_of(result).to_json()), PngImagePlugin.PngInfo()
    if kind.startswith("iTXt"):
        info.add_itxt("gibbon", text, zip="packed" in kind)
    else:
        info.add_text("gibbon", text, zip=kind == "zTXt")
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=info)
    assert Record.read(tmp_path / "a.png") == entry_of(result)


def test_an_adversarial_image_says_that_it_is_no_figure(result: engine.AttackResult, tmp_path: Path) -> None:
    text = entry_of(result, figure=None).model_dump_json()
    path = images.write_png(tmp_path / "a.png", result.adversarial[0], {"gibbon": text})
    found = carried(path)
    assert found is not None
    assert not record.is_figure(found)
    assert Record.read(path) == entry_of(result, figure=None)


def png_with(text: bytes, kind: bytes = b"tEXt") -> bytes:
    """A PNG that begins with a text chunk and has nothing else."""
    chunk = kind + b"gibbon\0" + text
    return b"\x89PNG\r\n\x1a\n" + len(chunk[4:]).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        (".png", b"\x89PNG\r\n\x1a\n"),
        (".png", png_with(b"{")),
        (".png", png_with(b"[1]")),
        (".png", png_with(b"[" * 100_000)),
        (".png", png_with(b"{}")[:20]),
        (".png", png_with(b"\0damaged", b"zTXt")),
        (".png", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXtgibbon\0{}"),
        (".pdf", b"%PDF-1.4\n1 0 obj << /Title (x) >>"),
        (".pdf", b"%PDF-1.4\n/Keywords (one, two)"),
        (".pdf", b"%PDF-1.4\n/Keywords (never closed"),
        (".pdf", b"%PDF-1.4\n/Keywords (\\"),
        (".svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        (".svg", b"<svg><dc:description>a drawing</dc:description></svg>"),
        (".svg", b"<svg>\xff\xfe</svg>"),
    ],
)
def test_a_file_without_a_record_says_so(tmp_path: Path, suffix: str, data: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    assert carried(path) is None
    with pytest.raises(engine.GibbonError, match=f"“a{suffix}” carries no record of Gibbon's. Choose the .json"):
        Record.read(path)


def test_a_text_that_unpacks_to_all_memory_is_cut(tmp_path: Path) -> None:
    bomb = zlib.compress(b" " * (100 * 2**20), 9)
    (tmp_path / "a.png").write_bytes(png_with(b"\0" + bomb, b"zTXt"))
    assert carried(tmp_path / "a.png") is None


def test_content_decides_and_not_the_suffix(result: engine.AttackResult, tmp_path: Path) -> None:
    path = drawn(result, tmp_path / "a.pdf", entry_of(result))
    assert Record.read(path.rename(tmp_path / "a.json")) == entry_of(result)
    entry_of(result).write(tmp_path / "b.png")
    assert Record.read(tmp_path / "b.png") == entry_of(result)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_figure_of_no_run_carries_no_record(result: engine.AttackResult, tmp_path: Path, suffix: str) -> None:
    figure = figures.compose(figures.panels_for(result, 0, ["clean"]))
    path, _ = figures.export(figure, tmp_path / f"a{suffix}", {"model": {"name": "small"}, "figure": {"panels": ["clean"]}})
    with pytest.raises(engine.GibbonError, match="carries no record"):
        Record.read(path)
    with pytest.raises(engine.GibbonError, match=re.escape(f"There is no file “{tmp_path / 'gone.png'}”")):
        Record.read(tmp_path / "gone.png")
