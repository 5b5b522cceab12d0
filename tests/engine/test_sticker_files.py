"""Stickers in files: every value comes back from text and picture, and pictures are read with the alpha that they have."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine import stickers as s
from engine.errors import GibbonError
from engine.images import open_image
from engine.record import read_stickers, stickers_as_text, stickers_from_text, write_stickers

GENERATOR = torch.Generator().manual_seed(4)
ALL = (
    s.Sticker(1, 2, 3, 5, 4, s.Colour((0.25, 0.5, 1)), 0.5, "blue", locked=True),
    s.Sticker(2, 1.5, 3.25, 5.5, 4, s.Pixels(torch.rand(3, 6, 5, generator=GENERATOR), "face"), shape=s.Ellipse(), angle=30),
    s.Sticker(3, 0, 0, 6, 6, s.Optimised(torch.rand(1, 6, 6, generator=GENERATOR)), shape=s.Polygon(), visible=False),
    s.Sticker(4, -3, 8, 4, 4, s.Optimised(), shape=s.Brushed.of(torch.eye(4))),
    s.Sticker(5, 9, 9, 4, 4, s.Shadow()),
)


def assert_same(one: s.Sticker, other: s.Sticker) -> None:
    assert replace(one, content=s.Colour()) == replace(other, content=s.Colour())
    assert type(one.content) is type(other.content)
    images = [getattr(each.content, "image", None) for each in (one, other)]
    assert images[0] is images[1] or torch.equal(*images)  # type: ignore[arg-type]
    if not hasattr(one.content, "image"):
        assert one.content == other.content


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("suffix", [".json", ".png", ".PNG"])
def test_stickers_come_back_from_a_file(tmp_path: Path, suffix: str, count: int) -> None:
    path = write_stickers(ALL[:count], tmp_path / f"kept{suffix}")
    found = read_stickers(path, 16, 16)
    assert found.note == ""
    for one, other in zip(ALL[:count], found.stickers, strict=True):
        assert_same(one, other)


def test_one_is_the_record_s_entry_and_several_are_a_list() -> None:
    assert json.loads(stickers_as_text(ALL[:1]))["content"] == "colour"
    assert len(json.loads(stickers_as_text(ALL))) == 5
    assert stickers_from_text(stickers_as_text(ALL[:1])) == ALL[:1]


def test_the_png_shows_the_stickers_on_a_clear_ground(tmp_path: Path) -> None:
    write_stickers(
        (s.Sticker(1, 10, 20, 6, 4, s.Colour((1, 0, 0)), 0.5), s.Sticker(2, 14, 20, 4, 4, s.Colour((0, 0, 1)))), tmp_path / "a.png"
    )
    with Image.open(tmp_path / "a.png") as image:
        values = np.asarray(image)
    assert values.shape == (4, 8, 4)
    assert values[0, 0].tolist() == [255, 0, 0, 128]
    assert values[0, 7].tolist() == [0, 0, 255, 255]
    assert open_image(tmp_path / "a.png").pixels.shape == (4, 8, 3)


def test_a_picture_of_the_image_s_size_lies_where_it_was(tmp_path: Path) -> None:
    values = np.zeros((12, 16, 4), np.uint8)
    values[3:9, 5:15] = np.random.default_rng(2).integers(1, 256, (6, 10, 4))
    Image.fromarray(values, "RGBA").save(tmp_path / "a.png")
    found = read_stickers(tmp_path / "a.png", 12, 16)
    (sticker,) = found.stickers
    assert found.note == ""
    assert (sticker.x, sticker.y, sticker.width, sticker.height) == (5, 3, 10, 6)
    assert torch.equal((s.coverage(sticker, 12, 16)[0] * 255).round().byte(), torch.from_numpy(values[..., 3].copy()))
    painted = s.paint(torch.zeros(3, 12, 16), [sticker])
    expected = torch.from_numpy(values[..., :3].copy()).float().permute(2, 0, 1) / 255 * torch.from_numpy(values[..., 3].copy()) / 255
    assert torch.allclose(painted, expected, atol=1e-6)


@pytest.mark.parametrize(("size", "box"), [((40, 20), (4, 0, 8, 16)), ((8, 4), (6, 4, 4, 8)), ((16, 32), (0, 4, 16, 8))])
def test_a_picture_of_another_size_keeps_its_aspect_and_says_so(tmp_path: Path, size: tuple[int, int], box: tuple[int, ...]) -> None:
    Image.new("RGB", (size[1], size[0]), (0, 255, 0)).save(tmp_path / "green.png")
    found = read_stickers(tmp_path / "green.png", 16, 16)
    (sticker,) = found.stickers
    assert (sticker.x, sticker.y, sticker.width, sticker.height) == box
    assert sticker.shape == s.Rectangle()
    assert f"{size[1]} × {size[0]} pixels, and the image 16 × 16" in found.note
    assert found.note.endswith(".")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA", "L", "1", "I;16"])
def test_alpha_of_every_kind_of_png(tmp_path: Path, mode: str) -> None:
    grey = np.zeros((6, 6), np.uint8)
    grey[1:5, 2:4] = 255
    path = tmp_path / "a.png"
    if mode == "RGBA":
        Image.fromarray(np.dstack([grey, grey, grey, grey]), "RGBA").save(path)
    elif mode in ("LA", "PA"):
        Image.merge("LA", [Image.fromarray(grey)] * 2).save(path)
    elif mode == "P":
        image = Image.fromarray((grey > 0).astype(np.uint8), "P")
        image.putpalette([0, 0, 0, 255, 255, 255])
        image.save(path, transparency=0)
    elif mode == "I;16":
        Image.fromarray(grey.astype(np.uint16) * 257).save(path)
    elif mode == "L":
        Image.fromarray(grey).save(path, transparency=0)
    else:
        Image.fromarray(grey).convert("1").save(path)
    (sticker,) = read_stickers(path, 6, 6, mask=s.Optimised()).stickers
    assert (sticker.x, sticker.y, sticker.width, sticker.height) == (2, 1, 2, 4)
    assert isinstance(sticker.content, s.Optimised)


def test_colours_of_clear_pixels_do_not_leak_into_a_reduced_picture(tmp_path: Path) -> None:
    values = np.zeros((1200, 1200, 4), np.uint8)
    values[..., 1] = 255
    values[::2] = (255, 0, 0, 255)
    Image.fromarray(values, "RGBA").save(tmp_path / "a.png")
    (sticker,) = read_stickers(tmp_path / "a.png", 64, 64).stickers
    assert isinstance(sticker.content, s.Pixels)
    assert sticker.content.image[1].max() < 0.01
    assert sticker.content.image[0].min() > 0.99


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.json", b"", "is no sticker"),
        ("a.json", b"[1, 2]", "is no sticker"),
        ("a.json", b'{"id": 1}', "is no sticker: its entry"),
        ("a.json", b"[" * 100_000, "is no sticker"),
        ("a.json", b'{"id":1,"x":0,"y":0,"width":2,"height":2,"content":"colour","shape":{"kind":"star"}}', "no sticker shape"),
        ("a.png", b"", "empty"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "damaged"),
    ],
)
def test_a_bad_file_is_a_sentence(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(GibbonError, match=words) as said:
        read_stickers(tmp_path / name, 16, 16)
    assert str(said.value).endswith(".")


def test_pictures_that_cover_nothing_and_other_suffixes_are_refused(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (255, 255, 255, 0)).save(tmp_path / "clear.png")
    Image.new("L", (4, 4), 0).save(tmp_path / "black.png")
    with pytest.raises(GibbonError, match="fully transparent"):
        read_stickers(tmp_path / "clear.png", 16, 16)
    with pytest.raises(GibbonError, match="black everywhere"):
        read_stickers(tmp_path / "black.png", 16, 16, mask=s.Optimised())
    with pytest.raises(GibbonError, match="is a folder"):
        read_stickers(tmp_path, 16, 16)
    with pytest.raises(GibbonError, match=r"not as “\.jpg”"):
        write_stickers(ALL, tmp_path / "a.jpg")
    with pytest.raises(GibbonError, match="no stickers to be saved"):
        write_stickers((), tmp_path / "a.png")
    huge = replace(ALL[0], width=1_000_000, height=1_000_000)
    with pytest.raises(GibbonError, match="too large"):
        write_stickers([huge], tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()
