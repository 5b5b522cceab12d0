"""Gibbon's one entry: no arguments opens the window, a command runs without one, an image or a study opens the window on it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_OPTIONS = ("--fresh", "--copy")
"""Options of the window: to begin with the stop sign instead of the last session, and to open a copy of a study."""
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def main() -> int:
    """Open the window or run a command; the exit code."""
    # The thread that holds the GIL gives it up after 1 ms instead of 5: the window stays smooth beside an attack.
    sys.setswitchinterval(0.001)
    arguments = sys.argv[1:]
    from engine.cli.output import NO_FOLDER, complain, has_folder

    if not has_folder():
        complain(NO_FOLDER)
        return 2
    if arguments[:1] == ["gui"] and not {"-h", "--help"} & set(arguments):
        return _window(arguments[1:])
    files = [argument for argument in arguments if argument not in _OPTIONS]
    if not files or (len(files) == 1 and _is_file(files[0])):
        return _window(arguments)
    from engine.cli import main as command

    return command(arguments)


def _is_file(argument: str) -> bool:
    """Whether an argument is the path of something that exists, and not a command's name."""
    if argument.startswith("-") or not os.path.lexists(argument):
        return False
    if Path(argument).suffix or Path(argument).name != argument:
        return True
    from engine.cli.app import COMMANDS

    return argument not in COMMANDS


def _window(arguments: list[str]) -> int:
    problem = _problem(arguments)
    if problem:
        from engine.cli.output import complain

        complain(problem)
        return 2
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in _DISPLAYS):
        return _without_display(arguments)
    from gui.app import main as window

    return window([sys.argv[0], *arguments])


def _problem(arguments: list[str]) -> str:
    """Return why the file to be opened is none, in a sentence; empty if it may be one. What is in it the window reads and judges."""
    from engine.errors import GibbonError
    from engine.files import ordinary_file

    for file in (Path(argument) for argument in arguments if not argument.startswith("-")):
        try:
            if ordinary_file(file, "an image, a study, a record or a network's weights").stat().st_size == 0:
                return f"“{file.name}” is empty (0 bytes). Choose another file."
        except GibbonError as error:
            return str(error)
    return ""


def _unreadable(arguments: list[str]) -> str:
    """Return why the window could not open the file, in a sentence; empty if it could, or if none is asked for."""
    from engine.errors import GibbonError, in_words
    from engine.kinds import check

    for file in (Path(argument) for argument in arguments if not argument.startswith("-")):
        try:
            check(file)
        except GibbonError as error:
            return str(error)
        except Exception as error:  # a file may break its reader in any way
            return in_words(error, f"Opening {file.name}", "Choose another file.")
    return ""


def _without_display(arguments: list[str]) -> int:
    from engine.cli import main as command
    from engine.cli.app import COMMANDS
    from engine.cli.output import complain, program

    unreadable = _unreadable(arguments)
    if unreadable:
        complain(unreadable)
        return 2
    name = program()
    print(
        f"There is no display here, so the window cannot open (set DISPLAY, WAYLAND_DISPLAY or QT_QPA_PLATFORM); commands that need none: "
        f"{name} {' | '.join(other for other in COMMANDS if other != 'gui')}, each with --help."
    )
    if [argument for argument in arguments if argument not in _OPTIONS]:
        return 2  # asked for by name: whoever asked must be able to tell
    print("The same job without a window:\n", flush=True)
    return command(["demo"])


if __name__ == "__main__":
    sys.exit(main())
