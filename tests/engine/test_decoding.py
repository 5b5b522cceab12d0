"""One decoder for photographs and data sets; every depth, mode and scale of values; what is no image is named."""

from __future__ import annotations

import errno
import gzip
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

import engine
from engine.data import load
from engine.errors import GibbonError
from engine.files import IMAGE_SUFFIXES, replacing
from engine.images import array_levels, from_array, lattice, levels, open_image, write_png
from engine.record.saving import save_adversarial
from engine.stickers import Colour, Sticker

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) & 0xFFFFFFFF)


def png(rows: list[bytes], width: int, depth: int, colour: int, transparent: bytes = b"") -> bytes:
    """A PNG written byte by byte: Pillow writes neither 2 nor 4 bits of grey, nor 16 bits of colour."""
    head = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0)
    clear = chunk(b"tRNS", transparent) if transparent else b""
    body = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + clear + body + chunk(b"IEND", b"")


def opened(data: bytes, tmp_path: Path, name: str = "a.png") -> np.ndarray:
    (tmp_path / name).write_bytes(data)
    return open_image(tmp_path / name).pixels


@pytest.mark.parametrize("clear", [b"", struct.pack(">H", 3), struct.pack(">H", 15)])
def test_sixteen_bits_of_grey_are_reduced_whether_or_not_a_level_is_transparent(clear: bytes, tmp_path: Path) -> None:
    values = (np.arange(4096).reshape(64, 64) * 15).astype(">u2")
    expected = (values.astype(float) * 255 / 65535).round()
    if clear:
        expected[values == struct.unpack(">H", clear)[0]] = 255
    found = opened(png([row.tobytes() for row in values], 64, 16, 0, clear), tmp_path)
    assert np.abs(found - expected).max() <= 0.5


