"""The table of many images behind a defense: the attacker who knows it beside the one who does not."""

from __future__ import annotations

import csv
import json
import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import engine
from engine import attacks
from engine.cli.app import main
from engine.defenses.preprocessing import defended, read, words
from engine.evaluate.batch import BothAttackers, ImageResults, RowRun, Subjects, attack_images, from_data, from_files
from engine.evaluate.knowing import both, known_to_the_attacker
from engine.record import BatchRecord, compared, repeat_batch, write_batch

STEPS = known_to_the_attacker(read("bit-depth bits=1"))
COUNT = 12


@pytest.fixture(scope="module")
def digits() -> engine.Classifier:
    return engine.models.load("digits", device="cpu")


def attacked(classifier: engine.Classifier, subjects: Subjects, *, take: int | None = None, **given: Any) -> ImageResults:
    run = attack_images(given.pop("attack", attacks.FGSM(eps=0.4)), classifier, subjects, **given)
    for step in run:
        if step.index == take:
            break
    run.close()
    return run.result()


def drawn(classifier: engine.Classifier, count: int = COUNT) -> Subjects:
    return from_data(engine.data.load("generated:digits", count=count), classifier)


def test_both_tables_are_the_two_attackers_of_the_evaluation(digits: engine.Classifier) -> None:
    attack, subjects = attacks.FGSM(eps=0.4), drawn(digits)
    found = BothAttackers.of(attacked(digits, subjects, defense=STEPS))
    assert found is not None
    images = torch.cat([subject.open().crop_to(digits)[None] for subject in subjects.items])
    expected = both(attack, digits, STEPS, images, torch.tensor([subject.label for subject in subjects.items]))
    for table, column in zip(found.summaries, (expected.columns[2], expected.columns[1]), strict=True):
        assert (table.before, table.robust, table.success) == (column.clean, column.robust, column.success)
    assert found.worst == expected.worst
    lost = int((expected.unaware_success & ~expected.aware.success).sum())
    assert bool(found.remarks) == bool(lost)
    # The three numbers differ, so that taking one for another would be seen.
    assert len({expected.columns[1].robust, expected.columns[2].robust, expected.worst}) == 3


def test_the_attackers_tables_are_those_of_the_two_models_alone(digits: engine.Classifier) -> None:
    subjects, attack = drawn(digits), attacks.PGD(eps=0.3, steps=3, random_start=True)
    found = attacked(digits, subjects, defense=STEPS, attack=attack, seed=4, together=5)
    assert found.unaware is not None
    for table, model in ((found, defended(digits, STEPS)), (found.unaware, digits)):
        alone = attacked(model, subjects, attack=attack, seed=4, together=5)
        assert [row.sha256 for row in table.rows] == [row.sha256 for row in alone.rows]
    assert attacked(digits, subjects).unaware is None


def test_steps_count_an_image_once_both_attackers_are_done(digits: engine.Classifier) -> None:
    shares, indices = [], []
    for step in attack_images(attacks.FGSM(eps=0.1), digits, drawn(digits, 4), defense=STEPS):
        shares.append(step.share_done)
        indices.append(step.index)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert sorted(set(indices)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("take", [1, 3])
def test_a_cancelled_table_has_both_attackers(digits: engine.Classifier, take: int) -> None:
    found = BothAttackers.of(attacked(digits, drawn(digits), defense=STEPS, take=take))
    assert found is not None
    assert found.aware.reason == found.unaware.reason == "cancelled"
    assert len(found.unaware.rows) == take
    assert found.worst.of == take


@pytest.mark.parametrize(("recipe", "changes"), [("median size=7", True), ("bit-depth bits=1", False)])
def test_an_unknown_label_is_the_prediction_without_the_defense_for_both(digits: engine.Classifier, recipe: str, changes: bool) -> None:
    known = drawn(digits)
    subjects = replace(known, items=tuple(replace(item, label=None) for item in known.items))
    found = attacked(digits, subjects, defense=recipe)
    assert found.unaware is not None
    plain = [int(digits.predict(item.open().crop_to(digits)[None])[0]) for item in subjects.items]
    assert [row.label for row in found.rows] == [row.label for row in found.unaware.rows] == plain
    changed = sum(bool(row.wrong_before) for row in found.rows)
    assert bool(changed) == changes
    said = " ".join(found.summary.sentences())
    assert (f"change it for {changed}" in said) == changes
    assert ("cannot be misread" in said) == (not changes)


def test_record_and_table_hold_both_attackers_and_repeat_them(digits: engine.Classifier, tmp_path: Path) -> None:
    found = attacked(digits, drawn(digits, 4), defense=STEPS, attack=attacks.PGD(eps=0.3, steps=2, random_start=True))
    assert found.unaware is not None
    path = tmp_path / "both.csv"
    write_batch(found, path)
    with path.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["unaware_success"] for row in rows] == [str(row.success).lower() for row in found.unaware.rows]
    assert [float(row["unaware_l2"]) for row in rows] == [row.norms["l2"] for row in found.unaware.rows]
    record = BatchRecord.read(path.with_suffix(".json"))
    assert record.model.preprocessing == ()
    assert words(read(list(record.defense))) == "bit-depth bits=1"
    assert record.unaware is not None
    assert record.unaware.summary["worst"] == BothAttackers.of(found).plain()["worst"]  # type: ignore[union-attr]
    run = repeat_batch(record, folder=tmp_path)
    for _ in run:
        pass
    assert compared(record, run.result()) == "The same bits again for all 4 images by both attackers."
    other = (*record.unaware.rows[:-1], record.unaware.rows[-1].model_copy(update={"sha256": "0" * 64}))
    edited = record.model_copy(update={"unaware": record.unaware.model_copy(update={"rows": other})})
    said = compared(edited, run.result())
    assert said == "The same bits for 4 of 4 images by the attacker who knows the defense, and 3 of 4 images by the one who does not."


