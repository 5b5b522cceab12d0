"""Comparison of a finished run with the plan: every kind of difference, none where the next run would be the same, and taking over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from engine.attacks import CATALOGUE, FGSM, PGD, HopSkipJump
from engine.stickers import Colour, Optimised, Sticker
from gui.session.data_choice import Choice
from gui.session.history import AttackRun
from gui.session.run_actions import compare, use_parameters
from gui.session.run_comparison import Difference, changed_since, plan_of, sentence, settings_of
from gui.session.start_image import start_image
from gui.session.state import AttackSettings
from tests.gui.panel_scenes import LABELS, attack, noise, open_image, put_sticker, small

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytestqt.qtbot import QtBot

    from engine import Classifier
    from gui.session.session import Session

IMAGE = {"name": "cat.png", "sha256": "a", "crop": [0, 0, 16, 16]}


def ran(qtbot: QtBot, session: Session, slug: str = "pgd", **parameters: Any) -> AttackRun:
    """Run the plan with these parameters on an image, as the Attack dock does."""
    if session.clean is None:
        open_image(qtbot, session)
        session.change(image=IMAGE)
    session.change(slug=slug, settings=AttackSettings(parameters))
    made, error = session.plan.built
    assert made is not None, error
    attack(qtbot, session, made, seed=session.plan.seed)
    run = session.history.attacks[-1]
    assert session.history.shown is run
    return run


def named(session: Session, run: AttackRun) -> dict[str, tuple[str, str]]:
    return {each.name: (each.then, each.now) for each in changed_since(session.state, run)}


def with_labels(labels: tuple[str, ...]) -> Classifier:
    import engine

    return engine.Classifier(small(1).module, labels, (3, 16, 16), name="renamed", device="cpu")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"settings": AttackSettings({"steps": 3, "eps": 2 / 255})}, {"eps": ("8/255", "2/255")}),
        ({"settings": AttackSettings({"steps": 4, "norm": "l2"})}, {"steps": ("3", "4"), "norm": ("L∞", "L2")}),
        ({"settings": AttackSettings({"steps": 3, "eps": None})}, {"eps": ("8/255", "no limit")}),
        ({"settings": AttackSettings({"steps": 3, "eps": "much"})}, {"eps": ("8/255", "“much”, which is refused")}),
        ({"slug": "fgsm", "settings": AttackSettings()}, {"attack": ("PGD", "FGSM")}),
        ({"seed": 7}, {"seed": ("0", "7")}),
        ({"region": "stickers"}, {"region": ("whole image", "stickers only")}),
        ({"label": 3}, {"label": ("assumed", LABELS[3])}),
        ({"target": 1}, {"target": ("none", LABELS[1])}),
        ({"image": {**IMAGE, "name": "dog.png"}, "clean": noise(1)}, {"image": ("cat.png", "dog.png")}),
        ({"image": {**IMAGE, "sha256": "b"}, "clean": noise(1)}, {"image": ("cat.png", "another cat.png")}),
        (
            {"image": {**IMAGE, "crop": [2, 1, 12, 12]}, "clean": noise(1)},
            {"crop": ("16 × 16 at x 0, y 0", "12 × 12 at x 2, y 1")},
        ),
        ({"stickers": (Sticker(1, 2, 3, 4, 5, Colour()),)}, {"stickers": ("none", "1 sticker")}),
        ({"bounds": {"relu1": 2.0}}, {"bounds": ("none", "relu1 up to 2")}),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else None,
)
def test_every_change_is_named_with_both_values(
    qtbot: QtBot, session: Session, change: Mapping[str, Any], expected: Mapping[str, tuple[str, str]]
) -> None:
    run = ran(qtbot, session, steps=3)
    assert named(session, run) == {}
    if change.get("label") == int(run.result.labels[0]):
        pytest.skip("the label of this case must not be the prediction")
    session.change(**change)
    assert named(session, run) == dict(expected)
    assert [each.weighs for each in changed_since(session.state, run)] == ["bounds" not in expected] * len(expected)


@pytest.mark.parametrize(
    "parameters",
    [
        {"steps": 3, "share": 0.5},  # it matters in L1 only
        {"steps": 3, "step_size": 2.5 * (8 / 255) / 3},  # what is used anyway
    ],
)
def test_a_parameter_that_changes_nothing_is_no_difference(qtbot: QtBot, session: Session, parameters: dict[str, Any]) -> None:
    run = ran(qtbot, session, steps=3)
    session.change(settings=AttackSettings(parameters))
    assert named(session, run) == {}


def test_the_image_opened_again_and_the_assumed_label_named_are_no_differences(qtbot: QtBot, session: Session) -> None:
    run = ran(qtbot, session, steps=3)
    assert session.clean is not None
    session.change(clean=session.clean.clone(), label=int(run.result.labels[0]))
    assert named(session, run) == {}
    given = ran(qtbot, session, steps=3)
    assert not given.result.labels_assumed
    session.change(label=None)
    assert named(session, given) == {}
    session.change(label=(int(run.result.labels[0]) + 1) % len(LABELS))
    assert set(named(session, run)) == set(named(session, given)) == {"label"}


def test_models_are_told_apart_by_their_weights(qtbot: QtBot, session: Session) -> None:
    run = ran(qtbot, session, steps=3)
    session.change(classifier=small())
    assert "model" not in named(session, run)
    session.change(classifier=small(1))
    then, now = named(session, run)["model"]
    assert then.startswith("small (")
    assert now.startswith("small (")
    assert then != now


def test_an_error_in_the_form_is_no_difference_of_the_other_parameters(qtbot: QtBot, session: Session) -> None:
    run = ran(qtbot, session, steps=3, eps=4 / 255)
    session.change(settings=AttackSettings({"steps": "three", "eps": "4/255"}))
    assert named(session, run) == {"steps": ("3", "“three”, which is refused")}


def test_a_sticker_attack_is_compared_without_the_content_that_it_made(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    session.commit_stickers((Sticker(1, 2, 2, 8, 8, Optimised()),), "Add")
    run = ran(qtbot, session, "sticker", steps=3)
    assert run.scene.stickers != run.before.stickers
    assert (named(session, run), session.staleness.run) == ({}, run)
    session.commit_stickers((replace(session.stickers[0], x=5),), "Move")
    assert named(session, run) == {"stickers": ("sticker 1: optimised, 8 × 8 at x 2, y 2", "sticker 1: optimised, 8 × 8 at x 5, y 2")}
    assert session.staleness.run is run  # its content is on the canvas, though at another place
    session.commit_stickers((), "Delete")
    assert session.staleness.run is None


def test_a_start_image_is_compared_and_taken_over(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    assert session.classifier is not None
    assert session.clean is not None
    first = int(session.classifier.predict(session.clean[None])[0])
    starts = (start_image(noise(n), session.classifier, f"noise {n}") for n in range(1, 60))
    start = next(each for each in starts if each.prediction != first)
    session.change(slug="hop-skip-jump", settings=AttackSettings({"max_queries": 300}), start=start)
    session.runs.start(HopSkipJump(max_queries=300), begin=start.image)
    qtbot.waitUntil(lambda: bool(session.history.attacks) and not session.runs.running)
    run = session.history.attacks[-1]
    assert named(session, run) == {}
    session.change(start=None)
    assert named(session, run) == {"start": (start.name, "none")}
    back = plan_of(session.state, run)["start"]
    assert back.image is start.image
    assert (back.name, back.prediction) == (start.name, start.prediction)
    session.change(classifier=small(1))
    assert plan_of(session.state, run)["start"].prediction is None  # of this model nobody knows


@pytest.mark.parametrize("slug", sorted(CATALOGUE))
def test_the_parameters_of_every_attack_are_taken_over_exactly(slug: str) -> None:
    kind = CATALOGUE[slug]
    for preset in [{}, *(dict(preset.values) for preset in kind.presets)]:
        made = kind.build(**preset)
        assert kind.build(**settings_of(made).parameters) == made
        assert set(settings_of(made).parameters) <= set(preset)


def test_use_these_parameters_can_be_undone(qtbot: QtBot, session: Session) -> None:
    run = ran(qtbot, session, steps=3, eps=4 / 255)
    changed = {"slug": "fgsm", "settings": AttackSettings({"eps": 0.3}), "seed": 9, "target": 2, "label": 1}
    session.change("Something else", **changed)
    assert set(named(session, run)) >= {"attack", "target"}
    with qtbot.waitSignal(session.notice) as said:
        use_parameters(session, run.number)
    assert named(session, run) == {}
    assert said.args == [f"The parameters of {run.title} were taken over. The next run is made as it was."]
    assert session.plan.kept["fgsm"] == changed["settings"]
    assert session.undo_stack.undoText() == f"Use the parameters of {run.title}"
    session.undo_stack.undo()
    assert {name: getattr(session.plan if name in ("slug", "settings", "seed") else session.state, name) for name in changed} == changed


def test_under_another_model_a_class_is_found_by_its_name(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    first = int(session.classifier.predict(session.clean[None])[0])  # type: ignore[union-attr]
    target = next(n for n in range(5) if n != first)
    session.change(target=target, label=first)
    run = ran(qtbot, session, steps=2)
    session.change(classifier=with_labels(tuple(reversed(LABELS))), target=None)
    fields = plan_of(session.state, run)
    assert fields["target"] == len(LABELS) - 1 - target
    assert fields["label"] == len(LABELS) - 1 - first  # the image is the same
    session.change(**fields)
    assert set(named(session, run)) == {"model"}
    session.change(clean=noise(4))
    assert "label" not in plan_of(session.state, run)  # another image has a label of its own
    session.change(classifier=with_labels((LABELS[target], LABELS[target], *"abcd")))
    assert "target" not in plan_of(session.state, run)  # two classes of the name: which of them cannot be known
    session.change(classifier=with_labels(tuple("abcdef")))
    assert "target" not in plan_of(session.state, run)


def test_staleness_follows_every_change_and_is_announced_once(qtbot: QtBot, session: Session) -> None:
    run = ran(qtbot, session, steps=3)
    heard: list[bool] = []
    session.staleness.changed.connect(lambda: heard.append(session.staleness.stale))
    assert (session.staleness.run, session.staleness.stale, session.staleness.sentence) == (run, False, "")
    session.change("Eps", settings=AttackSettings({"steps": 3, "eps": 2 / 255}))
    assert session.staleness.sentence == "Changed since this run: eps 8/255 → 2/255."
    session.change(live=False)  # not compared
    session.change(new_colour=(0.0, 0.0, 0.0))
    assert heard == [True]
    session.undo_stack.undo()
    assert (heard, session.staleness.differences) == ([True, False], ())
    session.change(bounds={"1": 0.5})
    assert not session.staleness.stale  # the attack did not see the bound, so its result is not out of date
    session.change(data=Choice("mnist", "train", 10))  # PGD reads no data
    assert [each.name for each in session.staleness.differences] == ["bounds"]
    put_sticker(qtbot, session)
    assert session.staleness.run is run
    assert session.staleness.stale
    session.clear_perturbation()
    assert session.staleness.run is None
    assert not session.staleness.stale


def test_while_an_attack_runs_the_canvas_belongs_to_no_finished_run(qtbot: QtBot, session: Session) -> None:
    run = ran(qtbot, session, steps=3)
    session.runs.start(PGD(steps=100_000))
    assert session.staleness.run is None
    qtbot.waitUntil(lambda: session.runs.job is not None and session.runs.job.index > 5)
    session.runs.cancel()
    qtbot.waitUntil(lambda: session.history.shown is not run and session.staleness.run is not None)
    assert session.staleness.run is session.history.shown
    # The run that was cancelled was made with other parameters than the plan has: the canvas says so at once.
    assert {each.name for each in session.staleness.differences} == {"steps"}


def test_a_run_shown_again_is_compared_with_its_own_surroundings(qtbot: QtBot, session: Session) -> None:
    first = ran(qtbot, session, steps=3)
    second = ran(qtbot, session, steps=3, eps=2 / 255)
    session.show_entry(first.number)
    assert session.staleness.run is first
    assert session.staleness.differences == (Difference("eps", "eps", "8/255", "2/255"),)
    session.remove_runs(first.number)
    assert session.staleness.run is None
    session.undo_stack.undo()
    assert session.staleness.run is first
    session.show_entry(second.number)
    assert session.staleness.differences == ()


def test_a_removed_run_leaves_the_canvas_and_undo_brings_both_back(qtbot: QtBot, session: Session) -> None:
    first = ran(qtbot, session, steps=3)
    second = ran(qtbot, session, steps=3, eps=2 / 255)
    session.remove_runs(first.number)
    assert session.history.shown is second  # the canvas shows another one
    session.remove_runs(second.number)
    assert (session.delta, session.state.run, session.staleness.run) == (None, None, None)
    qtbot.waitUntil(lambda: session.frame is not None and session.frame.scene.delta is None)
    assert session.frame.observation.norms["linf"] == 0  # type: ignore[union-attr]
    session.undo_stack.undo()
    assert (session.delta, session.history.shown) == (second.scene.delta, second)
    session.undo_stack.redo()
    assert session.delta is None
    assert session.history.entries == ()


@pytest.mark.parametrize("moved", [False, True])
def test_a_removed_sticker_run_takes_its_content_along(qtbot: QtBot, session: Session, moved: bool) -> None:
    open_image(qtbot, session)
    session.commit_stickers((Sticker(1, 2, 2, 8, 8, Optimised()), Sticker(2, 0, 0, 2, 2, Colour())), "Add")
    drawn = session.stickers
    run = ran(qtbot, session, "sticker", steps=3)
    painted = session.stickers
    assert painted[0].content is not drawn[0].content
    if moved:
        session.commit_stickers((replace(painted[0], x=5), painted[1]), "Move")
    session.remove_runs(run.number)
    assert session.stickers == (replace(drawn[0], x=5 if moved else 2), drawn[1])
    assert session.stickers[0].content is drawn[0].content
    assert session.staleness.run is None
    session.undo_stack.undo()
    assert session.stickers[0].content is painted[0].content
    assert session.staleness.run is run


def test_a_run_removed_while_another_one_runs_does_not_come_back_with_its_cancel(qtbot: QtBot, session: Session) -> None:
    run = ran(qtbot, session, steps=3)
    session.runs.start(PGD(steps=100_000))
    session.remove_runs(run.number)
    assert session.delta is None
    session.runs.cancel()
    qtbot.waitUntil(lambda: not session.runs.running)
    assert session.delta is not run.scene.delta
    assert session.staleness.run is not run


def test_compared_runs(qtbot: QtBot, session: Session) -> None:
    first, second = ran(qtbot, session, steps=2), ran(qtbot, session, steps=3)
    with qtbot.waitSignal(session.comparedChanged):
        compare(session, (second.number, first.number, second.number, 99_999))
    assert session.compared == (second.number, first.number)


def test_the_sentence_names_every_difference() -> None:
    assert sentence(()) == ""
    both = (Difference("eps", "eps", "8/255", "2/255"), Difference("seed", "seed", "0", "3"))
    assert sentence(both) == "Changed since this run: eps 8/255 → 2/255, seed 0 → 3."


def test_eps_that_was_moved_is_the_plan_s_and_undo_says_that_the_run_differs(qtbot: QtBot, session: Session) -> None:
    run = ran(qtbot, session, "fgsm", eps=8 / 255)
    session.eps.keep(run, 4 / 255)
    qtbot.waitUntil(lambda: session.history.attacks[-1] is not run)
    moved = session.history.attacks[-1]
    assert isinstance(moved.operation, FGSM)
    assert named(session, moved) == {}
    assert named(session, run) == {"eps": ("8/255", "4/255")}
    assert torch.equal(moved.before.clean, run.before.clean)