def test_sixteen_bits_of_colour_with_a_transparent_one(tmp_path: Path) -> None:
    values = np.zeros((2, 2, 3), ">u2")
    values[0, 0] = values[1, 1] = (0x1234, 0x5678, 0x9ABC)
    found = opened(png([row.tobytes() for row in values], 2, 16, 2, struct.pack(">HHH", 0x1234, 0x5678, 0x9ABC)), tmp_path)
    assert found.reshape(-1, 3).tolist() == [[255, 255, 255], [0, 0, 0], [0, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize("white", [256, 1000, 4095, 65535])
def test_a_dark_netpbm_file_of_many_levels_stays_dark(white: int, tmp_path: Path) -> None:
    """None of its levels is above 255 once Pillow has read them into 32 bits."""
    raw = np.array([0, 1, 1, 0], ">u2")
    levels_ = opened(b"P5 4 1 %d\n" % white + raw.tobytes(), tmp_path, "a.pgm")
    assert np.abs(levels_ - raw.astype(float) * 255 / white).max() <= 0.51


@pytest.mark.parametrize("most", [0.5, 1.0, 1.0005, 1.01, 3.0])
def test_a_float_tiff_a_little_beyond_one_is_no_black_image(most: float, tmp_path: Path) -> None:
    values = np.linspace(0, most, 256, dtype=np.float32).reshape(16, 16)
    Image.fromarray(values).save(tmp_path / "a.tif")
    found = open_image(tmp_path / "a.tif").pixels
    assert np.abs(found - 255 * (values if most <= 1 else np.minimum(values / (most if most > 1.001 else 1), 1))).max() <= 0.51


@pytest.mark.parametrize(("depth", "row", "step"), [(2, bytes([0b00011011]), 85), (4, bytes([0x01, 0x2F]), 17)])
def test_the_transparent_level_of_few_bits_is_on_the_files_own_scale(depth: int, row: bytes, step: int, tmp_path: Path) -> None:
    raw = [0, 1, 2, 3] if depth == 2 else [0, 1, 2, 15]
    found = opened(png([row], 4, depth, 0, struct.pack(">H", 2)), tmp_path)
    assert found[0].tolist() == [255 if level == 2 else level * step for level in raw]


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB", "I", "I;16", "F"]
)
def test_every_mode_that_a_file_may_have_is_decoded(mode: str) -> None:
    from engine.images.decoding import _plain

    notes: list[str] = []
    grey = Image.fromarray(RAMP)
    if mode == "LAB":
        image = Image.merge("LAB", (grey, Image.new("L", grey.size, 128), Image.new("L", grey.size, 128)))
    elif mode in ("La", "RGBa"):
        image = grey.convert(mode[:-1] + "A").convert(mode)
    elif mode in ("I;16", "F", "I"):
        image = Image.fromarray(RAMP.astype({"I;16": np.uint16, "F": np.float32, "I": np.int32}[mode]))
    elif mode in ("CMYK", "YCbCr", "HSV", "RGBX"):
        image = grey.convert("RGB").convert(mode)
    elif mode == "PA":
        image = grey.convert("P").convert("PA")
    else:
        image = grey.convert(mode)
    assert image.mode == mode
    found = np.asarray(_plain(image, notes)).astype(int)
    found = found if found.ndim == 2 else found.mean(2)
    expected = np.asarray(grey.convert("1")).astype(int) if mode == "1" else RAMP
    assert np.abs(found - expected).max() <= (10 if mode == "LAB" else 2)  # LAB's lightness is no linear scale of grey


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.linspace(0, 1 + 1e-7, 256).reshape(16, 16), RAMP),
        (np.linspace(-5e-4, 1 + 5e-4, 256).reshape(16, 16), RAMP),
        (np.linspace(0, 255.1, 256, dtype=np.float32).reshape(16, 16), RAMP),
        (RAMP.astype(np.int64), RAMP),
        (RAMP.astype(np.int32), RAMP),
        (RAMP.astype(np.int16) * 257, RAMP.astype(np.int16) * 257 // 257),
        (RAMP.astype(np.uint16) * 257, RAMP),
        (RAMP.astype(np.int64) * 257, RAMP),
        ((RAMP // 2).astype(np.int8), RAMP // 2),
        (RAMP.astype(np.float16) / 255, RAMP),
    ],
)
def test_the_scale_of_values_is_told_with_slack(values: np.ndarray, expected: np.ndarray) -> None:
    if values.dtype == np.int16:
        values, expected = values[:8], expected[:8]  # the upper half does not fit into 15 bits
    assert np.abs(from_array(values, "x").pixels.astype(int) - expected.astype(int)).max() <= 1


def test_colour_and_alpha_each_have_their_scale() -> None:
    opaque = np.dstack([np.full((4, 4, 3), 128.0), np.ones((4, 4, 1))])
    assert from_array(opaque, "x").pixels[0, 0].tolist() == [128, 128, 128]
    half = np.dstack([np.full((4, 4, 3), 0.5), np.full((4, 4, 1), 0.5)])
    assert from_array(half, "x").pixels[0, 0].tolist() == [191, 191, 191]
    with pytest.raises(GibbonError, match="alpha of 0 to 255"):
        from_array(np.dstack([np.full((4, 4, 3), 0.5), np.full((4, 4, 1), 255.0)]), "x")


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint32, np.uint16])
def test_an_alpha_of_ones_beside_colours_of_many_levels_is_refused(kind: type) -> None:
    with pytest.raises(GibbonError, match="alpha of 0 to 1,"):
        from_array(np.dstack([np.full((4, 4, 3), 128), np.ones((4, 4, 1))]).astype(kind), "x")
    opaque = np.iinfo(np.uint16).max if kind is np.uint16 else 255
    shown = from_array(np.dstack([np.full((4, 4, 3), opaque // 5), np.full((4, 4, 1), opaque)]).astype(kind), "x")
    assert shown.pixels[0, 0].tolist() == [51, 51, 51]


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_a_tensor_is_an_array_with_or_without_its_gradient(kind: torch.dtype) -> None:
    values = torch.rand(6, 5, 3, generator=torch.Generator().manual_seed(0)).to(kind)
    found = from_array(values.clone().requires_grad_(), "x").pixels  # type: ignore[arg-type]
    assert np.abs(found - 255 * values.float().numpy()).max() <= 0.501


@pytest.mark.parametrize("name", [None, 3, Path("x")])
def test_an_image_has_a_text_for_a_name(name: Any) -> None:
    with pytest.raises(GibbonError, match="no name of an image"):
        from_array(np.zeros((4, 4)), name)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.full((4, 4), -2.1), "Undo the normalisation"),
        (np.array([[-1.0, 2.0]]), "from -1 to 2"),
        (np.linspace(0, 1.01, 16).reshape(4, 4), "from 0 to 1.01"),
        (np.linspace(-0.2, 1, 16).reshape(4, 4), "from -0.2 to 1"),
        (np.linspace(-0.2, 2.6, 16, dtype=np.float32).reshape(4, 4), "Undo the normalisation"),
        (np.full((4, 4), 300.0), "pixels reach from 0 to 1 or from 0 to 255"),
        (np.full((4, 4), -1), "Undo the normalisation"),
        (np.full((4, 4), 70_000), "pixels reach"),
        (np.full((4, 4), np.nan), "NaN"),
        (np.full((4, 4), "a"), "not brightness"),
        (np.full((4, 4), None), "not brightness"),
        (np.full((4, 4), 1j), "not brightness"),
        ([[1, 2], [3]], "differ in length"),
        (None, "shape"),
        (np.zeros((0, 4)), "shape"),
    ],
)
def test_values_that_are_no_pixels_are_refused(values: Any, sentence: str) -> None:
    with pytest.raises(GibbonError, match=sentence):
        from_array(values, "x")


def test_metadata_does_not_keep_pixels_out(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", "x" * 3_000_000, zip=True)
    info.add_itxt("prompt", "y" * 3_000_000, zip=True)
    Image.new("RGB", (8, 8), (9, 99, 199)).save(tmp_path / "w.png", pnginfo=info)
    Image.new("RGB", (8, 8), (9, 99, 199)).save(tmp_path / "icc.png", icc_profile=bytes(3_000_000))
    for name in ("w.png", "icc.png"):
        assert open_image(tmp_path / name).pixels[0, 0].tolist() == [9, 99, 199]
    (tmp_path / "set").mkdir()
    (tmp_path / "w.png").rename(tmp_path / "set/w.png")
    assert load(f"folder:{tmp_path / 'set'}").images[0, :, 0, 0].tolist() == [9, 99, 199]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0", "CR3"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "video"),
        (b"\xff\x0a\0\0", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"v/1\x01\0\0\0\0", "OpenEXR"),
        (b"8BPS\0\x01", "Photoshop"),
        (b"II*\0\x10\0\0\0CR\x02\0", "CR2"),
        (b"\x93NUMPY\x01\0", "from_array"),
        (b"PK\x03\x04", "Unpack it"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x1aE\xdf\xa3", "video"),
        (b"<svg xmlns='x'>", "SVG"),
        (b"%PDF-1.7", "PDF"),
        (gzip.compress(b"<svg xmlns='x'/>", mtime=0), "SVG"),
        ("<svg/>".encode("utf-16"), "SVG"),
        (b"\x01\0\0\0" + bytes(36) + b" EMF", "EMF"),
        (b"\xc5\xd0\xd3\xc6", "EPS"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x08wide\0\0\x10\0mdat", "video"),
        (b"0&\xb2u\x8ef\xcf\x11", "WMV"),
        ((b"G" + bytes(187)) * 3, "video"),
        (b"\0MRM", "MRW"),
        (b"II+\0\x08\0\0\0\0", "TIFF"),
        (b"PK\x03\x04" + bytes(26) + b"images.npy", "NumPy"),
        (bytes(257) + b"ustar", "tar archive"),
        (b"\x89PNG\n\x1a\n", "binary mode"),  # its line ends were changed on the way
        (b"\xff\xd8\xff\xf7", "JPEG-LS"),
    ],
)
def test_what_is_no_image_is_named_with_a_cure(data: bytes, what: str, tmp_path: Path) -> None:
    with pytest.raises(GibbonError, match=what) as caught:
        opened(data + bytes(300), tmp_path, "a.bin")
    assert str(caught.value).endswith(".")
    assert "unknown" not in str(caught.value)


def test_large_photographs_warn_nobody(recwarn: pytest.WarningsRecorder, tmp_path: Path) -> None:
    Image.new("1", (12_000, 8_000)).save(tmp_path / "large.png")  # 96 megapixels: beyond Pillow's warning, within our limit
    assert open_image(tmp_path / "large.png").size == (12_000, 8_000)
    assert not [warning for warning in recwarn if "Decompression" in type(warning.message).__name__]


# ------------------------------------------------------------------ data sets


def folder_of(tmp_path: Path, **images: Image.Image) -> Path:
    (tmp_path / "set/x").mkdir(parents=True)
    for name, image in images.items():
        image.save(tmp_path / f"set/x/{name}.png")
    return tmp_path / "set"


def test_a_data_set_decodes_as_photographs_are(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = np.zeros((16, 16, 3), np.uint8)
    upright[:8] = 255
    folder = folder_of(
        tmp_path,
        deep=Image.fromarray((np.tile(np.arange(16), (16, 1)) * 4000).astype(np.uint16)),
        alpha=Image.fromarray(np.dstack([np.full((16, 16), 255), *[np.zeros((16, 16))] * 3]).astype(np.uint8), "RGBA"),
    )
    Image.fromarray(upright).save(folder / "x/turned.png", exif=exif)
    data = load(f"folder:{folder}")
    for row, path in enumerate(sorted((folder / "x").iterdir())):
        pixels = open_image(path).pixels
        pixels = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
        assert np.array_equal(data.images[row].permute(1, 2, 0).numpy(), pixels), path.name


def test_the_size_of_a_folder_s_images_is_the_upright_one(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "set/x").mkdir(parents=True)
    Image.new("RGB", (20, 10)).save(tmp_path / "set/x/1.jpg", exif=exif)
    assert engine.data.shape_of(f"folder:{tmp_path / 'set'}") == (3, 20, 10)
    assert load(f"folder:{tmp_path / 'set'}").shape == (3, 20, 10)


def test_every_suffix_is_seen_by_data_sets(tmp_path: Path) -> None:
    (tmp_path / "set/x").mkdir(parents=True)
    for number, suffix in enumerate(sorted(IMAGE_SUFFIXES)):
        (tmp_path / f"set/x/{number}{suffix.upper()}").write_bytes(png([bytes(8)] * 8, 8, 8, 0))
    assert len(load(f"folder:{tmp_path / 'set'}")) == len(IMAGE_SUFFIXES)


def test_hidden_and_broken_files_do_not_end_a_data_set(tmp_path: Path) -> None:
    for name in (".ipynb_checkpoints", "__MACOSX", "cat", "dog", "empty"):
        (tmp_path / name).mkdir()
    for name in ("__MACOSX", "cat", "dog"):
        Image.new("RGB", (8, 8)).save(tmp_path / name / "1.png")
    (tmp_path / "cat/._1.png").write_bytes(b"\0\5\26\7" + bytes(100))
    data = load(f"folder:{tmp_path}")
    assert (data.labels, data.targets.tolist(), data.notes) == (("cat", "dog"), [0, 1], ())
    (tmp_path / "cat/0.png").write_bytes(b"broken")
    data = load(f"folder:{tmp_path}")
    assert data.targets.tolist() == [0, 1]
    assert "One file was left out. “0.png” is not an image" in data.notes[0]
    (tmp_path / "cat/2.png").write_bytes(b"")
    assert "2 files were left out: 0.png, 2.png. The first: “0.png”" in load(f"folder:{tmp_path}").notes[0]
    for name in ("cat/1.png", "dog/1.png"):
        (tmp_path / name).write_bytes(b"broken")
    with pytest.raises(GibbonError, match="None of the 4 images"):
        load(f"folder:{tmp_path}")


# ------------------------------------------------------------------ writing


def test_a_file_and_a_verdict_round_the_same_way(tmp_path: Path) -> None:
    """Half levels of float32, of which float64 makes other levels."""
    halves = ((torch.arange(255) + 0.5) / 255).reshape(1, 15, 17)
    for image in (halves, halves + 0.3 - 0.3, halves.double(), torch.full((1, 2, 2), 0.3)):
        written = open_image(write_png(tmp_path / "a.png", image)).pixels
        (tmp_path / "a.png").unlink()
        assert np.array_equal(written, levels(image)[0].byte().numpy())
        assert torch.equal(lattice(image), levels(image) / 255)


@pytest.mark.parametrize(
    "image",
    [None, np.zeros((3, 4, 4)), torch.zeros(3, 0, 4), torch.zeros(4, 4), torch.zeros(1, 3, 4, 4), torch.ones(3, 4, 4, dtype=torch.uint8)],
)
def test_what_is_no_image_is_not_written(image: Any, tmp_path: Path) -> None:
    with pytest.raises(GibbonError, match="save"):
        write_png(tmp_path / "a.png", image)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")

    def fill(staged: Path) -> None:
        staged.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(GibbonError, match="no space is left there"), replacing(path) as staged:
        fill(staged)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "before"


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"width": -3}, "covers nothing"),
        ({"height": 0}, "covers nothing"),
        ({"x": float("nan")}, "Give a number"),
        ({"y": "top"}, "Give a number"),
        ({"content": None}, "no content"),
        ({"opacity": 2.0}, "from 0 to 1"),
        ({"opacity": float("nan")}, "from 0 to 1"),
        ({"opacity": "half"}, "from 0 to 1"),
    ],
)
def test_what_is_no_sticker_is_refused(parameters: dict[str, Any], sentence: str) -> None:
    with pytest.raises(GibbonError, match=sentence):
        Sticker(**{"id": 1, "x": 0, "y": 0, "width": 2, "height": 2, **parameters})


