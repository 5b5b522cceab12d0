"""The File menu's commands for studies: new, open, save."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from gui.shell.actions.conditions import has_runs, ready
from gui.shell.actions.spec import ActionSpec
from gui.shell.last_study import set_starts_with_last, starts_with_last
from gui.shell.opening import open_file
from gui.widgets.asked_file import ask_file

if TYPE_CHECKING:
    from gui.session.session import Session
    from gui.shell.actions.shell import Shell

FILTER = "Studies (*.gibbon)"


def new_study(shell: Shell) -> None:
    """Begin a new study with the present model and image."""
    shell.session.studies.new()


def open_study(shell: Shell) -> None:
    """Ask for a study, and open it."""
    folder = shell.settings.folder("studies")
    path, _ = QFileDialog.getOpenFileName(shell.window(), "Open study", str(folder), f"{FILTER};;All files (*)")
    if path:
        open_file(shell, Path(path))


def save_study(shell: Shell) -> None:
    """Save the study in its file; ask for a name where it has none yet."""
    if not shell.session.studies.save():
        save_study_as(shell)


def save_study_as(shell: Shell) -> None:
    """Ask for a file name, and save the study there, now and from then on."""
    studies = shell.session.studies
    stem = studies.name or Path(str(shell.session.image.get("name", "study"))).stem
    start = studies.path or shell.settings.folder("studies") / f"{stem}.gibbon"
    path = ask_file(shell.window(), "Save study", start, FILTER)
    if path is not None:
        shell.settings.keep_folder("studies", path.parent)
        studies.save(path)


def save_study_script(shell: Shell) -> None:
    """Ask for a file name, and write the study's attacks there as a script."""
    session = shell.session
    studies = session.studies
    name = studies.name or "study"
    path = ask_file(shell.window(), "Save study as script", shell.settings.folder("scripts") / f"{name}.py", "Python (*.py)")
    if path is not None:
        shell.settings.keep_folder("scripts", path.parent)
        write_study_script(session, path)


def write_study_script(session: Session, path: Path) -> None:
    """Write the study's attacks as a script, which reads the images from the study; messages and status bar say where.

    A study without a file of its own is written beside the script.
    """
    studies = session.studies
    snapshot, name, file = studies.snapshot(), studies.name or "session", studies.path
    if file is not None:
        studies.save()  # the script names runs that the file must hold

    def write() -> tuple[Path, Path]:
        from engine import study
        from engine.script import study_as_python, write_script
        from gui.session.studies.snapshot import study_of

        kept = study_of(snapshot)
        place = file or unused(path.with_suffix(study.SUFFIX))
        beside = place.resolve().parent == path.resolve().parent
        text = study_as_python(kept, f"The study {name}, run again.", file=place, beside=beside)
        written = write_script(path, text)
        return written, place if file is not None else study.write(kept, place)

    def then(files: tuple[Path, Path]) -> None:
        written, place = files
        sentence = f"The script is in {written}; it reads the images from {place.name}. Run it with python."
        session.log("info", sentence)
        session.notice.emit(sentence)

    session.ask("study-script", write, then, what=f"Writing {path.name}", busy=f"Writing {path.name}…", keep=True)


def toggle_last(shell: Shell) -> None:
    """Switch whether a start opens the last study again."""
    wanted = not starts_with_last(shell.settings)
    set_starts_with_last(shell.settings, wanted)
    shell.session.notice.emit(
        "The next start opens the last study again." if wanted else "The next start begins a new study; the last one is in the File menu."
    )


def unused(path: Path) -> Path:
    """Return the path or, where there is such a file already, the first with a number that is free."""
    numbered = (path if number == 1 else path.with_stem(f"{path.stem}-{number}") for number in count(1))
    return next(each for each in numbered if not each.exists())


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "new_study",
        "New study",
        new_study,
        "Begin anew with this model and image; the present study is saved first",
        ("Ctrl+N",),
        "mdi6.file-outline",
        enabled=ready,
        rule=True,
    ),
    ActionSpec(
        "open_study",
        "Open study…",
        open_study,
        "Open a study: model, image, stickers, plan and all its runs",
        ("Ctrl+Shift+O",),
        "mdi6.folder-star-outline",
        enabled=ready,
    ),
    ActionSpec(
        "save_study",
        "Save study",
        save_study,
        "Save model, image, stickers, plan and all runs in one file. The session also saves itself, every minute and when it ends",
        ("Ctrl+Alt+S",),
        "mdi6.content-save-all-outline",
        enabled=ready,
    ),
    ActionSpec(
        "save_study_script",
        "Save study as script…",
        save_study_script,
        "Write all attacks of the study as Python, with every parameter that is not the default",
        enabled=has_runs,
    ),
    ActionSpec(
        "save_study_as",
        "Save study as…",
        save_study_as,
        "Save the study under another name, and go on there",
        ("Ctrl+Shift+S",),
        enabled=ready,
    ),
    ActionSpec(
        "start_with_last",
        "Start with the last study",
        toggle_last,
        "Whether the next start opens this study again. In a terminal, --fresh begins anew once",
        checkable=True,
    ),
)
