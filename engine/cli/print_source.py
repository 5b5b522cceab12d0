"""The stickers to be printed, from a record or a study, with what the file of the sheets says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.cli.figure import sidecar
from engine.cli.replaying import run
from engine.errors import GibbonError
from engine.figures.words import attack_sentence, model_sentence
from engine.printing import attacked_stickers, canvas_content
from engine.record import Record, StickerEntry
from engine.stickers import Sticker
from engine.study import Study, StudyRun, read
from engine.study.recording import record_of_run


@dataclass(frozen=True, eq=False)
class PrintSource:
    """Stickers to be printed, with the image that they belong to."""

    stickers: tuple[Sticker, ...]
    shape: tuple[int, int, int]
    """Shape ``(C, H, W)`` of the image."""
    provenance: Callable[[dict[str, Any]], dict[str, Any]]
    """Function from the settings of the sheets to the content of their sidecar."""
    note: str = ""
    palette: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """Channels of the image: 1 or 3."""
        return self.shape[0]

    @property
    def rows(self) -> int:
        """Height of the image in pixels."""
        return self.shape[1]

    @property
    def columns(self) -> int:
        """Width of the image in pixels."""
        return self.shape[2]


def of_record(path: Path, image: Path | None, device: str | None, allow_code: bool, quiet: bool) -> PrintSource:
    """Run a recorded attack again for the content of its stickers.

    Raises
    ------
    GibbonError
        The record cannot be read or run, or the attack changed the whole image.
    """
    entry = Record.read(path)
    again = run(entry, path.parent, image, device, None, allow_code, quiet=quiet)
    result = again.result
    remarks = [] if again.same else [f"{again.sentence} The sheet shows the stickers as they came out now."]
    return PrintSource(
        attacked_stickers(result, [each.sticker() for each in entry.stickers], again.mask),
        result.classifier.input_shape,
        lambda settings: sidecar(entry, result, path.parent, {**settings, "same_bits": again.same}, False),
        f"{model_sentence(result.classifier)} {attack_sentence(result)}",
        palette_in(entry),
        (*remarks, *stretched(entry)),
    )


def of_study(path: Path, number: int | None) -> PrintSource:
    """Return the stickers of a run of a study, or those on its canvas; where that has none, those of the newest run that has some.

    Raises
    ------
    GibbonError
        The study cannot be read, or has no such run or no sticker.
    """
    study = read(path)
    runs = [each for each in study.runs if each.attack is not None and each.id not in study.removed]
    if number is None and study.canvas.stickers and study.canvas.classifier is not None:
        now = _entries(study.canvas.stickers)
        return next((_of_run(each) for each in reversed(runs) if _entries(each.after) == now), _of_canvas(study))
    if number is not None and number not in [each.number for each in runs]:
        known = ", ".join(f"#{each.number}" for each in runs)
        raise GibbonError(f"“{path.name}” has no attack #{number}. {f'It has: {known}.' if known else 'It has none.'}")
    for each in reversed(runs):
        if each.number == number or (number is None and (each.after or each.inputs.mask is not None)):
            return _of_run(each)
    raise GibbonError(f"“{path.name}” has no stickers, neither on its canvas nor in a run. Draw one first.")


def palette_in(entry: Record) -> str:
    """Return the palette that a recorded attack held its content to; empty where there is none."""
    return str(entry.operation.parameters.get("palette") or "")


def stretched(entry: Record) -> list[str]:
    """Return a sentence where the image is a photograph's crop of another aspect: a sticker's pixels are squares there on paper only."""
    if entry.image.crop is None:
        return []
    _, height, width = entry.model.input_shape
    _, _, across, down = entry.image.crop
    if abs(across * height / (down * width) - 1) < 0.02:
        return []
    return [
        f"The image was cropped at {across} × {down} and squeezed to {width} × {height} pixels. The sheet takes a pixel for a square, "
        "so the sticker has other proportions than on the photograph."
    ]


def _of_run(run: StudyRun) -> PrintSource:
    result = run.attack
    assert result is not None, "runs without an attack are left out above"
    entry = record_of_run(run, files=False)
    return PrintSource(
        run.after or attacked_stickers(result, run.before, run.inputs.mask),
        result.classifier.input_shape,
        lambda settings: entry.model_copy(update={"figure": settings}).to_json(),
        f"{model_sentence(result.classifier)} {attack_sentence(result)}",
        palette_in(entry),
    )


def _of_canvas(study: Study) -> PrintSource:
    canvas = study.canvas
    classifier = canvas.classifier
    assert classifier is not None, "a canvas without a classifier is left out above"
    return PrintSource(
        canvas.stickers,
        classifier.input_shape,
        lambda settings: canvas_content(classifier, canvas.stickers, str(canvas.image.get("name", "")), settings),
        model_sentence(classifier),
    )


def _entries(stickers: tuple[Sticker, ...]) -> list[StickerEntry]:
    return [StickerEntry.of(sticker) for sticker in stickers]
