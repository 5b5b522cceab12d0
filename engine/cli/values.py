"""Parsers of a command's own options: numbers and choices are read and refused like the operations' fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from engine.errors import GibbonError
from engine.text.nearest import did_you_mean
from engine.text.parsing import parse_number, parse_whole


def whole(least: int | None = None, most: int | None = None, **option: Any) -> Any:
    """Return an option for a whole number from ``least`` to ``most``."""

    def read(text: str | int) -> int:
        number = parse_whole(text)
        if least is not None and number < least:
            raise GibbonError(f"{number:,} is too small. The least is {least:,}.")
        if most is not None and number > most:
            raise GibbonError(f"{number:,} is too large. The most is {most:,}.")
        return number

    return typer.Option(parser=read, metavar="INTEGER", **option)


def number(least: float, most: float, **option: Any) -> Any:
    """Return an option for a number from ``least`` to ``most``."""

    def read(text: str | float) -> float:
        value = parse_number(text)
        if not least <= value <= most:
            raise GibbonError(f"{value:g} is too {'small' if value < least else 'large'}. It must lie between {least:g} and {most:g}.")
        return value

    return typer.Option(parser=read, metavar="NUMBER", **option)


def one_of(*choices: str, **option: Any) -> Any:
    """Return an option with a few choices."""
    return typer.Option(parser=_chooser(choices), metavar=f"[{'|'.join(choices)}]", **option)


def _chooser(choices: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise GibbonError(f"“{text}” is none of {', '.join(choices)}. {did_you_mean(text, choices, '')}".strip())
        return text

    return read
