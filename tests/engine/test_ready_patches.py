"""Ready patches from files: every form is read, none runs code, and what is no patch is refused in a sentence."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import engine
from engine import attacks
from engine.stickers import compose, ready
from engine.stickers.ready import load_patches


def patches(count: int = 3, side: int = 24, inner: int = 6) -> Tensor:
    """Squares in the middle of black pictures, as ImageNet-Patch has them."""
    made, first = torch.zeros(count, 3, side, side), (side - inner) // 2
    made[..., first : first + inner, first : first + inner] = torch.rand(count, 3, inner, inner, generator=torch.Generator().manual_seed(1))
    return made


TARGETS = torch.tensor([7, 515, 2])


def written(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    if name.endswith(".npy"):
        np.save(path, content, allow_pickle=True)
    elif name.endswith(".gz"):
        with gzip.open(path, "wb") as file:
            pickle.dump(content, file, protocol=2)
    else:
        torch.save(content, path)
    return path


@pytest.mark.parametrize(
    ("name", "content", "targets"),
    [
        ("a.gz", (patches(), TARGETS, {"patch_size": 6}), [7, 515, 2]),
        ("a.gz", (patches(), TARGETS), [7, 515, 2]),
        ("a.pt", (patches(), TARGETS, {"patch_size": 6}), [7, 515, 2]),
        ("a.pth", {"patches": patches(), "targets": [7, 515, 2], "patch_size": 6}, [7, 515, 2]),
        ("a.pt", patches(), [None] * 3),
        ("a.npy", patches().numpy(), [None] * 3),
        ("a.npy", patches().permute(0, 2, 3, 1).numpy(), [None] * 3),
    ],
)
def test_every_form_gives_the_inner_squares_and_their_targets(tmp_path: Path, name: str, content: Any, targets: list[int | None]) -> None:
    found = load_patches(written(tmp_path, name, content))
    assert [one.target for one in found] == targets
    for one, whole in zip(found, patches(), strict=True):
        torch.testing.assert_close(one.image, whole[:, 9:15, 9:15])
    assert [one.name for one in found] == ["a 1", "a 2", "a 3"]


def test_a_gzip_of_torch_save_is_read_too(tmp_path: Path) -> None:
    torch.save((patches(), TARGETS), tmp_path / "a.pt")
    (tmp_path / "a.pt.gz").write_bytes(gzip.compress((tmp_path / "a.pt").read_bytes()))
    assert [one.target for one in load_patches(tmp_path / "a.pt.gz")] == [7, 515, 2]


def test_a_picture_and_8_bit_levels_are_one_patch(tmp_path: Path) -> None:
    levels = torch.randint(1, 256, (3, 5, 7), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    engine.images.write_png(tmp_path / "sticker.png", levels.float() / 255)
    for path in (tmp_path / "sticker.png", written(tmp_path, "b.pt", levels), written(tmp_path, "c.npy", levels.numpy())):
        (one,) = load_patches(path)
        torch.testing.assert_close(one.image, levels.float() / 255)
        assert (one.target, one.name) == (None, path.stem)


def test_a_patch_becomes_a_sticker_in_the_middle_of_an_image(tmp_path: Path) -> None:
    one = load_patches(written(tmp_path, "a.pt", patches()))[1]
    clean = torch.full((3, 20, 30), 0.5)
    shown = compose(clean, [one.sticker(1, 20, 30)]).shown
    torch.testing.assert_close(shown[:, 7:13, 12:18], one.image)
    assert float((shown != 0.5).any(0).float().sum()) <= 36
    assert (one.sticker(1, 20, 30, side=12).width, one.sticker(1, 20, 30, side=12).height) == (12, 12)


# ---------------------------------------------------------------- as an attack


def test_a_patch_lies_in_the_middle_or_is_fitted_to_the_mask(tmp_path: Path, small: engine.Classifier, images: Tensor) -> None:
    path = written(tmp_path, "a.pt", (patches(inner=4), torch.tensor([1, 4, 2]), {"patch_size": 4}))
    attack, images = attacks.ReadyPatchOnImage(file=str(path), number=2), images.float()
    found = engine.run(attack, small, images)
    inner = patches(inner=4)[1, :, 10:14, 10:14]
    expected = images.clone()
    expected[..., 2:6, 2:6] = inner
    assert torch.equal(found.adversarial, expected)
    assert found.goals.tolist() == [4] * 6
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 1:7, 0:6] = 1
    fitted = engine.run(attack, small, images, mask=mask).adversarial
    assert torch.equal(fitted[mask.expand_as(fitted) == 0], images[mask.expand_as(images) == 0])
    torch.testing.assert_close(fitted[0, :, 1:7, 0:6].mean((1, 2)), inner.mean((1, 2)), rtol=0, atol=0.05)


def test_a_grey_model_takes_the_mean_of_the_channels(tmp_path: Path) -> None:
    grey = engine.Classifier(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3)), ["a", "b", "c"], (1, 8, 8))
    path = written(tmp_path, "a.pt", patches(1, 8, 4))
    found = engine.run(attacks.ReadyPatchOnImage(file=str(path)), grey, torch.zeros(1, 1, 8, 8)).adversarial
    torch.testing.assert_close(found[..., 2:6, 2:6], patches(1, 8, 4)[..., 2:6, 2:6].mean(1, keepdim=True))


def test_a_patch_that_is_not_there_or_too_large_is_refused(tmp_path: Path, small: engine.Classifier, images: Tensor) -> None:
    path = str(written(tmp_path, "a.pt", torch.rand(2, 3, 9, 9)))
    for attack, said in (
        (attacks.ReadyPatchOnImage(), "Which patch"),
        (attacks.ReadyPatchOnImage(file=path, number=3), "no number 3"),
        (attacks.ReadyPatchOnImage(file=path), r"9 × 9 pixels, but the images have 8 × 8\. Draw a sticker"),
    ):
        with pytest.raises(engine.GibbonError, match=said):
            engine.run(attack, small, images.float())


# ---------------------------------------------------------------- code and damage


class Touch:
    """A pickle that writes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("name", ["a.pt", "a.pth", "a.gz", "a.npy"])
