"""The contents of the Results dock's tabs: a finished run's loss and its artifacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.session.found_stickers import found_stickers
from gui.theme import ADVERSARIAL, LABEL, TARGET

if TYPE_CHECKING:
    from engine import AttackResult
    from gui.plots.curves import Axes, Line
    from gui.session.history import AttackRun

_OTHER = ("#56B4E9", "#E69F00", "#7F7F7F", "#B8860B", "#8C6BB1", "#4D4D4D")


@dataclass(frozen=True, eq=False)
class Item:
    """The content of one tab."""

    kind: str
    """curve, map, landscape, picture, table, stickers, perturbation, model, loss, live loss or live reading."""
    title: str
    artifact: Any = None
    universal: bool = False
    """Whether the artifact is a perturbation for any image."""
    file: Path | None = None
    """The file of a perturbation that was loaded; None for an artifact of a run."""


LOSS = Item("loss", "Loss")
"""The tab of a finished run's loss."""


def items_of(entry: AttackRun) -> list[Item]:
    """Return the tabs of a run, the main results first."""
    from engine.artifacts import Curve, Map, Model, Perturbation, Picture, Table

    kinds = {Curve: "curve", Map: "map", Picture: "picture", Table: "table", Perturbation: "perturbation", Model: "model"}
    items = []
    for name, artifact in entry.result.artifacts.items():
        kind = next((kind for known, kind in kinds.items() if isinstance(artifact, known)), None)
        kind = "landscape" if kind == "map" and name == "landscape" and "places" in entry.result.artifacts else kind
        if kind is not None:
            universal = isinstance(artifact, Perturbation) and artifact.universal
            items.append(Item(kind, _heading(getattr(artifact, "title", name)), artifact, universal))
    # A trained network and the direction of a step come last, since they are seldom of interest.
    items.sort(key=lambda item: item.kind == "model" or (item.kind == "perturbation" and not item.universal))
    if found_stickers(entry):
        items.insert(int(items[0].kind == "landscape") if items else 0, Item("stickers", "Stickers"))
    if "loss" not in entry.result.artifacts:
        items.append(LOSS)
    return items


def live_items(readings: Sequence[str]) -> list[Item]:
    """Return the tabs of an attack in progress: its loss, and each of its readings."""
    return [Item("live loss", LOSS.title), *(Item("live reading", _heading(name), name) for name in readings)]


def _heading(title: str) -> str:
    return title[:1].upper() + title[1:]


def loss_curve(entry: AttackRun) -> tuple[Any, list[Line], Axes, str]:
    """Return x, lines, axes and a note of the loss, for `Curves`."""
    from engine.loss_names import loss_name_of

    result = entry.result
    numbers, losses = result.trace_steps[:, 0].numpy(), result.trace[:, 0].numpy()
    made = numbers >= 0
    flip = result.flip()
    never = "It had nothing to do: the image was like that before." if entry.reached_before else "It never succeeded."
    end = never if flip is None else f"Dashed: the first success, at step {flip:,}."
    return loss_lines(numbers[made].astype(float), losses[made], loss_name_of(result), end)


def loss_lines(steps: Any, losses: Any, name: str, note: str) -> tuple[Any, list[Line], Axes, str]:
    """Return x, lines, axes and a note of a loss of a name, for `Curves`."""
    from gui.plots.curves import Axes, Line

    return steps, [Line(name, losses, ADVERSARIAL)], Axes("step", name), f"The attack maximises this loss. {note}".strip()


def artifact_curve(entry: AttackRun, artifact: Any) -> tuple[Any, list[Line], Axes, str]:
    """Return x, lines, axes and a note of a `Curve` artifact; lines of the label and the target get their usual colours."""
    from gui.plots.curves import Axes, Line

    result = entry.result
    known = _colours(result)
    colours = {name: known[_class_in(name, known)] for name in artifact.lines if _class_in(name, known) in known}
    free = (colour for colour in (ADVERSARIAL, *_OTHER * len(artifact.lines)) if colour not in colours.values())
    lines = [Line(name, values.numpy(), colours.get(name) or next(free)) for name, values in artifact.lines.items()]
    over, up = artifact.x_axis, artifact.y_axis
    levels = over.unit == "eps" and getattr(result.operation, "norm", "") == "linf"
    x_label = "eps (of 255)" if levels else over.label
    x = artifact.x.numpy()
    wide = bool(x.min() > 0 and x.max() >= 50 * x.min()) and over.unit != "step"
    axes = Axes(x_label, up.label, up.unit == "share", 255.0 if levels else 1.0, wide, counted=over.unit == "step")
    return x, lines, axes, ""


def _class_in(name: str, known: dict[str, str]) -> str:
    """Return the class that a line shows; its name is the class's, or ``p(class)``."""
    inner = name[2:-1] if name.startswith("p(") and name.endswith(")") else name
    return inner if inner in known else name


def _colours(result: AttackResult) -> dict[str, str]:
    labels = result.classifier.labels
    colours = {labels[int(result.prediction[0])]: ADVERSARIAL, "success": ADVERSARIAL}
    if result.targets is not None:
        colours |= {labels[int(result.targets[0])]: TARGET, "probability of the target": TARGET}
    return {**colours, labels[int(result.labels[0])]: LABEL}
