"""The table of what can be done with finished runs: the buttons of the Runs dock and its context menu are made from it. No widget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gui.session.history import AttackRun
from gui.session.training.run import is_training, record_of

if TYPE_CHECKING:
    from gui.session.history import FinishedRun

Command = Literal[
    "show",
    "use",
    "compare",
    "copy_python",
    "copy_json",
    "save_script",
    "save_image",
    "export_figure",
    "open_folder",
    "remove",
]
Runs = Sequence["FinishedRun"]


@dataclass(frozen=True)
class RunCommand:
    """A command on the selected runs."""

    name: Command
    title: str
    icon: str
    tip: str
    obstacle: Callable[[Runs], str]
    """Returns the sentence that says why the command cannot be carried out on runs; empty if it can."""
    rule: bool = False
    """Whether the menu begins a new group here."""
    button: bool = False
    """Whether the dock has a button for it."""


def _some(runs: Runs) -> str:
    return "" if runs else "Select a run."


def _one_attack(runs: Runs) -> str:
    if len(runs) != 1:
        return "Select one run." if runs else "Select a run."
    return "" if isinstance(runs[0], AttackRun) else "Only an attack has an image that could be shown."


def _attacks(runs: Runs) -> str:
    if not runs:
        return "Select a run."
    return "" if all(isinstance(run, AttackRun) for run in runs) else "Select attacks only."


def _repeatable(runs: Runs) -> str:
    """Attacks make one script together, a training one of its own."""
    if len(runs) == 1 and is_training(runs[0]):
        record = record_of(runs[0])
        if record is None:
            return "This training comes from a study of an older version, which did not keep how it began."
        return "" if record.source.network else "The network that this training began from was never saved to a file."
    trainings = [run for run in runs if is_training(run)]
    return "A training is a script of its own: select it alone." if trainings else _attacks(runs)


def _several_attacks(runs: Runs) -> str:
    return _attacks(runs) or ("" if len(runs) > 1 else "Select two or more runs: Ctrl and a click adds one.")


def _with_file(runs: Runs) -> str:
    missing = _one_attack(runs)
    if missing:
        return missing
    run = runs[0]
    assert isinstance(run, AttackRun)
    return "" if run.image.get("path") else "The run's image came from no file."


COMMANDS: tuple[RunCommand, ...] = (
    RunCommand(
        "show",
        "Show again",
        "mdi6.eye-outline",
        "Put this run back on the canvas, with its model, image and stickers (Enter)",
        _one_attack,
        button=True,
    ),
    RunCommand(
        "use",
        "Use these parameters",
        "mdi6.restore",
        "Set up the next run as this one was",
        _one_attack,
        button=True,
    ),
    RunCommand(
        "compare", "Compare", "mdi6.compare", "Show the selected runs beside each other on the canvas", _several_attacks, button=True
    ),
    RunCommand(
        "copy_python",
        "Copy as Python",
        "mdi6.language-python",
        "Copy a script that makes the selected runs again and compares every bit",
        _repeatable,
        rule=True,
        button=True,
    ),
    RunCommand(
        "copy_json", "Copy as JSON", "mdi6.code-json", "Copy the selected runs, with every parameter, outcome and version, as JSON", _some
    ),
    RunCommand(
        "save_script", "Save as script…", "mdi6.script-text-outline", "Save a Python script that makes the selected runs again", _repeatable
    ),
    RunCommand(
        "save_image",
        "Save image…",
        "mdi6.content-save-outline",
        "Save the run's adversarial image as PNG, with its record inside, and read it back",
        _one_attack,
    ),
    RunCommand("export_figure", "Export figure…", "mdi6.file-export-outline", "Show the run, and compose a figure of it", _one_attack),
    RunCommand("open_folder", "Open folder of the image", "mdi6.folder-outline", "Open the folder of the run's image", _with_file),
    RunCommand(
        "remove", "Remove", "mdi6.delete-outline", "Remove the selected runs; undo brings them back (Delete)", _some, rule=True, button=True
    ),
)