@pytest.mark.parametrize("hidden", ["alone", "beside", "inside"])
def test_a_file_with_code_in_it_is_refused_and_the_code_does_not_run(tmp_path: Path, name: str, hidden: str) -> None:
    touched = tmp_path / "touched"
    code = Touch(touched)
    content = {"alone": code, "beside": (patches(), code), "inside": {"patches": [code], "targets": [1]}}[hidden]
    path = written(tmp_path, name, np.array([content], dtype=object) if name.endswith(".npy") else content)
    with pytest.raises(engine.GibbonError, match=r"holds code, which would run on opening it, so it was not opened\. Ask for"):
        load_patches(path)
    assert not touched.exists()


def test_code_in_the_bytes_of_a_storage_does_not_run(tmp_path: Path) -> None:
    """The plain pickle of a tensor holds a file of its own inside, which must not be opened with code either."""
    touched = tmp_path / "touched"

    class Storage:
        def __reduce__(self) -> tuple[Any, ...]:
            return (torch.storage._load_from_bytes, (pickle.dumps(Touch(touched), protocol=2),))

    with pytest.raises(engine.GibbonError):
        load_patches(written(tmp_path, "a.gz", (Storage(), TARGETS)))
    assert not touched.exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pt", {"weights": torch.rand(3)}, "holds NoneType, but patches are a tensor"),
        ("a.pt", torch.rand(4, 4), r"holds \(4, 4\), but patches"),
        ("a.pt", torch.randn(2, 3, 4, 4) * 3, r"but patches are in \[0, 1\]"),
        ("a.pt", torch.full((3, 4, 4), torch.nan), r"but patches are in \[0, 1\]"),
        ("a.pt", (patches(), torch.tensor([1, 2])), "names 2 target classes for 3 patches"),
        ("a.pt", torch.rand(2, 5, 4, 4), "of 5 channels"),
        ("a.npy", np.array(["a", "b"]), "no array of NumPy with patches"),
    ],
)
def test_what_is_no_patch_is_refused_in_a_sentence(tmp_path: Path, name: str, content: Any, said: str) -> None:
    with pytest.raises(engine.GibbonError, match=said):
        load_patches(written(tmp_path, name, content))


@pytest.mark.parametrize("name", ["a.pt", "a.gz", "a.npy", "a.png"])
def test_damaged_and_missing_files_are_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(engine.GibbonError, match="There is no file"):
        load_patches(path)
    for data in (b"", b"nothing of the kind", gzip.compress(b"nothing"), gzip.compress(pickle.dumps([1, 2]))[:-9]):
        path.write_bytes(data)
        with pytest.raises(engine.GibbonError):
            load_patches(path)


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "_UNPACKED_LIMIT", 1 << 20)
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(2 << 20)))
    with pytest.raises(engine.GibbonError, match="unpacks to more than 1 MB"):
        load_patches(tmp_path / "a.gz")
