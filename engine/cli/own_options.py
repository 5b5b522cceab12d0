"""The options that a command declares itself, beside those of the attack, training or experiment that it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typer import Context


@dataclass(frozen=True)
class Own:
    """The options of a command and of the others, for the sentence about an option that is not known."""

    command: str
    """The command as it is typed, such as “evaluate trust”."""
    options: tuple[str, ...]
    elsewhere: Mapping[str, str]
    """Another command that has the option, by the option: one of the same group where there is one."""


def own_options(context: Context) -> Own:
    """Return the options of the command that is running."""
    root = context.find_root()
    name = context.command_path.removeprefix(root.command_path).strip()
    group = name.rpartition(" ")[0]
    commands = [(other, command) for other, command in _commands(root.command) if other != name]
    commands.sort(key=lambda each: each[0].rpartition(" ")[0] == group)  # those of the group come last, and so replace the others
    elsewhere = {option: other for other, command in commands for option in _long_options(command)}
    return Own(name, _long_options(context.command), elsewhere)


def _commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the commands below ``command`` with their names, those of groups as “evaluate table”."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, each in inner.items():
        yield from _commands(each, f"{name} {word}".strip())


def _long_options(command: Any) -> tuple[str, ...]:
    return tuple(option for parameter in command.params for option in parameter.opts if option.startswith("--"))
