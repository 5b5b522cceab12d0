"""Output of the commands: results to stdout, progress and errors to stderr."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from engine.errors import GibbonError
from engine.files import check_folder_path, make_folder

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.table import Table

    from engine.artifacts import Table as Artifact


PAGE = 100
"""Columns of a help text in a file or a pipe."""


def program() -> str:
    """Return the name of this program as it was called: ``gibbon``, or ``python main.py``."""
    called = Path(sys.argv[0]).name
    return f"python {called}" if called.endswith(".py") else called or "gibbon"


def complain(sentence: str) -> None:
    """Print one sentence to stderr, on one line."""
    print(" ".join(sentence.split()), file=sys.stderr)


NO_FOLDER = "The current folder is not there any more. Change to one that is, and run the command again."


def has_folder() -> bool:
    """Return whether the current folder still exists: relative paths mean nothing without it."""
    try:
        os.getcwd()
    except OSError:
        return False
    return True


def let_go_of_stdout() -> None:
    """Discard the rest of stdout after a failed write, since Python would retry at exit and fail with a traceback."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say_json(value: Any) -> None:
    """Print ``value`` as JSON to stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def say(*lines: str) -> None:
    """Print lines to stdout without wrapping, so that file names stay whole."""
    for line in lines:
        print(line)


def say_table(table: Table) -> None:
    """Print a table to stdout, as wide as the terminal; unwrapped in a file or a pipe."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, Console(width=10_000).measure(table).maximum))
    console.print(table)


def say_help(*parts: Table | str) -> None:
    """Print tables and paragraphs for reading, wrapped to the terminal's width, or to `PAGE` where there is none."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console = Console(width=PAGE)
    for part in parts:
        console.print(Text(part) if isinstance(part, str) else part)


def say_artifact(table: Artifact) -> None:
    """Print a table artifact of an operation."""
    from rich.table import Table as Shown
    from rich.text import Text

    from engine.text.formatting import cells_of

    say(table.title)  # printed apart from the table, whose own title would wrap to the table's width
    shown = Shown(box=None, padding=(0, 2, 0, 0))
    columns = [cells_of([row[place] for row in table.rows], table.units.get(name, "")) for place, name in enumerate(table.columns)]
    for name in table.columns:
        shown.add_column(name)
    for row in zip(*columns, strict=True):
        shown.add_row(*map(Text, row))
    say_table(shown)


@contextmanager
def progress(quiet: bool = False) -> Iterator[Progress]:
    """Show a bar with rate and remaining time on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[news]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        yield bar


def every(seconds: float) -> Callable[[], bool]:
    """Return a function that is True once in ``seconds``: reading a loss makes a GPU wait."""
    last = -math.inf

    def due() -> bool:
        nonlocal last
        now = time.monotonic()
        if now - last < seconds:
            return False
        last = now
        return True

    return due


class Interrupt:
    """Handler of Ctrl-C. The first press lets the run end at its next step; a second one ends the program."""

    pressed = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Note that Ctrl-C was pressed; raise ``KeyboardInterrupt`` at the second press."""
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Catch Ctrl-C while the block runs, which only the main thread can."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)


def refuse_existing(files: list[Path], overwrite: bool, given: str = "--out") -> None:
    """Refuse to overwrite existing files, unless ``overwrite`` is set. ``given`` is what names them on the command line.

    Raises
    ------
    GibbonError
        Some of the files exist, or their folder is a file.
    """
    for folder in dict.fromkeys(path.parent for path in files):
        check_folder_path(folder, f"Choose another {given}.")
    there = [path for path in files if path.exists()]
    if there and not overwrite:
        names = ", ".join(path.name for path in there)
        raise GibbonError(f"In “{there[0].parent}” there is already {names}. Choose another {given}, or say --overwrite.")


_made: list[Path] = []
"""The folders that the present command has made, each after those in it."""


def remove_unused_folders() -> None:
    """Remove the folders that the command has made and written nothing into, such as one for a table without any number."""
    folders = _made[:]
    _made.clear()
    for folder in folders:
        with suppress(OSError):  # it is not empty, or another process has removed it
            folder.rmdir()


def made_folder(folder: Path, given: str = "--out") -> Path:
    """Return the folder of an output. One that is missing is made, and that is said, so that a slip of the pen is seen.

    A command calls this before its run begins. ``given`` is what names the folder on the command line.

    Raises
    ------
    GibbonError
        The path is a file, the folder cannot be created, or nothing can be written into it.
    """
    if folder.is_dir():
        if not os.access(folder, os.W_OK):
            raise GibbonError(f"Nothing can be written into the folder “{folder}”. Choose another {given}.")
        return folder
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    make_folder(folder, f"Choose another {given}.")
    _made.extend(each.absolute() for each in missing)
    complain(f"There was no folder “{folder}”, so it was made.")
    return folder