@pytest.mark.parametrize("rgb", [None, (1.0, 0.0), (2.0, 0.0, 0.0), "red", (0.1, 0.2, float("nan"))])
def test_what_is_no_colour_is_refused(rgb: Any) -> None:
    with pytest.raises(GibbonError, match="no colour"):
        Colour(rgb)


def test_arrays_round_as_files_do() -> None:
    halves = ((torch.arange(255) + 0.5) / 255).reshape(1, 15, 17)
    expected = levels(halves)[0].byte().numpy()
    assert np.array_equal(array_levels(halves.numpy())[0], expected)
    assert np.array_equal(from_array(halves[0].numpy(), "x").pixels, expected)


class Edge(torch.nn.Module):
    """The second class is whatever is lighter than level 76.5, where a half level decides."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        light = self.scale * (x.mean((1, 2, 3)) - 76.5 / 255) * 1e4
        return torch.stack([-light, light], 1)


@pytest.mark.parametrize("eps", [0.29, 0.3, 0.302, 0.31])
def test_a_verdict_on_eight_bits_is_that_of_the_written_file(eps: float, tmp_path: Path) -> None:
    classifier = engine.Classifier(Edge(), ["dark", "light"], (3, 4, 4), device="cpu")
    result = engine.run(engine.attacks.FGSM(eps=eps), classifier, torch.zeros(1, 3, 4, 4), torch.tensor([0]), seed=0)
    saved = save_adversarial(result, 0, tmp_path / "a.png")
    assert bool(result.survives_8bit[0]) is saved.still_adversarial
    assert np.array_equal(open_image(saved.path).pixels, levels(result.adversarial[0]).permute(1, 2, 0).byte().numpy())
