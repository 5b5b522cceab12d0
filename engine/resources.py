"""Location of the shipped files: beside the engine, in the checkout and in the wheel alike."""

from __future__ import annotations

from pathlib import Path


def folder(*parts: str) -> Path:
    """Return the resources folder, or the path ``parts`` below it, which need not exist."""
    return Path(__file__).resolve().parent.parent.joinpath("resources", *parts)
