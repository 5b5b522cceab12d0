"""Errors of the command line in this project's words: typer's own errors become sentences."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from engine.refusals import reason
from engine.text.nearest import did_you_mean, nearest


def is_usage(error: BaseException) -> bool:
    """Return whether typer raised the error, since the arguments do not fit."""
    return hasattr(error, "format_message")


def sentence(error: Any, arguments: Sequence[str], commands: Sequence[str]) -> str:
    """Rephrase one of typer's errors as a sentence or two: what does not fit, and what to write.

    Parameters
    ----------
    error
        The exception that typer raised.
    arguments
        The arguments of the command line.
    commands
        The names of all commands.
    """
    command = getattr(getattr(error, "ctx", None), "command", None)
    match type(error).__name__:
        case "MissingParameter":
            return f"{_named(error.param)} is missing. {_help(command)}"
        case "NoSuchOption":
            return f"There is no option {error.option_name}. {_nearest(error.option_name, _options(command), command)}"
        case "BadOptionUsage":
            given = any(word.startswith(f"{error.option_name}=") for word in arguments)
            return f"{error.option_name} takes no value." if given else f"{error.option_name} needs a value."
        case "BadParameter":
            return f"{_named(error.param)}: {_reason(error)}"
    if command is not None and getattr(command, "commands", None):
        inner = command.name in commands  # a command that has commands of its own, such as evaluate
        commands = list(command.commands) if inner else commands
        wanted = next((word for word in arguments if not word.startswith("-") and not (inner and word == command.name)), "")
        if inner and not wanted:
            return f"“{command.name}” needs a command: {', '.join(commands)}. See {command.name} --help."
        if "." in wanted or "/" in wanted or os.sep in wanted:
            return f"There is no image or study “{wanted}” that the window could open. Check the path; for commands see --help."
        close = nearest(wanted, commands, 0.5)
        cure = f"Did you mean {close}? " if close else ""
        return f"There is no command “{wanted}”. {cure}There is: {', '.join(commands)}."
    if command is not None and command.name:
        return f"“{command.name}” was given more words than it takes. Options begin with two dashes. {_help(command)}"
    return _stopped(error.format_message())


def _reason(error: Any) -> str:
    cause = error.__cause__
    return reason(dict(cause.errors()[0])) if isinstance(cause, ValidationError) else _stopped(error.message)


def _named(parameter: Any) -> str:
    """Return the name of an option as it is typed, or of an argument as help shows it."""
    option = next((name for name in parameter.opts if name.startswith("--")), "")
    return option or (str(parameter.name) if not parameter.metavar or "|" in parameter.metavar else str(parameter.metavar))


def _options(command: Any) -> list[str]:
    return [name for parameter in getattr(command, "params", []) for name in parameter.opts if name.startswith("--")]


def _nearest(wanted: str, known: Sequence[str], command: Any) -> str:
    return did_you_mean(wanted, known, _help(command))


def _help(command: Any) -> str:
    return f"See {command.name} --help." if command is not None and command.name in _WITH_HELP else "See --help."


_WITH_HELP = ("attack", "replay", "figure", "detect", "dpatch", "demo", "models", "train", "evaluate", "reproduce", "gui")


def _stopped(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
