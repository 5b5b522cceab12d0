"""Command ``gibbon print``: the stickers of a record or a study at their true size, as a PDF to be cut out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from engine.cli.options import AllowCode, Json, Overwrite
from engine.cli.replay import Image, RecordOrStudy, ReplayDevice
from engine.cli.values import one_of, whole
from engine.files import is_study, ordinary_file
from engine.text.parsing import parse_number


def mm(**option: Any) -> Any:
    """Return an option for a length in mm, whose limits depend on the sticker and the paper."""
    return typer.Option(parser=parse_number, metavar="MM", **option)


def command(
    file: RecordOrStudy,
    out: Annotated[Path, typer.Option(help="The sheets: .pdf.", show_default=False)],
    width_mm: Annotated[float | None, mm(help="Width of the whole image in reality, such as that of the sign.")] = None,
    pixel_mm: Annotated[float | None, mm(help="Or: width of one pixel of the model's input.")] = None,
    sticker_mm: Annotated[float | None, mm(help="Or: width of the sticker, which --sticker names where there are several.")] = None,
    sticker: Annotated[str, typer.Option(help="Name or number of the sticker that --sticker-mm is the width of.")] = "",
    paper: Annotated[Literal["a4", "a3", "letter"], one_of("a4", "a3", "letter", help="The paper.")] = "a4",
    landscape: Annotated[bool, typer.Option("--landscape", help="The paper lies on its long side.")] = False,
    margin_mm: Annotated[float, mm(help="Empty edge of the paper.")] = 10.0,
    bleed_mm: Annotated[float, mm(help="How far the content continues beyond the cut line.")] = 0.0,
    smooth: Annotated[bool, typer.Option("--smooth", help="Let pixels run into each other. Without: squares.")] = False,
    chart: Annotated[bool, typer.Option(help="Print the colour chart, by which “photo” measures the colour shift.")] = True,
    run: Annotated[int | None, whole(1, help="Of a study: number of the run. Without: the stickers on the canvas.")] = None,
    image: Image = None,
    device: ReplayDevice = None,
    overwrite: Overwrite = False,
    json: Json = False,
    allow_code: AllowCode = False,
) -> int:
    """Print the stickers of a record or a study at their true size: cut lines, crop marks, a colour chart, and the record in the file."""
    ordinary_file(file, "a record (.json) or a study")  # checked first, since torch takes a while to load
    from engine.cli.output import complain, made_folder, refuse_existing, say, say_json
    from engine.cli.print_source import of_record, of_study
    from engine.errors import GibbonError
    from engine.figures import boxes_in, export_pages
    from engine.printing import Paper, PrintPlan, pixel_size, print_sheets

    if out.suffix.lower() != ".pdf":
        raise GibbonError(f"“{out.name}” does not end in .pdf. Sheets at their true size are written in that format.")
    refuse_existing([out, out.with_name(f"{out.name}.json")], overwrite)
    sheet = Paper(paper, landscape, margin_mm)
    if run is not None and not is_study(file):
        raise GibbonError(f"--run is the number of a run in a study, and “{file.name}” is the record of one run. Leave it out.")
    source = of_study(file, run) if is_study(file) else of_record(file, image, device, allow_code, json)
    size = pixel_size(source.columns, source.stickers, image_mm=width_mm, pixel_mm=pixel_mm, sticker_mm=sticker_mm, which=sticker)
    plan = PrintPlan(
        pixel_mm=size,
        image=(source.columns, source.rows),
        paper=sheet,
        bleed=bleed_mm,
        smooth=smooth,
        chart=chart,
        palette=source.palette,
        note=source.note,
    )
    made = print_sheets(source.stickers, plan, source.channels)
    remarks = [*source.remarks, *made.remarks, *dict.fromkeys(filter(None, map(boxes_in, made.figures)))]
    made_folder(out.parent)
    files = export_pages(made.figures, out, source.provenance(plan.entry()))
    if json:
        say_json({"files": [str(path) for path in files], "pixel_mm": size, **made.json(), "remarks": remarks})
    else:
        for remark in remarks:
            complain(remark)
        say(*made.sentences(), *map(str, files))
    return 0
