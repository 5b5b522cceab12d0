"""Commands on finished runs: comparing them, and taking them along as scripts, images and figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication

from gui.session.history import AttackRun, FinishedRun
from gui.session.run_actions import use_parameters
from gui.session.training.run import record_of
from gui.shell.actions.conditions import has_removed_runs, has_run
from gui.shell.actions.spec import ActionSpec
from gui.widgets.asked_file import ask_file

if TYPE_CHECKING:
    from gui.session.session import Session
    from gui.shell.actions.shell import Shell

Numbers = tuple[int, ...]
Runs = Sequence[FinishedRun]


def carry_out(shell: Shell, name: str, numbers: Numbers) -> None:
    """Carry out a command of the Runs dock on runs; see `gui.panels.runs.run_commands`."""
    runs = [run for run in map(shell.session.history.find, numbers) if run is not None]
    if name in _SCRIPTS:
        _SCRIPTS[name](shell, runs)
        return
    attacks = [run for run in runs if isinstance(run, AttackRun)]
    if attacks:
        _COMMANDS[name](shell, attacks)


def show_comparison(shell: Shell, _runs: list[AttackRun]) -> None:
    """Show the workspace whose canvas compares runs."""
    shell.workspaces.switch("compare")


def copy_script(shell: Shell, runs: Runs) -> None:
    """Copy a script that makes the runs again."""
    session, what = shell.session, _named(runs)

    def then(text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        session.notice.emit(f"A script of {what} is on the clipboard.")

    session.ask("script", lambda: script_of(runs, Path.cwd()), then, what=f"Writing a script of {what}", keep=True)


def save_script(shell: Shell, runs: Runs) -> None:
    """Ask for a file name, and save a script that makes the runs again."""
    start = shell.settings.folder("save") / f"{runs[0].operation.slug}-run-{runs[0].number}.py"
    path = ask_file(shell.window(), "Save as script", start, "Python script (*.py)")
    if path is not None:
        shell.settings.keep_folder("save", path.parent)
        save_script_to(shell.session, runs, path)


def save_script_to(session: Session, runs: Runs, path: Path) -> None:
    """Save a script that makes the runs again."""
    from engine.script import write_script

    def save() -> Path:
        return write_script(path, script_of(runs, path.parent))

    def then(written: Path) -> None:
        sentence = f"{written.name} makes {_named(runs)} again: python {written.name}"
        session.log("info", sentence)
        session.notice.emit(sentence)

    session.ask("save", save, then, what=f"Saving {path.name}", busy=f"Saving {path.name}…", keep=True)


def script_of(runs: Runs, folder: Path) -> str:
    """Return a script that makes the runs again: attacks, or one training. Called in the engine thread."""
    from engine.script import Recorded, runs_as_python, training_as_python
    from gui.export.recording import record_of_entry

    if (record := record_of(runs[0])) is not None:
        return training_as_python(record, folder)
    return runs_as_python([Recorded(record_of_entry(run, folder), folder) for run in runs if isinstance(run, AttackRun)])


def save_image(shell: Shell, runs: list[AttackRun]) -> None:
    """Ask for a file name, and save the adversarial image of a run there."""
    run = runs[0]
    start = shell.settings.folder("save") / f"{Path(str(run.image.get('name', 'image'))).stem}-run-{run.number}.png"
    path = ask_file(shell.window(), f"Save the image of {run.title}", start, "PNG image (*.png)")
    if path is not None:
        shell.settings.keep_folder("save", path.parent)
        save_image_to(shell.session, run, path)


def save_image_to(session: Session, run: AttackRun, path: Path) -> None:
    """Save the adversarial image of a run; the verdict goes to the messages and the status bar."""
    from gui.export.saving import save_entry

    def then(sentence: str) -> None:
        session.log("info", sentence)
        session.notice.emit(sentence)

    session.ask("save", lambda: save_entry(run, path), then, what=f"Saving {path.name}", busy=f"Saving {path.name}…", keep=True)


def export_figure(shell: Shell, runs: list[AttackRun]) -> None:
    """Show a run, and open the dialog that exports its figure."""
    from gui.shell.actions.file import export_figure as open_dialog

    if shell.session.runs.running:
        shell.session.notice.emit("An attack is running: wait for its end, or cancel it, to show another run for the figure.")
        return
    shell.session.show_entry(runs[0].number)
    open_dialog(shell)


def open_folder(_shell: Shell, runs: list[AttackRun]) -> None:
    """Open the folder of a run's image in the system's file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(str(runs[0].image["path"])).parent)))


def _named(runs: Runs) -> str:
    return runs[0].title if len(runs) == 1 else f"{len(runs)} runs"


_COMMANDS: dict[str, Callable[[Shell, list[AttackRun]], None]] = {
    "compare": show_comparison,
    "save_image": save_image,
    "export_figure": export_figure,
    "open_folder": open_folder,
}

_SCRIPTS: dict[str, Callable[[Shell, Runs], None]] = {"copy_python": copy_script, "save_script": save_script}
"""The commands on attacks and on trainings."""


# ---------------------------------------------------------------------- the run on the canvas


def _on_canvas(shell: Shell) -> list[AttackRun]:
    run = shell.session.staleness.run
    return [] if run is None else [run]


def copy_shown_as_python(shell: Shell) -> None:
    """Copy a script of the run on the canvas."""
    if runs := _on_canvas(shell):
        copy_script(shell, runs)


def save_shown_as_script(shell: Shell) -> None:
    """Save a script of the run on the canvas."""
    if runs := _on_canvas(shell):
        save_script(shell, runs)


def use_shown_parameters(shell: Shell) -> None:
    """Take the parameters of the run on the canvas over for the next run."""
    for run in _on_canvas(shell):
        use_parameters(shell.session, run.number)


def restore_runs(shell: Shell) -> None:
    """Bring all removed runs back."""
    shell.session.restore_runs()


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "use_parameters",
        "Use this run's parameters",
        use_shown_parameters,
        "Set up the next run as the one on the canvas was",
        icon="mdi6.restore",
        enabled=has_run,
        rule=True,
    ),
    ActionSpec(
        "copy_python",
        "Copy this run as Python",
        copy_shown_as_python,
        "Copy a script that makes the run on the canvas again and compares every bit",
        ("Ctrl+Alt+C",),
        "mdi6.language-python",
        enabled=has_run,
    ),
    ActionSpec(
        "save_script",
        "Save this run as script…",
        save_shown_as_script,
        "Save a Python script that makes the run on the canvas again",
        icon="mdi6.script-text-outline",
        enabled=has_run,
    ),
    ActionSpec(
        "restore_runs",
        "Bring back removed runs",
        restore_runs,
        "Bring back all runs that were removed and are still in memory",
        icon="mdi6.delete-restore",
        enabled=has_removed_runs,
    ),
)
