"""The verdict on a finished run that is not an attack: its result in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import Result


def verdict_of(result: Result) -> str:
    """Return the accuracy of a trained model, else the title of the first table; empty if there is neither."""
    from engine.artifacts import Model, Table
    from engine.text.formatting import format_probability

    for artifact in result.artifacts.values():
        if isinstance(artifact, Model) and artifact.history is not None and "accuracy" in artifact.history.lines:
            lines = {name: [float(value) for value in line] for name, line in artifact.history.lines.items()}
            epochs = len(lines["accuracy"])
            if not epochs:
                return "No epoch was finished."
            loss = f", loss {lines['loss'][-1]:.3g}" if "loss" in lines else ""
            plural = "epoch" if epochs == 1 else "epochs"
            return f"{format_probability(lines['accuracy'][-1])} of the training images right{loss}, after {epochs} {plural}."
    return next((artifact.title for artifact in result.artifacts.values() if isinstance(artifact, Table)), "")
