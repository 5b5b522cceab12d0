"""Where the shipped files are: beside the engine, in the checkout and in the wheel alike."""

from __future__ import annotations

from pathlib import Path


def folder(*parts: str) -> Path:
    """The resources folder, or ``parts`` below it. It need not exist."""
    return Path(__file__).resolve().parent.parent.joinpath("resources", *parts)
