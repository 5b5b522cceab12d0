"""The published crop is torchvision's own: the same square of the photograph, to the pixel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine import Classifier, images
from engine.cli import main
from engine.images import Crop, published_crop

SIZES = [(500, 375), (375, 500), (400, 400), (333, 1001), (1001, 333), (640, 427), (257, 256), (90, 61), (3000, 2001)]
PUBLISHED = [(256, 224), (232, 224), (224, 224), (384, 384), (342, 299), (518, 518)]


def classifier(size: int = 224, **card: Any) -> Classifier:
    torch.manual_seed(0)
    module = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 10))
    return Classifier(module, [str(k) for k in range(10)], (3, size, size), card=card, device="cpu")


def ramps(width: int, height: int) -> images.Photograph:
    """A photograph that says where its pixels stand: red grows from left to right, green from top to bottom."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width).round()[None]
    pixels[..., 1] = np.linspace(0, 255, height).round()[:, None]
    return images.from_array(pixels, "ramps")


@pytest.mark.parametrize(("resize", "crop"), PUBLISHED)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_it_is_the_square_that_torchvision_keeps(width: int, height: int, resize: int, crop: int) -> None:
    from PIL import Image
    from torchvision.transforms import functional

    photograph, model = ramps(width, height), classifier(crop, resize=resize, crop=crop)
    found = published_crop(photograph, model)
    assert found is not None
    assert found.left >= 0
    assert found.top >= 0
    assert found.left + found.width <= width
    assert found.top + found.height <= height
    expected = functional.center_crop(functional.resize(Image.fromarray(photograph.pixels), [resize]), [crop])
    theirs = torch.from_numpy(np.array(expected)).permute(2, 0, 1).float()
    ours = photograph.crop_to(model, found) * 255
    for channel, length in ((0, width), (1, height)):
        # One pixel of the photograph is 255 / length levels: the middle of the crop agrees to one of them, and to a level of rounding.
        assert abs(float((ours - theirs)[channel].mean())) <= 255 / length + 0.5


def test_the_known_numbers() -> None:
    photograph = images.from_array(np.zeros((500, 375, 3), np.uint8), "x")
    assert published_crop(photograph, classifier(resize=256, crop=224)) == Crop(23, 85, 328, 328)
    assert published_crop(images.from_array(np.zeros((256, 256, 3), np.uint8), "x"), classifier(resize=256, crop=224)) == (16, 16, 224, 224)
    assert published_crop(images.from_array(np.zeros((1, 1, 3), np.uint8), "x"), classifier(resize=256, crop=224)) == (0, 0, 1, 1)


def test_models_without_a_published_crop_have_none() -> None:
    photograph = ramps(50, 40)
    for card in ({}, {"resize": 256}, {"crop": 224}, {"resize": 200, "crop": 224}, {"resize": "256", "crop": 224}):
        assert published_crop(photograph, classifier(**card)) is None
    known = classifier(resize=256, crop=224)
    assert published_crop(photograph, known.derive(size=400)) == published_crop(photograph, known)
    assert published_crop(photograph, known.derive(size=(400, 300))) is None
    assert photograph.default_crop(known) == (5, 0, 40, 40)


# ------------------------------------------------------------------ the command line


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torchvision's smallest network among the downloads, with weights of no meaning."""
    from torchvision import models as networks

    from engine.models.torchvision import published

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    path = published("squeezenet1_1").path
    path.parent.mkdir(parents=True)
    torch.manual_seed(0)
    torch.save(networks.squeezenet1_1(weights=None).state_dict(), path)
    return path


def attacked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    line = ["attack", "--attack", "fgsm", "--panels", "clean", "--overwrite", "--device", "cpu", *arguments]
    code = main(line)
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_line_says_which_crop_the_accuracy_belongs_to(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images.write_png("photo.png", torch.rand(3, 500, 375))
    options = ("--model", "torchvision:squeezenet1_1", "--image", "photo.png")
    sentence = "The card's accuracy belongs to the crop 328 × 328 in the middle; --crop published uses it."

    code, out, _ = attacked(capsys, *options)
    assert code == 0
    assert sentence in " ".join(out.split())
    assert json.loads(Path("photo-fgsm.json").read_text())["image"]["crop"] == [0, 62, 375, 375]

    code, out, _ = attacked(capsys, *options, "--crop", "published")
    assert code == 0
    assert "accuracy belongs" not in " ".join(out.split())
    assert json.loads(Path("photo-fgsm.json").read_text())["image"]["crop"] == [23, 85, 328, 328]

    code, out, _ = attacked(capsys, *options, "--crop", "0,0,100,100", "--json")
    assert code == 0
    assert json.loads(out)["notes"] == [sentence]

    images.write_png("photo.png", torch.rand(3, 224, 224))  # of the working size: nothing was cropped
    assert json.loads(attacked(capsys, *options, "--json")[1])["notes"] == []


def test_no_crop_is_spoken_of_where_none_was_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    images.write_png("photo.png", torch.rand(3, 60, 80))
    code, out, _ = attacked(capsys, "--image", "photo.png")
    assert code == 0
    assert "crop" not in out
    code, _, err = attacked(capsys, "--image", "photo.png", "--crop", "published")
    assert code != 0
    assert "The card of “signs” says no published crop. Give --crop" in " ".join(err.split())
