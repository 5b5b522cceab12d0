"""Command ``gibbon animate``: an animation of a recorded attack, which is run again for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.cli.figure import attacked_by, sidecar
from engine.cli.options import AllowCode, Json, Overwrite, loaded
from engine.cli.replay import Image, RecordFile, ReplayDevice
from engine.cli.values import number, one_of, whole
from engine.files import ordinary_file

if TYPE_CHECKING:
    from engine.classifier import Classifier
    from engine.figures.animation import Film
    from engine.record import ModelOptions, Record, Replay

PANELS = "clean,adversarial,perturbation,bars,loss"


def command(
    record: RecordFile,
    out: Annotated[Path, typer.Argument(help="The animation: .gif, .apng, .webp or .mp4.", show_default=False)],
    panels: Annotated[str, typer.Option(help="Any of clean, adversarial, perturbation, bars, loss.")] = PANELS,
    view: Annotated[
        Literal["strongest", "mean", "channels", "colour"],
        one_of("strongest", "mean", "channels", "colour", help="Channels of the perturbation."),
    ] = "strongest",
    gain: Annotated[float | None, number(0.1, 10_000, help="Amplify the perturbation. Without: up to the largest change.")] = None,
    width_px: Annotated[int, whole(320, 1920, help="Width in pixels.")] = 960,
    fps: Annotated[float, number(1, 50, help="Frames per second.")] = 10.0,
    every: Annotated[int, whole(1, help="Distance between shown steps; the first, the flip and the last always are.")] = 1,
    hold_flip: Annotated[float, number(0, 10, help="Seconds for which the flip is held.")] = 1.0,
    hold_end: Annotated[float, number(0, 10, help="Seconds for which the end is held.")] = 2.0,
    loop: Annotated[bool, typer.Option(help="Begin again at the end.")] = True,
    dark: Annotated[bool, typer.Option("--dark", help="Light on dark, for slides.")] = False,
    note: Annotated[bool, typer.Option(help="Model, attack and norms in small print at the bottom.")] = True,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="No names of files, no paths: for double-blind review.")] = False,
    image: Image = None,
    device: ReplayDevice = None,
    overwrite: Overwrite = False,
    json: Json = False,
    allow_code: AllowCode = False,
) -> int:
    """Animate a recorded attack step by step, with the figure's own panels."""
    ordinary_file(record, "a record (.json)")  # checked first, since torch takes a while to load
    from engine.cli.output import complain, interruptible, made_folder, progress, refuse_existing, say, say_json
    from engine.figures import note_for
    from engine.figures.animation import AnimationPlan, Progress, export_animation, film_of, format_of
    from engine.record import Record

    entry = Record.read(record)
    format_of(out)
    refuse_existing([out, out.with_name(f"{out.name}.json")], overwrite, "name")
    plan = AnimationPlan(
        panels=tuple(name.strip() for name in panels.split(",")),
        view=view,
        gain=gain,
        width_px=width_px,
        fps=fps,
        every=every,
        hold_flip=hold_flip,
        hold_end=hold_end,
        loop=loop,
        dark=dark,
        note=note,
        anonymous=anonymous,
    )
    plan.check()
    made_folder(out.parent)
    again, timeline = _replayed(entry, record.parent, image, device, allow_code, json)
    if not again.same:
        complain(f"{again.sentence} The animation shows the attack as it came out now.")
    film: Film = film_of(again.result, timeline, clean=again.clean)
    settings = {"animation": plan.model_dump(mode="json"), "same_bits": again.same}
    kept = sidecar(entry, again.result, record.parent, settings, anonymous)
    small = note_for(again.result, measured_from=attacked_by(entry, again.result), anonymous=anonymous)
    with interruptible() as interrupt, progress(json) as bar:
        task = bar.add_task(f"write {out.name}", total=None, news="")

        def watch(now: Progress) -> bool:
            bar.update(task, completed=now.done, total=now.total)
            return not interrupt.pressed

        files = export_animation(film, plan, out, kept, note=small, watch=watch)
    if json:
        say_json({"files": [str(path) for path in files], "frames": len(film.chosen(plan)), "same": again.same})
    else:
        say(*map(str, files))
    return 0


def _replayed(record: Record, folder: Path, image: Path | None, device: str | None, allow_code: bool, quiet: bool) -> tuple[Replay, Any]:
    """Replay with a progress bar, and keep the iterates; before a user's code runs the user is asked."""
    from engine.cli.output import interruptible, progress
    from engine.record import ReplayRun
    from engine.timeline import Timeline

    def load(source: str, device: str, options: ModelOptions) -> Classifier:
        return loaded(source, device, allow_code, options)

    timeline = Timeline(max_bytes=512 * 2**20)
    with interruptible() as interrupt, progress(quiet) as bar:
        task = bar.add_task(f"replay {record.operation.slug}", total=None, news="")
        run = ReplayRun(record, folder=folder, image=image, device=device, load=load, timeline=timeline)
        for step in run:
            bar.update(task, completed=step.index, total=step.total)
            if interrupt.pressed:
                break
        run.close()
    if interrupt.pressed:
        raise KeyboardInterrupt
    return run.result(), timeline
