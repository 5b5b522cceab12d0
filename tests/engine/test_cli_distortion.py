"""The command that distorts adversarial images: from a record, an image or a data set; its files, and words that do not fit."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
STOP = Path(__file__).parents[2] / "resources/samples/sign-stop-32.png"
FEW = ("--distortions", "blur=0 1, jpeg=50")


def test_a_record_is_run_again_and_distorted(run: Run, tmp_path: Path) -> None:
    assert run("attack", "--image", STOP, "--steps", "5", "--out", "made")[0] == 0
    record = tmp_path / "made/sign-stop-32-pgd.json"
    code, said, _ = run("evaluate", "distortion", record, *FEW, "--figure", "svg", "--transfer", "signs-bounded, digits", "--out", "made")
    assert code == 0
    assert "1 of 1 image is adversarial" in said
    assert "The labels are the model's own predictions." in said
    assert "“digits” is left out: it takes images of other channels." in said
    assert "Read by signs-bounded" in said
    with (tmp_path / "made/distortion-sign-stop-32-pgd.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["distortion"] for row in rows] == ["As it is", "Blur", "Blur", "JPEG", "Read by signs-bounded"]
    assert (rows[1]["destruction rate"], rows[1]["strength"]) == ("0.0", "0 px")
    with (tmp_path / "made/distortion-sign-stop-32-pgd.images.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 5
    made = json.loads((tmp_path / "made/distortion-sign-stop-32-pgd.json").read_text(encoding="utf-8"))
    attacked = json.loads(record.read_text(encoding="utf-8"))
    assert made["source"]["adversarial_sha256"] == attacked["outcome"]["adversarial_sha256"]
    assert made["source"]["same_bits"] is True
    assert made["source"]["labels_assumed"] is True
    assert made["operation"]["parameters"]["attack"] == "pgd"
    assert json.loads(made["operation"]["parameters"]["parameters"]) == {"steps": 5}
    assert "quality 50" in (tmp_path / "made/distortion-sign-stop-32-pgd-sheet.svg").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "made/distortion-sign-stop-32-pgd-sheet.svg.json").read_text(encoding="utf-8")) == made
    code, _, complained = run("evaluate", "distortion", record, *FEW, "--figure", "svg", "--out", "made")
    assert code == 2
    assert "there is already distortion-sign-stop-32-pgd.csv" in complained


def test_an_image_and_a_data_set_are_attacked_first(run: Run, tmp_path: Path) -> None:
    code, said, _ = run("evaluate", "distortion", "--image", STOP, "--label", "Stop", "--attack", "fgsm", "--eps", "8/255", *FEW, "--json")
    assert code == 0
    told = json.loads(said)
    assert len(told["rates"]) == 4
    assert json.loads(told["operation"]["parameters"]["parameters"]) == {} or "eps" in told["operation"]["parameters"]["parameters"]
    assert len(told["files"]) == 5
    line = ("evaluate", "distortion", "--steps", "3", "--data-set", "generated:signs", "--count", "12", *FEW, "--out", "set", "--row", "3")
    code, said, _ = run(*line)
    assert code == 0
    assert "Survival of the adversarial images" in said
    assert "12 images" in said
    assert {path.name for path in (tmp_path / "set").glob("*.pdf")} == {"distortion-pgd.pdf", "distortion-pgd-sheet.pdf"}
    with (tmp_path / "set/distortion-pgd.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["images"] for row in rows} == {"12"}
    assert all(int(row["undone"]) <= int(row["adversarial"]) <= 12 for row in rows)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ((), "Which images?"),
        (("--image", STOP, "--data-set", "generated:signs"), "Which images?"),
        (("--image", STOP, "--distortions", "fog"), "There is no distortion “fog”"),
        (("--image", STOP, "--distortions", "jpeg=500"), "JPEG at 500 makes no sense"),
        (("--image", STOP, "--epss", "1"), "Did you mean --eps"),
        (("nowhere.json",), "nowhere.json"),
        (("made.json", "--attack", "fgsm"), "--attack has no meaning beside it"),
        (("made.json", "--eps", "0.1"), "--eps has no meaning beside it"),
        (("--data-set", "generated:digits", "--count", "3"), "takes colour images"),
        (("--image", STOP, "--row", "4", "--distortions", "blur=1", "--steps", "1"), "There is no image 4"),
    ],
)
def test_words_that_do_not_fit_are_refused_in_a_sentence(run: Run, line: tuple[str | Path, ...], sentence: str) -> None:
    code, _, complained = run("evaluate", "distortion", *line)
    assert code == 2
    assert sentence in complained
    assert "Traceback" not in complained


def test_help_lists_the_attacks_options(run: Run) -> None:
    code, said, _ = run("evaluate", "distortion", "--attack", "transformation", "--help")
    assert code == 0
    assert "--distortions" in said
    assert "--rotation-points" in said
