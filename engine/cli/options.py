"""Options that several commands share, and the parsing of their texts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.class_names import class_called
from engine.cli.values import number, one_of, whole
from engine.errors import GibbonError
from engine.threads import MOST_THREADS

if TYPE_CHECKING:
    import torch

    from engine.classifier import Classifier
    from engine.record import ModelOptions

Model = Annotated[str, typer.Option(help="signs, digits, objects, torchvision:NAME, a checkpoint file, or FILE.py:FACTORY; see “models”.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps... By default the GPU where there is one.")]
Threads = Annotated[int, whole(1, MOST_THREADS, help="CPU threads inside torch. Recorded: another number may give other bits.")]
Seed = Annotated[int, whole(help="Everything random is drawn from it.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Write over files that are there.")]
Json = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]
AllowCode = Annotated[bool, typer.Option("--allow-code", help="Run the code of FILE.py:FACTORY without asking.")]
Architecture = Annotated[str | None, typer.Option(help="Of a checkpoint file: signs, digits, objects or torchvision:NAME.")]
Activation = Annotated[str | None, typer.Option(help="Of a checkpoint file: relu, bounded or bounded-leaky.")]
HeadKind = Annotated[
    Literal["logits", "log", "strip"], one_of("logits", "log", "strip", help="log or strip for a model that ends in probabilities.")
]
Download = Annotated[bool, typer.Option("--download", help="Fetch published weights and data sets that are not here.")]
Defense = Annotated[
    str | None,
    typer.Option(
        help="Preprocessing before the model: “jpeg quality=75 + bit-depth bits=3”, of bit-depth, median, non-local-means, jpeg, "
        "noise-averaging, gradient-smoothing. The attack knows it; what one that does not know it achieves is printed beside."
    ),
]
Out = Annotated[Path, typer.Option(help="Folder for what is written; made if it is missing.")]
WidthMm = Annotated[float, number(30, 500, help="Width of the figure: 85 is a paper's column, 174 its full width.")]
PANELS = "clean,adversarial,perturbation,bars,histogram"
Panels = Annotated[
    str | None,
    typer.Option(
        help="Any of clean, adversarial, perturbation (or perturbation:channels, :mean, :colour), bars, histogram, histogram:LAYER, loss, "
        "and the explanations: saliency, ...",
        show_default=PANELS,
    ),
]


def rectangle(text: str, what: str) -> tuple[int, int, int, int]:
    """Parse ``"L,T,W,H"`` as four whole numbers.

    Raises
    ------
    GibbonError
        The text is not of that form.
    """
    try:
        left, top, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise GibbonError(f"--{what} takes four whole numbers, left,top,width,height, as in 13,13,6,6, not “{text}”.") from None
    return left, top, width, height


def class_number(text: str, labels: Sequence[str], what: str) -> int:
    """Return the class that ``text`` names, by its name in any case, or by its number.

    Raises
    ------
    GibbonError
        No class has that name (the nearest name is suggested), or several have it.
    """
    return class_called(text, labels, f"--{what}")


def chosen_panels(text: str | None, classifier: Classifier) -> tuple[list[str], tuple[str, ...]]:
    """Return the panels that ``text`` names; by default those that the model can show, with a sentence about omitted ones.

    Raises
    ------
    GibbonError
        A panel or a layer of that name does not exist.
    """
    from engine.figures import NO_ACTIVATIONS, check_panels

    names = [name.strip() for name in (PANELS if text is None else text).split(",")]
    if text is not None or classifier.sites:
        check_panels(names, classifier.sites)
        return names, ()
    return [name for name in names if name != "histogram"], (f"{NO_ACTIVATIONS} The figure is without a histogram.",)


def chosen_device(text: str | None) -> torch.device:
    """Return the device of that name, if this computer has it.

    Raises
    ------
    GibbonError
        This computer has no such device.
    """
    from engine.devices import device_of

    return device_of(text)


def loaded(source: str, device: str | None, allow_code: bool, options: ModelOptions | None = None, download: bool = False) -> Classifier:
    """Load the classifier; ask first where that runs a user's code, and show a bar while weights are downloaded.

    Raises
    ------
    GibbonError
        The model cannot be loaded, or the user declined.
    """
    from engine import models

    chosen = chosen_device(device)
    if models.runs_code(source) and not allow_code:
        ask_for_code(source)
    from engine.cli.output import progress
    from engine.record import ModelOptions

    with progress(quiet=not download) as bar:
        task = bar.add_task("download", total=None, news="")
        given = options or ModelOptions()
        return models.load(
            source,
            device=chosen,
            architecture=given.architecture,
            activation=given.activation,
            head=given.head,
            allow_code=True,  # the user has agreed above
            download=download,
            progress=lambda done, total: bar.update(task, completed=done, total=total, news="bytes"),
        )


def ask_for_code(source: str) -> None:
    """Ask the user on a terminal; elsewhere refuse.

    Raises
    ------
    GibbonError
        The user declined, or there is no terminal.
    """
    file = source.rpartition(":")[0]
    if not sys.stdin.isatty():
        raise GibbonError(f"Loading “{source}” runs the code in {file}. Say --allow-code if you trust it.")
    if not typer.confirm(f"This runs the code in {file}. Go on?", default=False, err=True):
        raise GibbonError(f"“{source}” was not loaded.")
