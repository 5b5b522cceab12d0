"""An attack through a defense is kept: by a study with and without its model, by a record that is replayed, and as Python."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from engine import study
from engine.defenses.preprocessing import read
from engine.record import Record
from gui.export.recording import record_of_entry
from gui.session.history import AttackRun
from gui.session.state import AttackSettings
from gui.session.studies.restoring import restored, with_classifier
from gui.session.studies.snapshot import take
from tests.gui.driving import click, run_attack, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench

STEPS = read("jpeg quality=60 + bit-depth bits=4")


@pytest.fixture
def bench(bench: Workbench) -> Iterator[Workbench]:
    """The window with one run, through a defense that its attacker knew."""
    bench.session.set_defense(STEPS)
    bench.session.set_attacker(True)
    bench.session.change(settings=AttackSettings({"steps": 10}))
    run_attack(bench)
    yield bench
    bench.session.set_defense(())
    bench.session.set_attacker(False)


def last(bench: Workbench) -> AttackRun:
    run = bench.session.history.attacks[-1]
    assert run.inputs.defense == STEPS
    return run


def test_a_study_keeps_the_defense_and_the_run_through_it(bench: Workbench, tmp_path: Path) -> None:
    from gui.session.studies.snapshot import study_of

    run = last(bench)
    assert bench.session.classifier is not None
    found = restored(study.read(study.write(study_of(take(bench.session)), tmp_path / "one.gibbon")))
    assert found.fields["defense"] == STEPS
    assert found.fields["plan"].knows_defense
    (again,) = found.runs
    assert isinstance(again, AttackRun)
    assert again.inputs.defense == STEPS
    assert again.before.classifier.fingerprint == bench.session.classifier.fingerprint
    assert again.result.classifier.fingerprint == run.result.classifier.fingerprint != bench.session.classifier.fingerprint
    # the stand-in of the undefended model knows what it said to both images
    for image in (run.result.clean, run.result.adversarial):
        torch.testing.assert_close(again.before.classifier.score(image), bench.session.classifier.score(image))
    back = with_classifier(again, bench.session.classifier)
    assert back.before.classifier is bench.session.classifier
    assert back.result.classifier.fingerprint == run.result.classifier.fingerprint
    torch.testing.assert_close(back.result.classifier.score(run.result.adversarial), run.result.logits)


def test_an_older_study_has_no_defense(bench: Workbench, tmp_path: Path) -> None:
    import json
    import zipfile

    from gui.session.studies.snapshot import study_of

    path = study.write(study_of(take(bench.session)), tmp_path / "new.gibbon")
    older = tmp_path / "older.gibbon"
    with zipfile.ZipFile(path) as new, zipfile.ZipFile(older, "w") as old:
        for name in new.namelist():
            data = new.read(name)
            if name == "study.json":
                content = json.loads(data)
                content["runs"], content["shown"] = [], None
                del content["canvas"]["defense"], content["plan"]["knows_defense"]
                data = json.dumps(content).encode()
            if not name.startswith("runs/"):
                old.writestr(name, data)
    found = study.read(older)
    assert found.canvas.defense == ()
    assert not found.plan.knows_defense


def test_a_record_is_replayed_on_the_undefended_canvas_to_the_same_bits(bench: Workbench, tmp_path: Path) -> None:
    session, run = bench.session, last(bench)
    path = record_of_entry(run, tmp_path).write(tmp_path / "one.json")
    assert [each["preprocessing"] for each in Record.read(path).model.preprocessing] == ["jpeg", "bit-depth"]
    session.set_defense(())
    session.set_attacker(False)
    before = len(session.history.entries)
    session.replays.open(path)
    until(lambda: len(session.history.entries) > before, "the replay")
    settle()
    again = session.history.attacks[-1]
    assert again.replayed is not None
    assert again.replayed.same, again.replayed.sentence
    assert again.inputs.defense == STEPS
    assert again.before.classifier is session.classifier is run.before.classifier
    assert session.defense == STEPS
    assert session.plan.knows_defense
    assert not session.staleness.stale


def test_the_run_as_python_gives_the_recorded_bits(bench: Workbench, tmp_path: Path) -> None:
    from engine.script import as_python

    run = last(bench)
    text = as_python(record_of_entry(run, tmp_path), tmp_path)
    assert 'read("jpeg quality=60 + bit-depth bits=4")' in text
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, "one.py", "exec"), {"__name__": "__main__"})
    assert "the recorded bits: True" in printed.getvalue()


def test_removing_the_defense_keeps_the_run_and_undo_brings_both_back(bench: Workbench) -> None:
    session, run = bench.session, last(bench)
    bench.window.bring_up("defense")
    settle()
    panel = bench.window.panels["defense"]
    while panel.steps.rows:
        click(panel.steps.rows[0].remove)
        settle()
    assert session.defense == ()
    assert session.history.shown is run
    assert session.attackers.both == ()
    session.show_entry(run.number)
    assert session.defense == STEPS  # a run is shown with the defense that it got through
