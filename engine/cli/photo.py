"""Command ``gibbon photo``: what a model says of a print in a photograph, with the colour shift measured on the chart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import AllowCode, Device, Json, Overwrite, WidthMm, class_number, loaded
from engine.errors import GibbonError
from engine.files import ordinary_file

if TYPE_CHECKING:
    from engine.printing import PhotoReading
    from engine.record import Record, Replay

Points = tuple[tuple[float, float], ...]


def command(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photograph of the print in place.", show_default=False)],
    corners: Annotated[
        str,
        typer.Option(
            help="Corners of the image's frame (of the sign, say) in pixels of PHOTO: “x,y x,y x,y x,y”, upper left first, clockwise.",
            show_default=False,
        ),
    ],
    model: Annotated[
        str | None, typer.Option(help="The model that is asked. Without: that of --record, else signs.", show_default=False)
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Record of the attack, or the sheet that carries it: the original is shown beside.")
    ] = None,
    chart_corners: Annotated[str | None, typer.Option(help="Outer corners of the colour chart's black frame in PHOTO, likewise.")] = None,
    label: Annotated[str | None, typer.Option(help="True class, by name or number. Without: that of --record.")] = None,
    target: Annotated[str | None, typer.Option(help="Class to reach, by name or number. Without: that of --record.")] = None,
    out: Annotated[Path | None, typer.Option(help="A figure of all images and their predictions: .pdf, .svg or .png.")] = None,
    width_mm: WidthMm = 174.0,
    image: Annotated[Path | None, typer.Option(help="The clean image of --record, where it is no longer where it was.")] = None,
    device: Device = None,
    overwrite: Overwrite = False,
    json: Json = False,
    allow_code: AllowCode = False,
) -> int:
    """Rectify a photograph of a print by its four corners, ask the model, and do so again without the colour shift of the chart."""
    ordinary_file(photo, "a photograph")  # checked first, since torch takes a while to load
    from engine.cli.output import made_folder, refuse_existing, say, say_json
    from engine.figures import FORMATS
    from engine.images import open_image
    from engine.printing import chart_of, read_photo

    frame, chart_frame = points(corners, "corners"), None if chart_corners is None else points(chart_corners, "chart-corners")
    if out is not None:
        if out.suffix.lower().removeprefix(".") not in FORMATS:
            raise GibbonError(f"“{out.name}” does not end in .pdf, .svg or .png. Choose one of these.")
        refuse_existing([out, out.with_name(f"{out.name}.json")], overwrite)
    if record is None and image is not None:
        raise GibbonError("--image is the clean image of --record. Give the record, too, or leave it out.")
    photograph = open_image(photo)
    entry, again = (None, None) if record is None else _replayed(record, image, device, allow_code, json)
    if model is not None or again is None:
        classifier = loaded(model or "signs", device, allow_code)
    else:
        classifier = again.result.classifier
    original = None if again is None else again.result.adversarial[0]
    if original is not None and tuple(original.shape) != classifier.input_shape:
        raise GibbonError(
            f"The recorded image has the shape {tuple(original.shape)}, but “{classifier.name}” takes {classifier.input_shape}. "
            "Choose a model of that size, or leave --record out."
        )
    recorded = _classes(again, classifier.labels)
    reading = read_photo(
        photograph,
        frame,
        classifier,
        original=original,
        chart_corners=chart_frame,
        chart=chart_of("" if entry is None else str(entry.operation.parameters.get("palette") or "")),
        label=recorded[0] if label is None else class_number(label, classifier.labels, "label"),
        target=recorded[1] if target is None else class_number(target, classifier.labels, "target"),
    )
    files: tuple[Path, ...] = ()
    if out is not None:
        made_folder(out.parent)
        files = _figure(reading, out, width_mm, entry)
    if json:
        say_json({**reading.json(), "files": [str(path) for path in files]})
    else:
        say(*reading.sentences(), *map(str, files))
    return 0


def points(text: str, what: str) -> Points:
    """Parse ``"x,y x,y x,y x,y"`` as four points.

    Raises
    ------
    GibbonError
        The text is not of that form.
    """
    try:
        found = tuple((float(x), float(y)) for x, y in (part.split(",") for part in text.split()))
    except ValueError:
        found = ()
    if len(found) != 4:
        raise GibbonError(f"--{what} takes four corners, as in “120,80 560,95 548,530 110,512”, not “{text}”.")
    return found


def _replayed(record: Path, image: Path | None, device: str | None, allow_code: bool, quiet: bool) -> tuple[Record, Replay]:
    from engine.cli.output import complain
    from engine.cli.replaying import run
    from engine.record import Record

    entry = Record.read(record)
    again = run(entry, record.parent, image, device, None, allow_code, quiet=quiet)
    if not again.same:
        complain(f"{again.sentence} The original is the image as it came out now.")
    return entry, again


def _classes(again: Replay | None, labels: Any) -> tuple[int | None, int | None]:
    """Return label and target of the recorded attack; none where the model that is asked has other classes."""
    if again is None or tuple(again.result.classifier.labels) != tuple(labels):
        return None, None
    result = again.result
    return int(result.labels[0]), None if result.targets is None else int(result.targets[0])


def _figure(reading: PhotoReading, out: Path, width_mm: float, entry: Record | None) -> tuple[Path, Path]:
    from engine.figures import export
    from engine.printing import photo_figure

    content = reading.content() if entry is None else entry.model_copy(update={"figure": reading.told()}).to_json()
    return export(photo_figure(reading, width_mm=width_mm), out, content)
