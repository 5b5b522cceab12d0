"""Opening, cropping and saving images: every kind of file, and every kind of bad one."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import engine
from engine import attacks, images, resources
from engine.errors import GibbonError


def classifier(shape: tuple[int, int, int], seed: int = 0) -> engine.Classifier:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), 3))
    return engine.Classifier(module, ["a", "b", "c"], shape, name="linear", device="cpu")


@pytest.fixture
def picture() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def save(tmp_path: Path, image: Image.Image, name: str, **options: Any) -> Path:
    path = tmp_path / name
    image.save(path, **options)
    return path


# ------------------------------------------------------------------ kinds of images


def test_an_rgb_png_is_read_as_it_is(tmp_path: Path, picture: Any) -> None:
    path = save(tmp_path, Image.fromarray(picture), "a.png")
    photograph = images.open_image(path)
    assert (photograph.pixels == picture).all()
    assert photograph.size == (30, 20)
    assert photograph.notes == ()
    assert photograph.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
def test_exif_orientation_gives_the_upright_picture(tmp_path: Path, picture: Any, orientation: int, suffix: str) -> None:
    # What a camera held that way would have stored: the inverse of what a viewer has to do.
    stored = {
        1: picture,
        2: picture[:, ::-1],
        3: picture[::-1, ::-1],
        4: picture[::-1],
        5: picture.transpose(1, 0, 2),
        6: np.rot90(picture, 1),
        7: picture[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(picture, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    photograph = images.open_image(save(tmp_path, Image.fromarray(np.ascontiguousarray(stored)), f"a.{suffix}", exif=exif, **options))
    assert photograph.pixels.shape == picture.shape
    assert (photograph.pixels == picture).all()
    assert ("turned by its EXIF orientation" in photograph.notes) == (orientation != 1)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_does_not_cost_the_picture(tmp_path: Path, picture: Any) -> None:
    path = save(tmp_path, Image.fromarray(picture), "a.png", exif=b"Exif\0\0II*\0\xff\xff\xff\xff nonsense")
    assert (images.open_image(path).pixels == picture).all()


def test_alpha_is_laid_over_white(tmp_path: Path, picture: Any) -> None:
    alpha = np.random.default_rng(1).integers(0, 256, (20, 30), dtype=np.uint8)
    expected = (picture * (alpha[..., None] / 255) + 255 * (1 - alpha[..., None] / 255)).round()
    rgba = np.dstack([picture, alpha])
    photograph = images.open_image(save(tmp_path, Image.fromarray(rgba), "a.png"))
    assert np.abs(photograph.pixels - expected).max() <= 1
    assert photograph.notes == ("alpha laid over white",)
    pasted = images.from_array(rgba, "pasted")
    assert np.abs(pasted.pixels - expected).max() <= 1
    assert pasted.notes == photograph.notes
    assert images.from_array(np.dstack([picture, np.full_like(alpha, 255)]), "pasted").notes == ()


def test_grey_with_alpha_stays_grey(tmp_path: Path) -> None:
    image = Image.merge("LA", (Image.new("L", (4, 3), 100), Image.new("L", (4, 3), 0)))
    photograph = images.open_image(save(tmp_path, image, "a.png"))
    assert photograph.grey
    assert (photograph.pixels == 255).all()


def test_a_palette_is_expanded_and_its_transparent_entry_is_white(tmp_path: Path) -> None:
    image = Image.new("P", (4, 2))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    plain = images.open_image(save(tmp_path, image, "a.png"))
    assert plain.pixels[0, 1].tolist() == [200, 100, 50]
    assert plain.pixels[0, 0].tolist() == [10, 20, 30]
    assert plain.notes == ("palette expanded",)
    clear = images.open_image(save(tmp_path, image, "b.png", transparency=0))
    assert clear.pixels[0, 0].tolist() == [255, 255, 255]
    assert clear.notes == ("palette expanded", "alpha laid over white")


def test_one_bit_and_grey(tmp_path: Path) -> None:
    bits = np.array([[True, False, True]])
    photograph = images.open_image(save(tmp_path, Image.fromarray(bits), "a.png"))
    assert photograph.pixels.tolist() == [[255, 0, 255]]
    assert photograph.notes == ("1 bit expanded to 8",)
    grey = images.open_image(save(tmp_path, Image.new("L", (3, 2), 77), "b.png"))
    assert grey.grey
    assert grey.notes == ()


def test_cmyk_is_converted_and_said(tmp_path: Path) -> None:
    path = save(tmp_path, Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "a.jpg", quality=100)
    photograph = images.open_image(path)
    assert photograph.notes == ("CMYK converted to RGB",)
    assert np.abs(photograph.pixels.astype(int) - [255, 0, 0]).max() <= 2


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bits_keep_their_full_scale(tmp_path: Path, suffix: str) -> None:
    values = np.array([[0, 128, 129, 257, 30000, 65535]], dtype=np.uint16)
    photograph = images.open_image(save(tmp_path, Image.fromarray(values), f"a.{suffix}"))
    assert photograph.pixels.tolist() == [[0, 0, 1, 1, 117, 255]]
    assert photograph.notes == ("16 bit reduced to 8",)


def test_sixteen_bit_colour_is_said(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + struct.pack(">6H", 65535, 0, 30000, 257, 512, 1024) for _ in range(2))
    path = tmp_path / "deep.png"
    path.write_bytes(_png(2, 2, 16, 2, rows))
    photograph = images.open_image(path)
    assert photograph.notes == ("16 bit reduced to 8",)
    assert np.abs(photograph.pixels[0].astype(int) - [[255, 0, 117], [1, 2, 4]]).max() <= 1


@pytest.mark.parametrize(
    ("values", "expected", "note"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255], "float values 0 to 1 reduced to 8 bit"),
        ([0.0, 99.6, 200.0], [0, 100, 200], "float values 0 to 255 reduced to 8 bit"),
        ([-1.0, 0.0, 3.0], [0, 64, 255], "float values scaled from their range -1 to 3"),
    ],
)
def test_a_float_tiff(tmp_path: Path, values: list[float], expected: list[int], note: str) -> None:
    photograph = images.open_image(save(tmp_path, Image.fromarray(np.array([values], dtype=np.float32)), "a.tiff"))
    assert photograph.pixels.tolist() == [expected]
    assert photograph.notes == (note,)


def test_a_float_tiff_with_nan_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, Image.fromarray(np.array([[0, np.nan]], dtype=np.float32)), "a.tiff")
    with pytest.raises(GibbonError, match="NaN"):
        images.open_image(path)


@pytest.mark.parametrize(("suffix", "word"), [("gif", "frames"), ("png", "frames"), ("webp", "frames"), ("tiff", "pages")])
def test_the_first_of_many_frames(tmp_path: Path, suffix: str, word: str) -> None:
    frames = [Image.new("RGB", (8, 6), (60 * i, 10, 200)) for i in range(4)]
    options: dict[str, Any] = {"save_all": True, "append_images": frames[1:]}
    if suffix == "webp":
        options["lossless"] = True
    photograph = images.open_image(save(tmp_path, frames[0], f"a.{suffix}", **options))
    assert photograph.notes[0] == f"first of 4 {word}"
    assert photograph.pixels[3, 3].tolist() == [0, 10, 200]


# ------------------------------------------------------------------ bad input


def _png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


BAD = {
    "empty": (b"", "empty"),
    "html": (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "text": ("Grüße, this is a note\n".encode(), "it is text"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>', "vector drawing"),
    "pdf": (b"%PDF-1.7 ...", "document"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "document"),
    "tiff": (b"II*\0\x08\0\0\0\0\0\0\0\0\0", "TIFF of a kind that is not supported"),
    "noise": (bytes(np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8)), "format is unknown"),
    "enormous": (_png(20_000, 20_000, 8, 2, b""), "400 megapixels"),
    "large": (_png(12_000, 10_000, 8, 2, b""), r"12,000 × 10,000 pixels, 120 megapixels"),
    "absurd": (_png(2_000_000_000, 2_000_000_000, 8, 2, b""), "too large"),
    "no rows": (_png(10, 10, 8, 2, b""), "damaged or cut short"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bad_file_is_one_sentence(tmp_path: Path, kind: str) -> None:
    data, words = BAD[kind]
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    with pytest.raises(GibbonError, match=words) as error:
        images.open_image(path)
    assert "“bad.png”" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "tiff", "bmp"])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = save(tmp_path, Image.fromarray(noise), f"a.{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(GibbonError, match="damaged or cut short"):
        images.open_image(path)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(GibbonError, match="no file"):
        images.open_image(tmp_path / "absent.png")
    with pytest.raises(GibbonError, match="folder"):
        images.open_image(tmp_path)


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2, 2), np.uint8), np.zeros((0, 4), np.uint8), np.full((2, 2), np.nan), np.zeros((2, 2), complex)]
)
def test_bad_arrays_are_refused(array: Any) -> None:
    with pytest.raises(GibbonError, match="pasted"):
        images.from_array(array, "pasted")


# ------------------------------------------------------------------ what the classifier sees


def test_the_default_crop_is_the_largest_centred_rectangle() -> None:
    photograph = images.from_array(np.zeros((60, 100), np.uint8), "a")
    assert photograph.default_crop(classifier((1, 10, 10))) == (20, 0, 60, 60)
    assert photograph.default_crop(classifier((1, 10, 40))) == (0, 17, 100, 25)
    assert images.from_array(np.zeros((1, 1), np.uint8), "a").default_crop(classifier((1, 8, 32))) == (0, 0, 1, 1)


def test_at_its_own_size_nothing_is_resampled(picture: Any) -> None:
    seen = images.from_array(picture, "a").crop_to(classifier((3, 12, 10)), (5, 4, 10, 12))
    assert seen.dtype == torch.float32
    assert torch.equal(seen, torch.from_numpy(picture[4:16, 5:15]).permute(2, 0, 1) / 255)


def test_reduction_is_antialiased_and_on_the_lattice() -> None:
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    seen = images.from_array(stripes, "a").crop_to(classifier((1, 8, 8)))
    assert ((seen - 0.5).abs() < 0.02).all()  # without antialiasing it would be all 0 or all 1
    assert torch.equal(seen, images.lattice(seen))


@pytest.mark.parametrize(("side", "levels"), [(20, 1.01), (150, 4.01)])
def test_reduction_agrees_with_the_resize_inside_a_classifier(picture: Any, side: int, levels: float) -> None:
    pixels = np.asarray(Image.fromarray(picture[:, :20]).resize((side, side), Image.Resampling.BICUBIC))
    whole = torch.tensor(pixels).permute(2, 0, 1)[None] / 255
    expected = torch.nn.functional.interpolate(whole, (8, 8), mode="bilinear", antialias=True)[0]
    seen = images.from_array(pixels, "a").crop_to(classifier((3, 8, 8)))
    assert (seen - expected).abs().max() <= levels / 255


def test_colour_becomes_grey_and_grey_colour(picture: Any) -> None:
    grey = images.from_array(picture, "a").crop_to(classifier((1, 20, 30)))
    expected = picture @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey[0].numpy() * 255 - expected).max() <= 1
    colour = images.from_array(picture[:, :, 0], "a").crop_to(classifier((3, 20, 30)))
    assert torch.equal(colour[0], colour[1])
    assert torch.equal(colour[0], torch.from_numpy(picture[:, :, 0]) / 255)


@pytest.mark.parametrize(("crop", "words"), [((0, 0, 0, 5), "empty"), ((-1, 0, 5, 5), "leaves"), ((26, 0, 5, 5), "leaves")])
def test_a_bad_crop_is_refused(picture: Any, crop: tuple[int, int, int, int], words: str) -> None:
    with pytest.raises(GibbonError, match=words):
        images.from_array(picture, "a").crop_to(classifier((3, 8, 8)), crop)


def test_other_channels_are_refused(picture: Any) -> None:
    with pytest.raises(GibbonError, match="takes 4 channels"):
        images.from_array(picture, "a").crop_to(classifier((4, 8, 8)))


# ------------------------------------------------------------------ saving


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_holds_the_lattice_exactly(tmp_path: Path, channels: int) -> None:
    image = torch.rand(channels, 9, 7, generator=torch.Generator().manual_seed(0))
    path = images.write_png(tmp_path / "a", image, {"Gibbon": "eps 8/255 – ü"})
    assert path == tmp_path / "a.png"
    assert torch.equal(images.read(path, classifier((channels, 9, 7))), images.lattice(image))
    with Image.open(path) as file:
        assert file.text["Gibbon"] == "eps 8/255 – ü"  # type: ignore[attr-defined]
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path: Path) -> None:
    path = images.write_png(tmp_path / "a.png", torch.zeros(1, 4, 4))
    before = path.read_bytes()
    for image in (torch.full((1, 4, 4), 1.5), torch.full((1, 4, 4), torch.nan), torch.zeros(2, 4, 4), torch.zeros(4, 4)):
        with pytest.raises(GibbonError):
            images.write_png(path, image)
    assert path.read_bytes() == before
    with pytest.raises(GibbonError, match="PNG only"):
        images.write_png(tmp_path / "a.jpg", torch.zeros(1, 4, 4))
    with pytest.raises(GibbonError, match="cannot be written"):
        images.write_png(tmp_path / "absent" / "a.png", torch.zeros(1, 4, 4))


def test_a_saved_adversarial_image_is_classified_again(tmp_path: Path) -> None:
    model = classifier((3, 8, 8))
    clean = torch.full((2, 3, 8, 8), 0.5)
    result = engine.run(attacks.PGD(norm="linf", eps=0.2, steps=10, random_start=False), model, clean, seed=0)
    assert bool(result.success.all())
    saved = engine.save_adversarial(result, 1, tmp_path / "a.png")
    again = images.read(saved.path, model)
    assert saved.prediction == int(model(again[None]).argmax())
    assert saved.probability == pytest.approx(float(model(again[None]).softmax(1).max()))
    assert saved.prediction_name == model.labels[saved.prediction]
    assert saved.was_adversarial
    assert saved.still_adversarial == bool(result.survives_8bit[1])
    assert "still adversarial" in saved.sentence
    with pytest.raises(GibbonError, match="no row 2"):
        engine.save_adversarial(result, 2, tmp_path / "b.png")


def test_an_attack_that_rounding_undoes_is_said(tmp_path: Path) -> None:
    # The decision lies between two levels: 0.5 is not k/255, and a step of 0.0005 is rounded away.
    module = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
    with torch.no_grad():
        module[1].weight.copy_(torch.tensor([[0.0], [1000.0]]))
        module[1].bias.copy_(torch.tensor([100 / 255 * 1000 + 0.3, 0.0]))
    model = engine.Classifier(module, ["below", "above"], (1, 1, 1), device="cpu")
    clean = torch.full((1, 1, 1, 1), 100 / 255)
    result = engine.run(attacks.PGD(norm="linf", eps=0.0005, steps=5, random_start=False), model, clean, seed=0)
    assert bool(result.success[0])
    saved = engine.save_adversarial(result, 0, tmp_path / "a.png")
    assert saved.was_adversarial
    assert not saved.still_adversarial
    assert "rounding to 8 bits undid" in saved.sentence


class Departing(nn.Module):
    """The mean pixel decides, or, with ``mixing``, also the number of images; with ``random``, chance."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.passes = how, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.passes += 1
        shift = (
            0.2 * len(x) if self.how == "mixing" else 2 * (float(self.passes < 20) - torch.rand(1) * 1e-3) if self.how == "random" else 0.0
        )
        score = x.flatten(1).mean(1) - 0.5 + shift
        return torch.stack([torch.zeros_like(score), score], 1)


