"""What an attack is given on the command line beside its fields: presets, a second image, a data set, further models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import images
from engine.attacks import CATALOGUE
from engine.record import Record

STOP = next(sample for sample in images.samples() if sample.label_name == "Stop" and sample.size == 32).path
OTHER = next(sample for sample in images.samples() if sample.label_name != "Stop" and sample.model == "signs" and sample.size == 32).path
Run = Callable[..., tuple[int, str, str]]


def test_a_preset_by_a_part_of_its_title_and_what_is_written_beside_it_wins(run: Run) -> None:
    code, _, err = run("attack", "--image", STOP, "--preset", "lectures: gradient", "--steps", "3", "--device", "cpu")
    assert code == 0, err
    parameters = Record.read(Path(f"{STOP.stem}-pgd.json")).operation.parameters
    assert parameters["steps"] == 3
    assert parameters["direction"] == "max"
    assert parameters["eps"] is None


def test_a_preset_that_is_not_there_is_said_with_those_that_are(run: Run) -> None:
    code, _, err = run("attack", "--image", STOP, "--preset", "nothing of the kind")
    assert code == 2
    assert "no preset" in err
    assert CATALOGUE["pgd"].presets[0].title in err


def test_every_preset_is_a_setting_that_can_be_built() -> None:
    for attack in CATALOGUE.values():
        for preset in attack.presets:
            built = attack.build(**preset.values)
            assert all(getattr(built, name) == value for name, value in preset.values.items()), f"{attack.slug}: “{preset.title}”"
            assert attack.preset(preset.title) is preset
            assert preset.needs <= attack.uses


def test_what_other_models_say(run: Run) -> None:
    code, out, err = run(
        "attack", "--image", STOP, "--attack", "fgsm", "--transfer", "signs-bounded, signs, digits", "--device", "cpu", "--json"
    )
    assert code == 0, err
    rows = json.loads(out)["transfer"]
    assert [row["model"] for row in rows] == ["signs", "signs-bounded", "digits"]
    assert "grey images" in rows[2]["verdict"]


def test_an_attack_on_a_data_set_replays_with_the_same_images(run: Run) -> None:
    line = ("attack", "--image", STOP, "--attack", "universal", "--data-set", "generated:signs", "--data-count", "86", "--device", "cpu")
    code, _, err = run(*line, "--steps", "4", "--count", "60", "--held-out", "20")
    assert code == 0, err
    path = Path(f"{STOP.stem}-universal.json")
    record = Record.read(path)
    assert record.data is not None
    assert record.data.count == 86
    assert run("replay", path)[0] == 0
    learned = path.with_suffix(".safetensors")
    assert learned.is_file()
    line = ("attack", "--image", OTHER, "--attack", "saved-perturbation", "--file", learned, "--device", "cpu", "--out", "added")
    code, _, err = run(*line)
    assert code == 0, err
    added = Path("added", f"{OTHER.stem}-saved-perturbation.json")
    assert Record.read(added).operation.parameters["file"] == f"../{learned.name}"
    assert run("replay", added)[0] == 0
    learned.write_bytes(b"another")
    code, _, err = run("replay", added)
    assert code == 2
    assert "not the file that was recorded" in err
    changed = record.data.model_copy(update={"sha256": "0" * 64})
    record.model_copy(update={"data": changed}).write(path)
    code, _, err = run("replay", path)
    assert code == 2
    assert "not those that were recorded" in err


def test_an_attack_that_needs_data_says_so(run: Run) -> None:
    code, _, err = run("attack", "--image", STOP, "--attack", "universal")
    assert code == 2
    assert "works on a data set. Name one with --data-set." in err


def test_an_attack_that_starts_from_a_second_image_replays(run: Run) -> None:
    code, _, err = run(
        "attack", "--image", STOP, "--attack", "hop-skip-jump", "--start", OTHER, "--steps", "2", "--max-queries", "2000", "--device", "cpu"
    )
    assert code == 0, err
    path = Path(f"{STOP.stem}-hop-skip-jump.json")
    record = Record.read(path)
    assert record.start is not None
    assert record.outcome.success
    assert run("replay", path)[0] == 0


LATE = """
import torch

class Late(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0
        self.head = torch.nn.Linear(3 * 32 * 32, 3)

    def forward(self, images):
        self.calls += not torch.jit.is_tracing()
        logits = self.head(images.flatten(1))
        return logits * float("nan") if self.calls > {calls} else logits

def make():
    torch.manual_seed(0)
    return Late(), ("a", "b", "c"), (3, 32, 32)
"""


def test_a_model_that_turns_nan_is_never_a_success(run: Run) -> None:
    Path("late.py").write_text(LATE.format(calls=12))  # loading makes a few
    line = ("attack", "--image", STOP, "--model", "late.py:make", "--allow-code", "--steps", "20", "--panels", "clean", "--device", "cpu")
    code, out, err = run(*line)
    assert code == 1, err
    assert "The model gave NaN for 1 of 1 image; it counts as an attack error, not as a success. Look at the model." in out
    assert "failed after" in out
    assert "nan %" not in out
    assert "still adversarial" not in out
    assert Record.read(Path(f"{STOP.stem}-pgd.json")).outcome.failed


def test_what_an_attack_is_for_is_printed_and_written(run: Run) -> None:
    line = ("attack", "--image", STOP, "--panels", "clean", "--device", "cpu")
    universal = ("--attack", "universal", "--data-set", "generated:signs", "--data-count", "86", "--steps", "4", "--count", "60")
    code, out, err = run(*line, *universal, "--held-out", "20")
    assert code == 0, err
    assert "Fooling rate at step" in out
    assert "becomes" in out
    path = Path(f"{STOP.stem}-universal.artifacts.json")
    assert str(path) in out
    written = json.loads(path.read_text("utf-8"))
    assert len(written["curves"]["fooling"]["lines"]["held out"]) == len(written["curves"]["fooling"]["x"])
    assert "already" in run(*line, *universal)[2]

    cheap = ("--attack", "one-pixel-map", "--levels", "2", "--greys", "--sticker", "4,4,3,2")
    code, out, err = run(*line, *cheap)
    assert code == 0, err
    assert "The most effective pixels" in out
    written = json.loads(Path(f"{STOP.stem}-one-pixel-map.artifacts.json").read_text("utf-8"))
    assert len(written["maps"]["flips"]["values"][0]) == 32
    assert len(written["tables"]["pixels"]["rows"]) == 6


def test_a_curve_comes_as_json(run: Run) -> None:
    line = ("attack", "--image", STOP, "--panels", "clean", "--device", "cpu", "--json")
    code, out, err = run(*line, "--attack", "fgsm")
    assert code == 0, err
    assert json.loads(out)["curves"]
    assert not Path(f"{STOP.stem}-fgsm.artifacts.json").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--attack", "fooling"), "--target"),
        (("--attack", "sticker"), "--sticker left,top,width,height or --mask FILE"),
        (("--attack", "pgd", "--preset", "gallery of targets"), "needs a class to reach. Name one with --target."),
        (("--attack", "saved-perturbation", "--file", STOP), "is not a saved perturbation. Choose"),
        (("--attack", "pgd", "--eps", "255"), "8/255, say"),
    ],
)
def test_what_is_missing_or_wrong_is_said_in_the_command_s_words(run: Run, given: tuple[str | Path, ...], words: str) -> None:
    code, _, err = run("attack", "--image", STOP, "--device", "cpu", *given)
    assert code == 2
    assert words in err
    assert "deserializ" not in err
