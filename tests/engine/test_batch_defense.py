"""The table of many images behind a defense: the attacker who knows it beside the one who does not."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch

import engine
from engine import attacks
from engine.cli.app import main
from engine.defenses.preprocessing import defended, read
from engine.evaluate.batch import BothAttackers, attack_images, from_data
from engine.evaluate.knowing import both, known_to_the_attacker
from engine.record import write_batch

STEPS = known_to_the_attacker(read("bit-depth bits=1"))
COUNT = 12


@pytest.fixture(scope="module")
def digits() -> engine.Classifier:
    return engine.models.load("digits", device="cpu")


def test_both_tables_are_the_two_attackers_of_the_evaluation(digits: engine.Classifier) -> None:
    data = engine.data.load("generated:digits", count=COUNT)
    attack, behind = attacks.FGSM(eps=0.4), defended(digits, STEPS)
    subjects = from_data(data, digits)
    tables = []
    for classifier, judge in ((behind, None), (digits, behind)):
        run = attack_images(attack, classifier, subjects, judge=judge)
        for _ in run:
            pass
        tables.append(run.result())
    found = BothAttackers(*tables)
    images = torch.cat([subject.open().crop_to(digits)[None] for subject in subjects.items])
    expected = both(attack, digits, STEPS, images, torch.tensor([subject.label for subject in subjects.items]))
    for table, column in zip(found.summaries, (expected.columns[2], expected.columns[1]), strict=True):
        assert (table.before, table.robust, table.success) == (column.clean, column.robust, column.success)
    assert found.worst == expected.worst
    lost = int((expected.unaware_success & ~expected.aware.success).sum())
    assert bool(found.remarks) == bool(lost)
    # The three numbers differ, so that taking one for another would be seen.
    assert len({expected.columns[1].robust, expected.columns[2].robust, expected.worst}) == 3


def test_a_judged_table_has_no_record(digits: engine.Classifier, tmp_path: Path) -> None:
    subjects = from_data(engine.data.load("generated:digits", count=1), digits)
    run = attack_images(attacks.FGSM(eps=0.1), digits, subjects, judge=defended(digits, STEPS))
    for _ in run:
        pass
    with pytest.raises(engine.GibbonError, match="no record"):
        write_batch(run.result(), tmp_path / "one.csv")


def test_the_command_writes_the_table_of_the_one_who_knows_and_prints_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--image-set", "generated:digits", "--count", "4", "--model", "digits", "--attack", "fgsm", "--eps", "0.2"]
    assert main(["batch", *given, "--defense", "bit-depth bits=1", "--out", str(tmp_path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["defense"]["steps"] == "bit-depth bits=1"
    assert said["defense"]["unaware"]["done"] == said["done"] == 4
    assert said["defense"]["worst"]["hits"] <= min(said["robust_accuracy"]["hits"], said["defense"]["unaware"]["robust_accuracy"]["hits"])
    table = tmp_path / "generated-digits-fgsm.csv"
    with table.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert sum(row["success"] == "true" for row in rows) == said["success"]["hits"]
    assert main(["batch", "--repeat", str(table.with_suffix(".json"))]) == 0
    assert "The same bits again" in capsys.readouterr().out
    assert main(["batch", *given, "--defense", "bit-depth bits=1", "--out", str(tmp_path), "--overwrite"]) == 0
    text = capsys.readouterr().out
    assert "by an attacker who knows the defense" in text
    assert "By an attacker who does not know the defense" in text


def test_an_unknown_step_is_refused_before_anything_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["batch", "--image-set", "generated:digits", "--count", "2", "--model", "digits", "--out", str(tmp_path / "new")]
    assert main([*given, "--defense", "jpg"]) != 0
    assert "jpeg" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