def test_rounding_is_blamed_only_where_it_was_seen_to_be_the_cause(tmp_path: Path) -> None:
    sentences = {}
    for how in ("mixing", "random"):
        model = engine.Classifier(Departing(how), ["below", "above"], (1, 2, 2), device="cpu")
        result = engine.run(attacks.FGSM(eps=0.001), model, torch.full((3, 1, 2, 2), 50 / 255), torch.zeros(3, dtype=torch.int64))
        assert bool(result.success[0])
        model.module.passes = 100
        sentences[how] = engine.save_adversarial(result, 0, tmp_path / "a.png").sentence
    assert "Nor is the image before rounding when it is asked about alone" in sentences["mixing"]
    assert "The model is random" in sentences["random"]
    assert not any("undid" in sentence for sentence in sentences.values())


# ------------------------------------------------------------------ samples


def test_scikit_images_photographs_can_be_opened() -> None:
    photographs = [sample for sample in images.samples() if sample.model == "imagenet"]
    assert {"astronaut", "camera", "cat", "coffee", "rocket"} <= {sample.title for sample in photographs}
    for sample in photographs:
        assert sample.open().size[0] >= 200


def test_drawn_samples_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "samples"
    folder.mkdir()
    monkeypatch.setattr(resources, "folder", tmp_path.joinpath)
    assert {sample.model for sample in images.samples()} <= {"imagenet", "objects"}
    images.write_png(folder / "stop.png", torch.zeros(3, 32, 32))
    entry = {"file": "stop.png", "label": 14, "label_name": "Stop", "model": "signs", "size": 32, "crop": [1, 2, 30, 30]}
    (folder / "samples.json").write_text(json.dumps([entry]))
    stop = images.samples()[0]
    assert (stop.label, stop.label_name, stop.model, stop.title) == (14, "Stop", "signs", "Stop, 32 px")
    assert stop.open().size == (32, 32)
    assert stop.crop == images.Crop(1, 2, 30, 30)
    (folder / "samples.json").write_text("[{}]")
    with pytest.raises(GibbonError, match="damaged"):
        images.samples()


def test_every_drawn_sample_opens_and_its_crop_lies_inside() -> None:
    drawn = [sample for sample in images.samples() if sample.model not in ("imagenet", "objects")]
    assert {sample.model for sample in drawn} == {"signs", "digits"}
    for sample in drawn:
        photograph = sample.open()
        assert sample.label is not None
        assert photograph.size == (sample.size, sample.size)
        shape = (3, 32, 32) if sample.model == "signs" else (1, 28, 28)
        assert photograph.crop_to(classifier(shape), sample.crop).shape == shape


def test_photographs_of_objects_know_their_class() -> None:
    objects = engine.models.load("objects", device="cpu")
    found = {sample.title: sample for sample in images.samples() if sample.model == "objects"}
    assert set(found) == {"cat", "horse"}
    for title, sample in found.items():
        assert objects.labels[sample.label] == sample.label_name == title
        assert int(objects.predict(engine.images.read(sample.path, objects)[None])) == sample.label
