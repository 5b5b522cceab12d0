"""Changes of several fields together: another image, classifier or finished run. Pure functions from a state to its new fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gui.session.stand_in import is_stand_in
from gui.session.state import State
from gui.session.sticker_content import contents_taken_back

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph
    from gui.session.history import AttackRun

NO_PERTURBATION: Mapping[str, Any] = {"delta": None, "grown": False, "run": None}


def of_image(state: State, clean: Tensor, image: Mapping[str, Any], label: int | None, photograph: Photograph | None) -> dict[str, Any]:
    """Return the fields that change with another image: the stickers are scaled to its size, the perturbation is removed."""
    fields = {"clean": clean, "image": dict(image), "label": label, "label_text": "", "photograph": photograph, **NO_PERTURBATION}
    return fields | _in_proportion(state, tuple(clean.shape))


def _in_proportion(state: State, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the stickers at their places of an image of another shape ``(C, H, W)``; nothing where the size is the same."""
    if not state.stickers or state.clean is None or state.clean.shape[1:] == shape[1:]:
        return {}
    from engine.stickers import scaled

    (_, height, width), (_, new_height, new_width) = state.clean.shape, shape
    return {"stickers": tuple(scaled(sticker, (height, width), (new_height, new_width)) for sticker in state.stickers)}


def of_classifier(state: State, classifier: Classifier) -> dict[str, Any]:
    """Return the fields that change with another classifier: an image of another shape is removed, and labels if the classes differ."""
    if is_stand_in(state.classifier) and state.classifier.fingerprint == classifier.fingerprint:  # type: ignore[union-attr]
        return {"classifier": classifier}  # the model of the study that is open: everything on the canvas is its own
    fields: dict[str, Any] = {"classifier": classifier, "bounds": {}, **NO_PERTURBATION}
    if state.classifier is None or state.classifier.labels != classifier.labels:
        fields |= {"label": None, "target": None, "label_text": "", "target_text": ""}
    start = state.plan.start
    if start is not None and tuple(start.image.shape) != classifier.input_shape:
        fields["start"] = None  # if it came from a photograph, the dock crops it again for the new classifier
    if state.clean is not None and tuple(state.clean.shape) != classifier.input_shape:
        fields |= {"clean": None, "image": {}, **_in_proportion(state, classifier.input_shape)}  # the next image is of the new size
    return fields


def of_run(state: State, run: AttackRun) -> dict[str, Any]:
    """Return the fields that put a finished run back on the canvas, with its classifier, image, stickers and labels."""
    scene, result = run.scene, run.result
    fields = {
        "classifier": scene.classifier,
        "clean": scene.clean,
        "image": dict(run.image),
        "photograph": run.photograph,
        "label": None if result.labels_assumed else int(result.labels[0]),
        "target": None if result.targets is None else int(result.targets[0]),
        "stickers": scene.stickers,
        "delta": scene.delta,
        "grown": scene.grown,
        "run": run.number,
    }
    if scene.classifier is not state.classifier:
        fields["bounds"] = {}
    if run.inputs.defense:
        fields["defense"] = run.inputs.defense  # it was made to get through this one
    if not state.is_current(scene):
        fields["selected"] = None
    return fields


def without_run(state: State, run: AttackRun) -> dict[str, Any]:
    """Return the fields that take what a run made off the canvas: its perturbation, or the content that it gave to stickers."""
    if run.scene.delta is not None:
        return dict(NO_PERTURBATION)
    stickers = contents_taken_back(state.stickers, run.scene.stickers, run.before.stickers)
    return {"run": None, **({} if stickers is None else {"stickers": stickers})}
