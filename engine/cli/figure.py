"""Command ``gibbon figure``: a figure of a recorded attack, in another width or with other panels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.options import AllowCode, Json, Overwrite, Panels, WidthMm, chosen_panels
from engine.cli.replay import Image, RecordFile, ReplayDevice, run
from engine.cli.values import whole
from engine.files import ordinary_file


def command(
    record: RecordFile,
    out: Annotated[Path, typer.Option(help="The figure: .pdf, .svg or .png.", show_default=False)],
    panels: Panels = None,
    width_mm: WidthMm = 85.0,
    columns: Annotated[int | None, whole(1, help="Pictures side by side; by default as many as fit.")] = None,
    top: Annotated[int, whole(1, help="Classes in the bars.")] = 3,
    dark: Annotated[bool, typer.Option("--dark", help="Light on dark, for slides.")] = False,
    letters: Annotated[bool, typer.Option(help="Letter the panels a, b, c.")] = True,
    note: Annotated[bool, typer.Option(help="Model and attack in small print at the bottom.")] = True,
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
    from engine.figures import FORMATS, boxes_in, check_panels, compose, export, note_for, panels_for
    from engine.record import Record

    entry = Record.read(record)
    if out.suffix.lower().removeprefix(".") not in FORMATS:
        raise GibbonError(f"“{out.name}” does not end in .pdf, .svg or .png. Choose one of these.")
    refuse_existing([out, out.with_name(f"{out.name}.json")], overwrite)
    if panels is not None:  # checked before the attack runs again
        check_panels([name.strip() for name in panels.split(",")])
    again = run(entry, record.parent, image, device, None, allow_code, quiet=json)
    if not again.same:
        complain(f"{again.sentence} The figure shows the attack as it came out now.")
    chosen, left_out = chosen_panels(panels, again.result.classifier)
    for sentence in left_out:
        complain(sentence)
    small = note_for(again.result) if note else ""
    made = compose(panels_for(again.result, 0, chosen, top=top), width_mm=width_mm, columns=columns, dark=dark, letters=letters, note=small)
    if boxes := boxes_in(made):
        complain(boxes)
    made_folder(out.parent)
    settings = {"panels": chosen, "width_mm": width_mm, "columns": columns, "dark": dark, "same_bits": again.same}
    files = export(made, out, entry.model_copy(update={"figure": settings}).to_json())
    if json:
        say_json({"files": [str(path) for path in files], "same": again.same})
    else:
        say(*map(str, files))
    return 0
