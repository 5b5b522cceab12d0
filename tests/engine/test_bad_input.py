"""Bad files, models and attacks at the command line: exit code 2, one sentence on stderr, nothing written; and any error in words."""

from __future__ import annotations

import os
import pickle
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import engine
from engine import resources
from engine.cli import main
from engine.errors import GibbonError, in_words
from engine.models.architectures import ARCHITECTURES
from engine.operation import Attack, AttackStep, Problem

STOP = resources.folder() / "samples" / "sign-stop-32.png"


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run ``attack`` in a folder: it is refused in one sentence, and nothing has been written."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> str:
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        code = main(["attack", "--device", "cpu", "--steps", "2", *map(str, arguments)], "gibbon")
        said = capsys.readouterr()
        assert (code, said.out) == (2, "")
        sentence = said.err.removesuffix("\n")
        assert "\n" not in sentence
        assert "Traceback" not in sentence
        assert sentence.endswith(".")
        assert len(sentence) < 300
        after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        assert after == before
        return sentence

    return call


# ------------------------------------------------------------------ images


def enormous() -> bytes:
    """A whole PNG of 20,000 x 20,000 pixels in one bit each: 50 MB of zeros, packed."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(20_000 * 2501), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


IMAGES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "is empty"),
    "unreadable": (lambda: np.random.default_rng(0).bytes(1000), "not an image"),
    "html": (lambda: b"<!DOCTYPE html><html></html>", "web page"),
    "truncated": (lambda: STOP.read_bytes()[:300], "cut short"),
    "enormous": (enormous, "limit is 100 megapixels"),
}


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bad_image(refused: Callable[..., str], tmp_path: Path, kind: str) -> None:
    make, words = IMAGES[kind]
    (tmp_path / "bad.png").write_bytes(make())
    sentence = refused("--image", "bad.png")
    assert words in sentence
    assert "“bad.png”" in sentence
    with pytest.raises(GibbonError, match=words):
        engine.images.open_image("bad.png")


@pytest.mark.parametrize("suffix", ["gif", "jpg"])
def test_animated_and_cmyk_images_are_attacked_as_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    monkeypatch.chdir(tmp_path)
    frames = [Image.fromarray(np.random.default_rng(n).integers(0, 256, (40, 40, 3), dtype=np.uint8)) for n in range(2)]
    if suffix == "gif":
        frames[0].save("a.gif", save_all=True, append_images=frames[1:])
    else:
        frames[0].convert("CMYK").save("a.jpg")
    assert main(["attack", "--device", "cpu", "--steps", "1", "--panels", "clean", "--image", f"a.{suffix}"], "gibbon") == 0
    assert capsys.readouterr().err == ""
    assert (tmp_path / "a-pgd.png").exists()


# ------------------------------------------------------------------ models


class Runs:
    """What an attacker would save."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"{sys.executable} -c \"open('ran', 'w')\"",)


def weights(**change: torch.Tensor) -> dict[str, torch.Tensor]:
    return {**ARCHITECTURES["signs"].build("relu").state_dict(), **change}


def with_nan() -> dict[str, torch.Tensor]:
    state = weights()
    name = next(name for name, value in state.items() if value.dim() == 4)
    return {**state, name: torch.full_like(state[name], torch.nan)}


CHECKPOINTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "html": (lambda path: path.write_text("<html>Sign in</html>"), "web page"),
    "code": (lambda path: torch.save({"weights": Runs()}, path), "would run code, so it was not loaded"),
    "bare code": (lambda path: path.write_bytes(pickle.dumps(Runs(), 2)), "would run code"),
    "other architecture": (lambda path: torch.save(nn.Linear(4, 4).state_dict(), path), "another architecture than “signs”"),
    "nan": (lambda path: torch.save(with_nan(), path), "NaN"),
}


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_a_bad_checkpoint(refused: Callable[..., str], tmp_path: Path, kind: str) -> None:
    write, words = CHECKPOINTS[kind]
    write(tmp_path / "bad.pth")
    sentence = refused("--image", STOP, "--model", "bad.pth", "--architecture", "signs")
    assert words in sentence
    assert "bad.pth" in sentence
    assert not (tmp_path / "ran").exists()


