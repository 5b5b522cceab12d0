"""Options that the commands of ``gibbon evaluate`` share, and models behind a defense."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.values import one_of

if TYPE_CHECKING:
    from engine.classifier import Classifier

CONTEXT: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
INTERRUPTED = 130
FAILED = 1
FOLDER = Path("gibbon-evaluate")

Root = Annotated[Path | None, typer.Option(help="Folder of the data sets, as torchvision leaves them; else GIBBON_DATA.")]
Folder = Annotated[Path, typer.Option(help="Folder for what is written; made if it is missing.")]
Format = Annotated[str, one_of("pdf", "svg", "png", help="Format of the figure.")]


def loaded_behind(text: str, device: str | None, allow_code: bool, download: bool) -> Classifier:
    """Load the model that ``text`` names, behind its defense: ``signs + jpeg quality=75``."""
    from engine.cli.options import loaded
    from engine.evaluate.defended import defended, split

    source, defense = split(text)
    return defended(loaded(source, device, allow_code, download=download), defense)
