"""The commands detect, dpatch and replay on detectors: their files, their JSON, the same bits again, and what they refuse."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from engine.images import open_image, write_png
from engine.object_detection import DPatch, PatchStep, load, start
from engine.object_detection.pictures import Pictures, drawn_pictures, read_pictures
from engine.record.detections import DetectionRecord, ScenesEntry, detection_record, replay_detection

Run = Callable[..., tuple[int, str, str]]
OWN = """
from torch import nn
from engine.object_detection import Boxes

class Dark(nn.Module):
    def detect(self, images):
        return [Boxes.of([[1, 1, 9, 9]], [0], [1 - float(image.mean())]) for image in images]

    def loss(self, images, boxes):
        return images.flatten(1).mean(1)

def dark(): return Dark(), ["hole"]
def number(): return 3
"""


def scenes_on_disk(folder: Path, count: int = 3) -> tuple[list[Path], Path]:
    """Drawn scenes as files, with the JSON of their boxes."""
    drawn = drawn_pictures(count, 7)
    paths, entries = [], []
    for number, (image, boxes) in enumerate(zip(drawn.images, drawn.truths or (), strict=True)):
        paths.append(write_png(folder / f"{number}.png", image))
        listed = [{"box": box, "label": label} for box, label in zip(boxes.xyxy.tolist(), boxes.labels.tolist(), strict=True)]
        entries.append({"file": f"{number}.png", "boxes": listed})
    truths = folder / "boxes.json"
    truths.write_text(json.dumps({"format": "gibbon-boxes", "images": entries}), encoding="utf-8")
    return paths, truths


def test_detect_prints_boxes_and_precision_and_draws_them(run: Run, tmp_path: Path) -> None:
    paths, truths = scenes_on_disk(tmp_path)
    code, said, err = run("detect", "toy-signs", *paths, "--truths", truths, "--device", "cpu", "--json")
    assert (code, err) == (0, "")
    told = json.loads(said)
    assert [entry["image"] for entry in told["images"]] == ["0.png", "1.png", "2.png"]
    assert told["images"][0]["boxes"][0].keys() == {"box", "label", "score"}
    assert told["ap"]["mean"] == 1.0
    assert "toy" in told["detector"]["notes"][0]
    drawn = run("detect", "toy-signs", "--scenes", "3", "--device", "cpu", "--json")  # the same scenes, not from files
    assert json.loads(drawn[1])["images"][2]["boxes"] == told["images"][2]["boxes"]
    code, said, _ = run("detect", "toy-signs", tmp_path, "--least-score", "1", "--figure", "boxes.pdf", "--device", "cpu")
    assert code == 0
    assert "0.png: nothing with a score of" in said
    assert "A toy for learning and for tests" in said
    assert Path("boxes.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads(Path("boxes.pdf.json").read_text("utf-8"))["detector"]["name"] == "toy-signs"


def test_dpatch_writes_patch_record_and_figure_and_replays_to_the_same_bits(run: Run, tmp_path: Path) -> None:
    paths, truths = scenes_on_disk(tmp_path)
    line = ("dpatch", "toy-signs", "--truths", truths, "--steps", "4", "--size", "30", "--where", "once", "--measure-every", "2")
    code, said, err = run(*line, "--target", "Stop", "--seed", "3", "--out", "out", "--device", "cpu", "--json", "--elsewhere")
    assert code == 0, err
    told = json.loads(said)
    assert sorted(path.name for path in Path("out").iterdir()) == ["dpatch.json", "dpatch.pdf", "dpatch.pdf.json", "dpatch.png"]
    assert len(told["elsewhere"]) == 10
    assert told["ap_before"] == 1.0
    assert 0 <= told["seen"] <= 1
    record = DetectionRecord.read(Path("out/dpatch.json"))
    assert record.target is not None
    assert record.target.name == "Stop"
    assert [entry.path for entry in record.images] == [f"../{path.name}" for path in paths]
    patch = torch.from_numpy(open_image("out/dpatch.png").pixels.copy()).permute(2, 0, 1).float() / 255
    assert float((patch - record.patch.tensor()).abs().max()) <= 1e-6  # steps of whole grey levels survive the file
    code, said, err = run("replay", "out/dpatch.json")
    assert (code, err) == (0, "")
    assert said.startswith("The same bits again.")
    code, said, err = run("replay", "out/dpatch.json", "--image", paths[0])
    assert code == 2
    assert "--image belongs to the record of one attack on a classifier" in err
    paths[0].write_bytes(paths[1].read_bytes())
    code, said, err = run("replay", "out/dpatch.json")
    assert code == 2
    assert "is not the image that was recorded" in err


def test_a_record_of_a_cancelled_run_with_assumed_truths_replays_to_the_same_bits(tmp_path: Path) -> None:
    detector, drawn = load("toy-signs", device="cpu"), drawn_pictures(2, 7, first=4)
    with start(DPatch(size=20, steps=30, measure_every=2, where="each step"), detector, drawn.batch(), seed=2) as run:
        for step in run:
            if isinstance(step, PatchStep) and step.index == 3:
                break
        run.close()
        result = run.result()
    entry = detection_record(result, Pictures(drawn.images, None, drawn.names), ScenesEntry(count=2, seed=7, first=4), tmp_path)
    entry.write(tmp_path / "a.json")
    again = replay_detection(DetectionRecord.read(tmp_path / "a.json"), folder=tmp_path)
    assert again.record == entry
    assert again.result.steps_made == 3
    assert again.same
    assert again.sentence == "The same bits again."
    other = entry.model_copy(update={"seed": 4})
    found = replay_detection(other, folder=tmp_path)
    assert not found.same
    assert found.sentence.startswith("Other bits on the same device with the same versions")
    moved = entry.model_copy(update={"detector": entry.detector.model_copy(update={"fingerprint": "0" * 16})})
    with pytest.raises(ValueError, match="another detector than the recorded one"):
        replay_detection(moved, folder=tmp_path)


def test_a_detector_of_ones_own_is_attacked_after_consent_and_replays(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    write_png(tmp_path / "a.png", torch.full((3, 20, 30), 0.2))
    line = ("dpatch", "own.py:dark", "--image", "a.png", "--size", "8", "--steps", "2", "--left", "20", "--device", "cpu")
    code, _, err = run(*line)
    assert code == 2
    assert "runs the code in own.py. Say --allow-code if you trust it" in err
    code, said, err = run(*line, "--allow-code")
    assert code == 0, err
    assert "own:dark: The mean AP is 100.0 %" in said
    assert "The true boxes are the clean detections with a score of 0.5 or more" in said
    code, _, err = run("replay", "dpatch.json")
    assert (code, "Say --allow-code" in err) == (2, True)
    code, said, _ = run("replay", "dpatch.json", "--allow-code", "--json")
    assert code == 0
    assert json.loads(said)["same"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("dpatch",), "Which detector? Name one first"),
        (("dpatch", "toy-signs"), "Which images?"),
        (("detect", "toy-signs"), "Which images?"),
        (("detect", "toy-signs", "--scenes", "1", "a.png"), "--scenes draws images with their boxes"),
        (("detect", "own.py:dark", "--allow-code", "--scenes", "1"), "not the classes of “own:dark”"),
        (("detect", "own.py:number", "--allow-code", "a.png"), "gave something of type int, which is no detector"),
        (("detect", "toy-signs", "a.png"), "30 × 20 pixels with 3 channels, but “toy-signs” takes 96 × 96 pixels"),
        (("detect", "nothing", "a.png"), "There is no detector “nothing”"),
        (("detect", "toy-signs", "gone.png"), "gone.png"),
        (("dpatch", "toy-signs", "--scenes", "1", "--target", "Stpo"), "Did you mean “Stop”"),
        (("dpatch", "toy-signs", "--scenes", "1", "--size", "97"), "97 × 97 pixels is larger than the image of 96 × 96"),
        (("dpatch", "toy-signs", "--scenes", "1", "--attacked", "Yield"), "so it has no AP"),
        (("dpatch", "toy-signs", "--scenes", "1", "--preset", "authors"), "needs a class to be seen"),
        (("dpatch", "toy-signs", "--scenes", "1", "--sise", "9"), "Did you mean --size"),
        (
            ("dpatch", "own.py:dark", "--allow-code", "--image", "a.png", "--size", "8", "--least-score", "0.9"),
            "finds nothing with a score of 0.9",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence_and_nothing_is_written(
    run: Run, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    write_png(tmp_path / "a.png", torch.full((3, 20, 30), 0.2))
    code, out, err = run(*words, "--device", "cpu")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["a.png", "own.py"]


def test_files_that_are_there_are_not_written_over(run: Run, tmp_path: Path) -> None:
    (tmp_path / "dpatch.png").write_text("mine")
    code, _, err = run("dpatch", "toy-signs", "--scenes", "1", "--device", "cpu")
    assert code == 2
    assert "there is already dpatch.png" in err
    assert (tmp_path / "dpatch.png").read_text() == "mine"


def test_help_lists_the_fields_and_other_records_are_told_apart(run: Run, tmp_path: Path) -> None:
    code, said, _ = run("dpatch", "--help")
    assert code == 0
    assert "--images-per-step" in said
    assert "adversarial-robustness-toolbox" in said
    paths, _ = scenes_on_disk(tmp_path, 1)
    drawn, detector = read_pictures(paths, None, ("a",)), load("toy-signs", device="cpu")
    with start(DPatch(size=20, steps=1), detector, drawn.batch(), target=0) as under_way:
        list(under_way)
        detection_record(under_way.result(), drawn, None, tmp_path).write(tmp_path / "d.json")
    code, _, err = run("figure", "d.json", "--out", "f.pdf")
    assert code == 2
    assert "is the record of an attack on a detector. Run it again with: replay d.json" in err
    (tmp_path / "d.json").write_text((tmp_path / "d.json").read_text("utf-8").replace('"version": 1', '"version": 9'), "utf-8")
    code, _, err = run("replay", "d.json")
    assert code == 2
    assert "format version 9" in err


def test_a_record_without_true_boxes_has_no_precision_and_is_json(tmp_path: Path) -> None:
    images = tuple(torch.full((3, 96, 96), 0.5) for _ in range(2))
    pictures = Pictures(images, None, ("a", "b"))
    with start(DPatch(size=10, steps=1), load("toy-signs", device="cpu"), pictures.batch(), target=1) as under_way:
        list(under_way)
        result = under_way.result()
    assert math.isnan(result.precision_before.mean)
    entry = detection_record(result, pictures)
    entry.write(tmp_path / "a.json")
    assert (
        json.loads((tmp_path / "a.json").read_text("utf-8"), parse_constant=lambda _: pytest.fail("NaN in JSON"))["outcome"]["ap_before"]
        is None
    )
