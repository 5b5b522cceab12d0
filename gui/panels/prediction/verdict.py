"""The Prediction dock's sentences, as pure functions of a frame and of its label and target. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.text.formatting import format_probability as percent

if TYPE_CHECKING:
    from torch import Tensor

    from engine.explain import Observation
    from gui.session.history import AttackRun
    from gui.session.scene import Frame
    from gui.session.state import State

Outcome = Literal["target", "adversarial", ""]
"""The kind of success: the target was reached, another class than the label was, or none."""


@dataclass(frozen=True)
class Goals:
    """The classes that a frame is marked with and judged by."""

    label: int | None = None
    """The true label; None if it is unknown."""
    target: int | None = None
    """The class that is marked as the target."""
    chosen_by_attack: bool = False
    """Whether the attack chose the target itself."""
    judged_by: int | None = None
    """The target that decides on success: a finished run's own, not the one that is chosen for the next run."""
    by_stickers: bool = False
    """Whether the run on the canvas had nothing to do, since the stickers alone have that effect."""


def goals_of(state: State, shown: AttackRun | None, frame: Frame) -> Goals:
    """Return the goals of a frame; ``shown`` is the finished run on the canvas."""
    chosen = None if shown is None or state.target is not None else shown.result.goal(0)
    judged_by = state.target
    if shown is not None and (frame.step is None or frame.run == shown.number):
        judged_by = None if shown.result.targets is None else int(shown.result.targets[0])
    by_stickers = shown is not None and frame.step is None and bool(shown.before.stickers) and bool(shown.result.reached_before[0])
    return Goals(state.label, state.target if chosen is None else chosen, chosen is not None, judged_by, by_stickers)


def verdict_on(frame: Frame, goals: Goals) -> tuple[str, Outcome]:
    """Return the verdict on a frame as a sentence, and the kind of success. What held before the attack is no success."""
    seen, grown, labels = frame.observation, frame.scene.grown, frame.scene.classifier.labels
    before, after = seen.clean_prediction, seen.adversarial_prediction
    change = f"{'noise' if grown else labels[before]} → {labels[after]}"
    misread = goals.label is not None and goals.label != before and not grown
    if goals.judged_by is not None and after == goals.judged_by and (grown or after != before):
        if goals.by_stickers:
            return f"Target reached by the stickers alone: {change}", ""
        return f"Target reached{', though misread before' if misread else ''}: {change}", "target"
    if grown:
        return f"Grown from noise: {labels[after]}", "adversarial"
    if misread:
        return f"Wrong before any attack: {labels[before]}, not {labels[goals.label or 0]}{_now(frame, goals)}", ""
    if after != before:
        return (f"Flipped by the stickers alone: {change}", "") if goals.by_stickers else (f"Flipped: {change}", "adversarial")
    if before == goals.judged_by:
        return f"The target before any attack: {labels[before]}", ""
    return f"{'Still ' if seen.norms['linf'] > 0 else ''}{labels[before]}{_behind(seen, labels)}", ""


def _behind(seen: Observation, labels: tuple[str, ...]) -> str:
    """Return what a defended model takes the image for, where the model itself is right and that one is not."""
    defended = seen.defended
    if defended is None or defended.adversarial_prediction in (seen.adversarial_prediction, defended.clean_prediction):
        return ""
    return f"; behind the defense {labels[defended.adversarial_prediction]}"


def _now(frame: Frame, goals: Goals) -> str:
    """Return what the model takes a misread image for now, if that is another class."""
    seen, labels = frame.observation, frame.scene.classifier.labels
    after = seen.adversarial_prediction
    if after == seen.clean_prediction:
        return ""
    return f"; now right: {labels[after]}" if after == goals.label else f"; now {labels[after]}"


def under_bound(seen: Observation, labels: tuple[str, ...]) -> str:
    """Describe the bounded classifier's predictions for both images, or say why it fails; empty without a bound."""
    if "bounds" in seen.failures:
        return seen.failures["bounds"]
    bounded = seen.bounded
    if bounded is None:
        return ""
    clean, adversarial = int(bounded.clean.argmax()), int(bounded.adversarial.argmax())
    return (
        f"❙ Under the bound: clean {labels[clean]} {percent(float(bounded.clean[clean]))}, "
        f"adversarial {labels[adversarial]} {percent(float(bounded.adversarial[adversarial]))}"
    )


def similarity(clean: Tensor, adversarial: Tensor) -> float:
    """Return the structural similarity of two images ``(C, H, W)``. Called in the engine thread, since its import takes a while."""
    from skimage.metrics import structural_similarity

    window = min(7, clean.shape[1], clean.shape[2])
    if window < 3:
        return float("nan")  # the image is smaller than any window
    return float(
        structural_similarity(clean.numpy(), adversarial.numpy(), win_size=window - (window + 1) % 2, data_range=1.0, channel_axis=0)
    )
