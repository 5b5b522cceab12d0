"""The Prediction dock's sentences as functions of a frame and of what the attack was after: no widget is made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.explain import observe
from gui.panels.prediction.verdict import Goals, goals_of, under_bound, verdict_on
from gui.session.scene import Frame, Scene
from gui.session.state import State
from tests.gui.panel_scenes import LABELS, noise, small


def frame_of(before: int, after: int, *, grown: bool = False, changed: bool = True) -> Frame:
    """A frame whose images are taken for these classes."""
    classifier, clean = small(), noise()
    seen = observe(classifier, clean, clean + 0.01 if changed else clean)
    one_hot = torch.eye(len(LABELS))
    seen = replace(seen, clean_logits=one_hot[before], adversarial_logits=one_hot[after])
    pixels = np.zeros((16, 16, 3), np.uint8)
    return Frame(Scene(classifier, clean, grown=grown), seen, pixels, pixels, 0.0)


@pytest.mark.parametrize(
    ("before", "after", "grown", "changed", "goals", "sentence", "outcome"),
    [
        (0, 1, False, True, Goals(), "Flipped: Stop → Yield", "adversarial"),
        (0, 1, False, True, Goals(judged_by=1), "Target reached: Stop → Yield", "target"),
        (0, 1, False, True, Goals(judged_by=2), "Flipped: Stop → Yield", "adversarial"),
        (1, 1, False, True, Goals(judged_by=1), "The target before any attack: Yield", ""),
        (1, 1, True, True, Goals(judged_by=1), "Target reached: noise → Yield", "target"),
        (0, 1, True, True, Goals(judged_by=2), "Grown from noise: Yield", "adversarial"),
        (0, 0, False, True, Goals(), "Still Stop", ""),
        (0, 0, False, False, Goals(label=0), "Stop", ""),
        (0, 0, False, True, Goals(label=2), "Wrong before any attack: Stop, not No entry", ""),
        (0, 1, False, True, Goals(label=2), "Wrong before any attack: Stop, not No entry; now Yield", ""),
        (0, 2, False, True, Goals(label=2), "Wrong before any attack: Stop, not No entry; now right: No entry", ""),
        (0, 1, False, True, Goals(label=2, judged_by=1), "Target reached, though misread before: Stop → Yield", "target"),
        (0, 1, False, True, Goals(label=2, judged_by=3), "Wrong before any attack: Stop, not No entry; now Yield", ""),
        (0, 1, False, True, Goals(label=0, by_stickers=True), "Flipped by the stickers alone: Stop → Yield", ""),
        (0, 1, False, True, Goals(judged_by=1, by_stickers=True), "Target reached by the stickers alone: Stop → Yield", ""),
        (0, 1, True, True, Goals(label=2), "Grown from noise: Yield", "adversarial"),
    ],
)
def test_the_verdict(before: int, after: int, grown: bool, changed: bool, goals: Goals, sentence: str, outcome: str) -> None:
    assert verdict_on(frame_of(before, after, grown=grown, changed=changed), goals) == (sentence, outcome)


def test_without_a_run_a_frame_is_judged_by_the_target_that_is_chosen() -> None:
    frame = frame_of(0, 1)
    assert goals_of(State(label=0, target=2), None, frame) == Goals(0, 2, False, 2)
    assert goals_of(State(), None, frame) == Goals()


def test_without_a_bound_nothing_is_said_of_one() -> None:
    seen = frame_of(0, 1).observation
    assert under_bound(seen, LABELS) == ""
    assert under_bound(replace(seen, failures={"bounds": "It failed."}), LABELS) == "It failed."
