"""The commands, with common handling of errors: one sentence to stderr, exit code 2."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from engine.cli import (
    animate,
    attack,
    batch,
    demo,
    detect,
    dpatch,
    evaluate,
    figure,
    models,
    photo,
    print_stickers,
    replay,
    reproduce,
    script,
    train,
    usage,
)
from engine.cli.output import NO_FOLDER, complain, has_folder, let_go_of_stdout, program, remove_unused_folders
from engine.errors import GibbonError, in_words

COMMANDS = (
    *("attack", "batch", "replay", "figure", "animate", "print", "photo", "detect", "dpatch", "demo"),
    *("models", "train", "evaluate", "reproduce", "script", "gui"),
)
USER_ERROR = 2
INTERRUPTED = 130

Fresh = Annotated[bool, typer.Option("--fresh", help="Open the window on a new study; the last one stays in the File menu.")]
Copy = Annotated[bool, typer.Option("--copy", help="Open the study FILE as a copy, which leaves the file alone.")]

app = typer.Typer(
    name="gibbon",
    help="A workbench for adversarial images. Without a command the window opens on the last study; with a FILE, on that.",
    epilog="Numbers are written as people write them: --eps 8/255. Every command takes --traceback.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("attack", context_settings=attack.CONTEXT)(attack.command)
app.command("batch", context_settings=batch.CONTEXT)(batch.command)
app.command("demo")(demo.command)
app.command("replay")(replay.command)
app.command("script")(script.command)
app.command("figure")(figure.command)
app.command("animate")(animate.command)
app.command("print")(print_stickers.command)
app.command("photo")(photo.command)
app.command("detect")(detect.command)
app.command("dpatch", context_settings=dpatch.CONTEXT)(dpatch.command)
app.command("models")(models.command)
app.command("train", context_settings=train.CONTEXT)(train.command)
app.add_typer(evaluate.app, name="evaluate")
app.command("reproduce", context_settings=reproduce.CONTEXT)(reproduce.command)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"gibbon {version('gibbon-workbench')}")
        except PackageNotFoundError:
            print("gibbon, not installed")
        raise typer.Exit


@app.callback()
def _every_command(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")] = False,
    fresh: Fresh = False,
    copy: Copy = False,
) -> None:
    """A workbench for adversarial images."""
    wrong = "--fresh" if fresh else "--copy" if copy else ""
    if wrong:
        raise GibbonError(f"{wrong} is an option of the window, which opens without a command. Leave it out.")


@app.command("gui")
def _gui(
    file: Annotated[Path | None, typer.Argument(help="An image, a study, a record or weights to open.")] = None,
    fresh: Fresh = False,
    copy: Copy = False,
) -> None:
    """Open the window, as no command at all does: on the last study, or on FILE."""
    raise GibbonError("The window is opened by main.py: python main.py gui, or gibbon gui.")


@cache
def _command() -> Any:
    """Return the commands as Click knows them. They are built once, since Typer would read all signatures at each call of ``app``."""
    return get_command(app)


def main(arguments: Sequence[str] | None = None, name: str | None = None) -> int:
    """Run one command, and return its exit code: 0, 2 for an error that a person can mend, 130 after Ctrl-C."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    wants_traceback = "--traceback" in arguments
    arguments = [argument for argument in arguments if argument != "--traceback"]
    if not has_folder():
        complain(NO_FOLDER)
        return USER_ERROR
    try:
        code = _command()(args=arguments, prog_name=name or program(), standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        complain("Cancelled.")
        return INTERRUPTED
    except Exception as error:
        if wants_traceback:
            traceback.print_exc()
        else:
            complain(_sentence(error, arguments))
        return USER_ERROR
    finally:
        remove_unused_folders()
        let_go_of_stdout()
    return code if isinstance(code, int) else 0


def _sentence(error: Exception, arguments: Sequence[str]) -> str:
    if usage.is_usage(error):
        return usage.sentence(error, arguments, COMMANDS)
    if isinstance(error, GibbonError):
        return str(error)
    if isinstance(error, typer.Abort):
        return "Cancelled."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}." if error.filename else f"The output cannot be written: {error.strerror}."
    return in_words(error, "The command", "Run it again with --traceback to see where.")