def test_a_record_of_version_1_is_of_one_attacker_through_the_defense(digits: engine.Classifier, tmp_path: Path) -> None:
    behind = defended(digits, STEPS)
    found = attacked(behind, from_data(engine.data.load("generated:digits", count=3), behind))
    path = write_batch(found, tmp_path / "old.csv")[1]
    content = json.loads(path.read_text())
    assert content["defense"] == []
    old = {name: value for name, value in content.items() if name not in ("defense", "unaware")} | {"version": 1}
    path.write_text(json.dumps(old))
    run = repeat_batch(BatchRecord.read(path), folder=tmp_path)
    for _ in run:
        pass
    assert compared(BatchRecord.read(path), run.result()) == "The same bits again for all 3 images."
    path.write_text(json.dumps({**content, "version": 4}))
    with pytest.raises(engine.GibbonError, match="version 4, but this Gibbon reads 1, 2 and 3"):
        BatchRecord.read(path)


def test_the_table_of_the_one_who_does_not_know_has_no_record_alone(digits: engine.Classifier, tmp_path: Path) -> None:
    found = attacked(digits, drawn(digits, 1), defense=STEPS)
    assert found.unaware is not None
    with pytest.raises(engine.GibbonError, match="no record"):
        write_batch(found.unaware, tmp_path / "one.csv")


def test_a_row_behind_a_defense_opens_again_with_the_same_bits(digits: engine.Classifier) -> None:
    found = attacked(digits, drawn(digits, 4), defense=STEPS, attack=attacks.PGD(eps=0.3, steps=2, random_start=True), together=3)
    for results in (found, found.unaware):
        assert results is not None
        run = RowRun(results, results.rows[2])
        for _ in run:
            pass
        assert run.result().same


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


@pytest.mark.parametrize("defense", ["", "jpeg quality=30 + bit-depth bits=2"])
@pytest.mark.parametrize("take", [None, 2])
def test_the_script_attacks_again_to_the_same_bits(
    digits: engine.Classifier, tmp_path: Path, capsys: pytest.CaptureFixture[str], defense: str, take: int | None
) -> None:
    found = attacked(digits, drawn(digits, 3), defense=defense, attack=attacks.PGD(eps=0.3, steps=2, random_start=True), take=take, seed=7)
    path = write_batch(found, tmp_path / "table.csv")[1]
    assert main(["script", str(path), "--out", str(tmp_path / "again.py")]) == 0
    capsys.readouterr()
    threads = torch.get_num_threads()
    runpy.run_path(str(tmp_path / "again.py"))
    torch.set_num_threads(threads)
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("the recorded bits")]
    count = take or 3
    assert said[0] == f"the recorded bits: {len(found.rows)} of {len(found.rows)} images"
    attackers = [f"the recorded bits: {count} of {count} images, by an attacker who does not know the defense"] if defense else []
    assert said[1:] == attackers


def test_the_script_of_files_keeps_their_labels(digits: engine.Classifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = torch.Generator().manual_seed(0)
    for label in ("3", "7"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        engine.images.write_png(tmp_path / "photos" / label / "one.png", torch.rand(1, 28, 28, generator=random))
    found = attacked(digits, from_files([tmp_path / "photos"], digits), defense=STEPS)
    assert [row.label for row in found.rows] == [3, 7]
    path = write_batch(found, tmp_path / "table.csv")[1]
    assert main(["script", str(path)]) == 0
    (tmp_path / "again.py").write_text(capsys.readouterr().out)
    names = runpy.run_path(str(tmp_path / "again.py"))
    assert [row.sha256 for row in names["results"].rows] == [row.sha256 for row in found.rows]
    assert [row.label for row in names["results"].unaware.rows] == [3, 7]
