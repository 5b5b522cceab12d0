"""Command ``gibbon figure``: a figure of a recorded attack, in another width or with other panels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.cli.options import AllowCode, Json, Overwrite, Panels, WidthMm, chosen_panels
from engine.cli.replay import Image, RecordFile, ReplayDevice
from engine.cli.replaying import run
from engine.cli.values import number, one_of, whole
from engine.files import ordinary_file

if TYPE_CHECKING:
    from engine.record import Record
    from engine.result import AttackResult


def command(
    record: RecordFile,
    out: Annotated[Path, typer.Option(help="The figure: .pdf, .svg or .png.", show_default=False)],
    panels: Panels = None,
    width_mm: WidthMm = 85.0,
    columns: Annotated[int | None, whole(1, help="Pictures side by side; by default as many as fit.")] = None,
    top: Annotated[int, whole(1, help="Classes in the bars.")] = 3,
    gain: Annotated[
        float | None,
        number(0.1, 10_000, help="Amplify the perturbation: its scale ends at 1 / gain. Without: at the largest change."),
    ] = None,
    font: Annotated[Literal["sans", "serif"], one_of("sans", "serif", help="Type as Helvetica, or as Times.")] = "sans",
    size: Annotated[float, number(5, 14, help="Font size in points, as printed.")] = 7.0,
    dark: Annotated[bool, typer.Option("--dark", help="Light on dark, for slides.")] = False,
    letters: Annotated[bool, typer.Option(help="Letter the panels a, b, c.")] = True,
    note: Annotated[bool, typer.Option(help="Model, attack and norms in small print at the bottom.")] = True,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="No names of files, no paths: for double-blind review.")] = False,
    caption: Annotated[bool, typer.Option("--caption", help="Print the caption for LaTeX, too.")] = False,
    image: Image = None,
    device: ReplayDevice = None,
    overwrite: Overwrite = False,
    json: Json = False,
    allow_code: AllowCode = False,
) -> int:
    """Compose a figure of a recorded attack, which is run again for it."""
    ordinary_file(record, "a record (.json)")  # checked first, since torch takes a while to load
    from engine.cli.output import complain, made_folder, refuse_existing, say, say_json
    from engine.errors import GibbonError
    from engine.figures import FORMATS, FigurePlan, boxes_in, check_panels, explanations_in, export, latex_caption, note_for, subject_of
    from engine.record import Record

    entry = Record.read(record)
    if out.suffix.lower().removeprefix(".") not in FORMATS:
        raise GibbonError(f"“{out.name}” does not end in .pdf, .svg or .png. Choose one of these.")
    refuse_existing([out, out.with_name(f"{out.name}.json")], overwrite)
    if panels is not None:  # checked before the attack runs again
        check_panels([name.strip() for name in panels.split(",")])
    made_folder(out.parent)
    again = run(entry, record.parent, image, device, None, allow_code, quiet=json)
    if not again.same:
        complain(f"{again.sentence} The figure shows the attack as it came out now.")
    chosen, left_out = chosen_panels(panels, again.result.classifier)
    for sentence in left_out:
        complain(sentence)
    plan = FigurePlan(
        panels=tuple(chosen),
        width_mm=width_mm,
        columns=columns,
        top=top,
        gain=gain,
        font=font,
        size=size,
        dark=dark,
        letters=letters,
        note=note,
        anonymous=anonymous,
    )
    subject = subject_of(again.result, clean=again.clean, explanations=explanations_in(chosen), top=top)
    small = note_for(again.result, measured_from=attacked_by(entry, again.result), anonymous=anonymous)
    made = plan.figure(subject, small)
    if boxes := boxes_in(made):
        complain(boxes)
    latex = latex_caption(plan.panels_of(subject), small, letters=letters)
    settings = {**plan.model_dump(mode="json"), "same_bits": again.same, "caption": latex}
    files = export(made, out, sidecar(entry, again.result, record.parent, settings, anonymous))
    if json:
        say_json({"files": [str(path) for path in files], "same": again.same, "caption": latex})
    else:
        say(*map(str, files), *([latex] if caption else []))
    return 0


def attacked_by(entry: Record, result: AttackResult) -> str:
    """Return the image that a recorded attack began from, in words."""
    from engine.figures import attacked_image

    return attacked_image(result.operation.uses, [sticker.sticker() for sticker in entry.stickers])


def sidecar(entry: Record, result: AttackResult, folder: Path, settings: dict[str, Any], hide: bool) -> dict[str, Any]:
    """Return the record with the settings of what was made of it; ``hide`` removes names of files, and says what was left out."""
    from engine.record import anonymous, load_mask

    told: tuple[str, ...] = ()
    if hide:
        mask = None if entry.mask is None else load_mask(entry.mask, result.classifier, folder)
        entry, told = anonymous(entry, result.clean[0], mask)
    return entry.model_copy(update={"figure": {**settings, **({"left_out": list(told)} if told else {})}}).to_json()
