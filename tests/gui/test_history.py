"""The history keeps finished runs of every kind: attacks, which can be put back on the canvas, experiments and trainings."""

from __future__ import annotations

import gc
import json
import random
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PySide6.QtGui import QGuiApplication

import engine
from engine.attacks import FGSM
from engine.data import DataSet
from engine.defenses import Train
from engine.evaluate import TransferEvaluation
from engine.images import Photograph
from gui.lanes.runner import OperationRunner
from gui.panels.runs import RunsPanel
from gui.session.history import AttackRun, FinishedRun, History, new_number
from gui.session.state import State
from tests.gui.driving import until
from tests.gui.panel_scenes import LABELS, attack, noise, open_image, show, small
from tests.gui.test_runs_panel import details, differing, select

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session


def train(session: Session, epochs: int = 2) -> FinishedRun:
    """A training in the background lane, to its end; kept with the finished runs."""
    images = (255 * torch.rand(12, 3, 16, 16, generator=torch.Generator().manual_seed(0))).to(torch.uint8)
    data = DataSet("noise", LABELS, images, torch.arange(12) % len(LABELS), "nobody")
    runner = OperationRunner(session.background, "training", session)
    ended = []
    runner.ended.connect(ended.append)
    operation = Train(epochs=epochs, batch_size=4, augment="none")
    job = runner.start(lambda: engine.start(operation, small(), data=data, seed=3), collect=True)
    until(lambda: ended, "the end of the training")
    assert ended[0].failure is None
    assert [point.index for point in job.trace] == [*range(3 * epochs)]
    assert set(job.readings) == {"loss", "accuracy"}
    run = FinishedRun(result=ended[0].result, verdict="Trained: 50.00 % right on 4 images.")
    session.adopt(run)
    return run


@pytest.fixture
def runs(qtbot: QtBot, session: Session) -> RunsPanel:
    """An attack, a training and an evaluation."""
    open_image(qtbot, session)
    attack(qtbot, session, FGSM(eps=4 / 255))
    train(session)
    evaluation = TransferEvaluation.of(FGSM(eps=0.1))
    result = engine.run(evaluation, small(), noise()[None], models=[small(1)])
    session.adopt(FinishedRun(result=result, verdict="Accuracy of the judges."))
    made: RunsPanel = show(qtbot, RunsPanel(session), 700, 500)
    return made


def test_every_kind_has_a_row_with_what_applies_to_it(runs: RunsPanel, session: Session) -> None:
    attacked, trained, evaluated = session.history.entries
    cards = runs.cards.runs.runs
    assert [card.attack for card in cards] == ["Transfer matrix", "Train", "FGSM"]
    assert "Trained: 50.00 % right" in cards[1].outcome
    assert (cards[1].sign, cards[1].size, cards[1].picture) == ("", "", None)
    assert f"{trained.seconds:.2f} s" in cards[1].time
    assert session.history.shown is attacked
    assert session.history.attacks == (attacked,)
    assert (trained.ended, trained.operation.slug, trained.when > attacked.when) == ("finished", "train", True)
    assert evaluated.verdict.startswith("Accuracy of the judges")


def test_selecting_one_shows_its_facts(runs: RunsPanel, session: Session) -> None:
    select(runs, 1)
    facts = details(runs)
    assert facts["epochs"] == ["2"]
    assert facts["ended"][0].startswith("finished")
    assert "seed" in facts
    assert not runs.buttons["show"].isEnabled()
    assert runs.buttons["remove"].isEnabled()
    runs.carry_out("copy_json")
    copied = json.loads(QGuiApplication.clipboard().text())
    assert copied["operation"]["slug"] == "train"
    assert copied["outcome"]["reason"] == "finished"
    select(runs, 0)
    assert details(runs)["clean images"] == [" · ".join(session.history.entries[-1].result.artifacts["accuracy"].rows[0][1:])]
    select(runs, 2)
    assert runs.buttons["show"].isEnabled()


def test_runs_of_two_kinds_can_be_compared_and_removed(runs: RunsPanel, session: Session) -> None:
    select(runs, 1, 2)
    assert differing(runs)["attack"] == ["FGSM", "Train"]
    select(runs, 1)
    runs.carry_out("remove")
    assert [entry.operation.slug for entry in session.history.entries] == ["fgsm", "transfer-matrix"]
    session.undo_stack.undo()
    assert [entry.operation.slug for entry in session.history.entries] == ["fgsm", "train", "transfer-matrix"]


def test_what_cannot_be_put_on_the_canvas_is_passed_over(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, FGSM(eps=4 / 255))
    trained = train(session, epochs=1)
    delta, clean = session.delta, session.clean
    session.show_entry(trained.number)
    assert session.delta is delta
    assert session.clean is clean
    assert isinstance(session.history.shown, AttackRun)