FACTORIES = """
from torch import nn

def raises():
    raise RuntimeError("no weights today")

def no_memory():
    raise MemoryError

def more_classes():
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 5)), ["a", "b"], (3, 2, 2)
"""


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        ("raises", "failed in mine.py, line 5: RuntimeError: no weights today. Mend it"),
        ("no_memory", "failed in mine.py, line 8: MemoryError. Mend it"),
        ("more_classes", "has 5 classes, but 2 labels"),
    ],
)
def test_a_bad_factory(refused: Callable[..., str], tmp_path: Path, factory: str, words: str) -> None:
    (tmp_path / "mine.py").write_text(FACTORIES)
    assert words in refused("--image", STOP, "--model", f"mine.py:{factory}", "--allow-code")


# ------------------------------------------------------------------ attacks that raise


class Raises(Attack):
    slug, title, family = "raises", "Raises", "Test"
    kind: str = "runtime"
    steps: int = 3
    kinds: ClassVar[dict[str, Callable[[], BaseException]]] = {
        "runtime": lambda: RuntimeError("the device is on fire\nand a second line"),
        "value": lambda: ValueError("the shapes differ."),
        "stop": StopIteration,
        "memory": MemoryError,
        "cuda": lambda: RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    }

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        for index in range(self.steps):
            yield AttackStep(index, None, problem.images, torch.full((len(problem.images),), float(index)))
        raise self.kinds[self.kind]()


WORDS = {
    "runtime": "The command failed: the device is on fire. Run it again with --traceback",
    "value": "The command failed: the shapes differ. Run it again with --traceback",
    "stop": "The command failed: its loop ended in the middle of a step.",
    "memory": "The command needs more memory than the device has. Choose fewer restarts",
    "cuda": "The command needs more memory than the device has. Choose fewer restarts",
}


@pytest.mark.parametrize("kind", Raises.kinds)
def test_an_attack_that_raises(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setitem(engine.attacks.CATALOGUE, "raises", Raises)
    assert WORDS[kind] in refused("--image", STOP, "--attack", "raises", "--kind", kind)


@pytest.mark.parametrize("kind", Raises.kinds)
def test_in_a_script_the_best_so_far_is_there(small: engine.Classifier, kind: str) -> None:
    run = engine.start(Raises(kind=kind), small, torch.rand(1, 3, 8, 8))
    with pytest.raises((RuntimeError, ValueError, MemoryError)):
        for _ in run:
            pass
    assert run.result().reason == "failed"
    assert float(run.result().loss) == 2


# ------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (GibbonError("There is no file. Check the path."), "There is no file. Check the path."),
        (RuntimeError("shapes differ\nmore"), "It failed: shapes differ. Do this."),
        (ValueError("shapes differ."), "It failed: shapes differ. Do this."),
        (KeyError("weights"), "It failed: there is no entry 'weights'. Do this."),
        (AssertionError(), "It failed without saying why. Do this."),
        (MemoryError(), "It needs more memory than the device has. Choose fewer restarts, a smaller image, or the CPU."),
        (RuntimeError("x" * 80 + " " + "y" * 200), f"It failed: {'x' * 80}… Do this."),
    ],
)
def test_any_error_is_a_sentence(error: Exception, expected: str) -> None:
    assert in_words(error, cure="Do this.") == expected


# ------------------------------------------------------------------ radii


@pytest.mark.parametrize("slug", sorted(slug for slug, kind in engine.attacks.CATALOGUE.items() if "eps" in kind.model_fields))
def test_no_attack_takes_grey_levels_for_its_radius(slug: str) -> None:
    with pytest.raises(GibbonError, match=r"eps: 8 is more than the whole range \[0, 1\]. In grey levels write 8/255."):
        engine.attacks.CATALOGUE[slug].build(eps=8)


@pytest.mark.parametrize(
    ("attack", "sentence"),
    [
        (engine.attacks.OnePixel(pixels=900), "pixels = 900 is more than the image has, which is 64"),
        (engine.attacks.DDN(start_eps=2040.0), "start_eps = 2040 is more than the whole range"),
    ],
)
def test_a_radius_that_holds_every_image_is_refused_by_its_own_name(attack: Attack, sentence: str) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    classifier = engine.Classifier(module, ["a", "b", "c"], (1, 8, 8), name="plain", device="cpu")
    with pytest.raises(GibbonError, match=sentence):
        engine.run(attack, classifier, torch.full((1, 1, 8, 8), 0.5))