def test_the_weights_of_a_trained_network_count_for_the_memory(session: Session) -> None:
    run = train(session, epochs=1)
    model = run.result.artifacts["model"]
    weights = sum(value.nbytes for value in model.module.state_dict().values())
    assert run.bytes >= weights
    history = History(max_bytes=weights)
    assert history.add(run) == []  # the newest stays in any case
    assert history.add(FinishedRun(result=run.result)) == [f"{run.title} was forgotten: the memory for finished runs is full."]


def test_the_run_on_the_canvas_is_forgotten_last(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    for steps in (1, 2, 3):
        attack(qtbot, session, FGSM(eps=steps / 255))
    first, second, third = session.history.attacks
    session.show_entry(first.number)
    session.history._max_bytes = third.bytes + first.bytes
    session.adopt(FinishedRun(result=third.result))
    assert second not in session.history.entries
    assert third not in session.history.entries
    assert session.history.entries[0] is session.history.shown is first


def test_removed_runs_have_a_budget_of_their_own(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, FGSM(eps=0.1))
    first = session.history.entries[0]
    session.history._max_removed_bytes = 2 * first.bytes
    gone = weakref.ref(first)
    del first
    for steps in range(2, 6):
        session.remove_runs(session.history.entries[-1].number)
        session.undo_stack.clear()
        attack(qtbot, session, FGSM(eps=steps / 255))
    (last,) = session.history.entries
    left = [run.number for run in session.history.removed]
    assert left == [last.number - 2, last.number - 1]
    assert session.state.removed == frozenset(left)
    until(lambda: not session.waiting("frame"), "the last frame")
    gc.collect()
    assert gone() is None
    session.restore_runs()
    assert [run.number for run in session.history.entries] == [*left, last.number]


def test_a_removed_run_stays_while_an_iterate_of_it_is_listed(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, FGSM(eps=0.1))
    (run,) = session.history.attacks
    history = History(max_removed_bytes=0)
    iterate = replace(run, iteration_of=run.number, number=new_number())
    for each in (run, iterate):
        history.add(each)
    history.follow(State(removed=frozenset({run.number})))
    history.add(FinishedRun(result=run.result))
    assert history.source(iterate) is run
    history.follow(State(removed=frozenset({run.number, iterate.number})))
    history.add(FinishedRun(result=run.result))
    assert history.removed == ()


def test_a_photograph_counts_for_removed_runs_unless_another_run_has_it(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, FGSM(eps=0.1))
    (run,) = session.history.attacks
    photograph = Photograph(np.zeros((64, 64, 3), np.uint8), "grey", "0" * 64)
    one, two = (replace(run, photograph=photograph, number=new_number()) for _ in range(2))
    weight = run.bytes + photograph.pixels.nbytes
    for budget, left in ((weight, [one]), (weight - 1, [])):
        history = History(max_removed_bytes=budget)
        history.add(one)
        history.follow(State(removed=frozenset({one.number})))
        history.add(FinishedRun(result=run.result))
        assert history.removed == tuple(left)
    history = History(max_removed_bytes=run.bytes)
    for each in (one, two):
        history.add(each)
    history.follow(State(removed=frozenset({one.number})))
    history.add(FinishedRun(result=run.result))
    assert history.removed == (one,)  # the photograph would stay in memory without it, too


@pytest.mark.parametrize("seed", range(4))
def test_undo_brings_back_every_run_whatever_the_budget(session: Session, seed: int) -> None:
    """A random walk beside a model of the undo stack that forgets nothing, with no memory for removed runs at all."""
    limit, dice = 6, random.Random(seed)
    session.undo_stack.setUndoLimit(limit)
    session.history._max_removed_bytes = 0
    result = engine.run(FGSM(eps=0.1), small(), noise()[None])
    numbers: list[int] = []
    removed: list[frozenset[int]] = [frozenset()]
    """The numbers of the removed runs at each place of the undo stack."""
    here, dropped = 0, False

    def push(after: frozenset[int]) -> None:
        nonlocal here
        removed[here + 1 :] = [after]
        del removed[: max(0, len(removed) - 1 - limit)]
        here = len(removed) - 1

    def listed() -> list[int]:
        return [entry.number for entry in session.history.entries]

    for _ in range(200):
        act = dice.choice((*5 * ("run",), *6 * ("remove",), "undo", "redo", "back"))
        if act == "run":
            run = FinishedRun(result=result)
            numbers.append(run.number)
            session.adopt(run)
            lost = {number for number in numbers if session.history.find(number) is None} - {
                each.number for each in session.history.removed
            }
            assert all(lost <= there for there in removed)
            dropped |= bool(lost)
        elif act == "remove" and listed():
            number = dice.choice(listed())
            session.remove_runs(number)
            push(removed[here] | {number})
        elif act == "back" and session.history.removed:
            back = frozenset(entry.number for entry in session.history.removed)
            session.restore_runs()
            numbers = [number for number in numbers if number in back or number not in removed[here]]
            push(frozenset())
        elif act == "undo" and here:
            session.undo_stack.undo()
            here -= 1
        elif act == "redo" and here < len(removed) - 1:
            session.undo_stack.redo()
            here += 1
        assert listed() == [number for number in numbers if number not in removed[here]]
    assert dropped
