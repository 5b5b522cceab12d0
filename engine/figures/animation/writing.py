"""Writing of animations: limits are checked first, frames are painted and encoded one at a time, and the file appears when it is whole."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from engine.errors import GibbonError
from engine.figures.animation.encoders import ApngEncoder, GifEncoder, Pixels, WebpEncoder, common_palette
from engine.figures.animation.film import Film
from engine.figures.animation.plan import AnimationPlan, Format, check_bytes, check_frames, format_of
from engine.figures.animation.stage import Stage
from engine.figures.animation.video import MISSING, Mp4Encoder, video_is_there
from engine.figures.export import carried_text
from engine.figures.style import ADVERSARIAL, CLEAN, DARK, LABEL, LIGHT, TARGET
from engine.files import replacing

_SAMPLES = 12
"""Frames from which a GIF's palette is chosen."""


class AnimationCancelled(GibbonError):
    """The animation was cancelled; no file was written."""


@dataclass(frozen=True)
class Progress:
    """How far the writing of a file has come."""

    done: int
    total: int
    seconds_left: float | None
    """Estimated from the frames so far; None before the first."""


Watch = Callable[[Progress], bool]
"""Called after every frame; False cancels."""


class _Encoder(Protocol):
    def add(self, frame: Pixels, milliseconds: int) -> None: ...

    def close(self) -> None: ...


def export_animation(
    film: Film, plan: AnimationPlan, path: Path | str, provenance: Mapping[str, Any], *, note: str = "", watch: Watch | None = None
) -> tuple[Path, Path]:
    """Write an animation with its provenance inside, and the whole provenance beside it as ``NAME.json``; return both paths.

    The file carries the provenance as `engine.record.carried` reads it back: as a comment in GIF and MP4, as the text ``gibbon`` in APNG,
    as XMP in WebP. `write_animation` describes parameters and errors.
    """
    path = Path(path)
    sidecar = path.with_name(f"{path.name}.json")
    write_animation(film, plan, path, carried_text(provenance, sidecar.name), note=note, watch=watch)
    with replacing(sidecar) as staged:
        staged.write_text(json.dumps(provenance, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path, sidecar


def write_animation(
    film: Film, plan: AnimationPlan, path: Path | str, text: str = "{}", *, note: str = "", watch: Watch | None = None
) -> Path:
    """Write an animation; the suffix decides the format. A file that was there is replaced when the new one is whole.

    Parameters
    ----------
    film, plan
        What is shown, and how.
    path
        The file, ending in .gif, .apng, .webp or .mp4.
    text
        What the file carries, in ASCII.
    note
        The small print.
    watch
        Called after every frame with the `Progress`; False cancels.

    Raises
    ------
    GibbonError
        There are too many frames, the file would be too large, the format is not supported here, or the file cannot be written.
    AnimationCancelled
        ``watch`` returned False.
    """
    path = Path(path)
    kind = format_of(path)
    if kind == "mp4" and not video_is_there():
        raise GibbonError(MISSING)
    check_frames(len(film.chosen(plan)), plan)
    stage = Stage(film, plan, note)
    palette = _palette(stage) if kind == "gif" else None
    if kind != "mp4":
        check_bytes(estimated_bytes(stage, kind, palette), kind)
    with replacing(path) as staged, _encoding(stage, kind, staged, text, palette) as encoder:
        _write(stage, encoder, watch)
    return path


def estimated_bytes(stage: Stage, kind: Format, palette: Pixels | None = None) -> float:
    """Estimate the size of the file from three frames, each encoded whole."""
    total = len(stage.shots)
    places = sorted({0, total // 2, total - 1})
    stream = io.BytesIO()
    with _encoder(stage, kind, stream, "{}", len(places), palette) as encoder:
        for place in places:
            encoder.add(stage.frame(place), 100)
    return stream.tell() / len(places) * total


def _write(stage: Stage, encoder: _Encoder, watch: Watch | None) -> None:
    total, begun = len(stage.shots), time.perf_counter()
    for place, milliseconds in enumerate(stage.durations()):
        encoder.add(stage.frame(place), milliseconds)
        done = place + 1
        left = (time.perf_counter() - begun) / done * (total - done)
        if watch is not None and not watch(Progress(done, total, left)):
            raise AnimationCancelled("The animation was cancelled. No file was written.")


@contextmanager
def _encoding(stage: Stage, kind: Format, path: Path, text: str, palette: Pixels | None) -> Any:
    """Open the file, and close it; what was begun and failed is left to the caller to remove."""
    if kind == "mp4":
        video = Mp4Encoder(path, stage.size, stage.plan.fps, text)
        try:
            yield video
            video.close()
        except BaseException:
            with suppress(Exception):
                video.abandon()
            raise
        return
    with path.open("wb") as stream, _encoder(stage, kind, stream, text, len(stage.shots), palette) as encoder:
        yield encoder


@contextmanager
def _encoder(stage: Stage, kind: Format, stream: IO[bytes], text: str, count: int, palette: Pixels | None) -> Any:
    encoder: _Encoder
    if palette is not None:
        encoder = GifEncoder(stream, stage.size, count, loop=stage.plan.loop, text=text, palette=palette)
    else:
        encoder = {"apng": ApngEncoder, "webp": WebpEncoder}[kind](stream, stage.size, count, loop=stage.plan.loop, text=text)
    yield encoder
    encoder.close()


def _palette(stage: Stage) -> Pixels:
    """Choose the palette of a GIF from frames over its whole length."""
    last = len(stage.shots) - 1
    places = sorted({round(place * last / (_SAMPLES - 1)) for place in range(_SAMPLES)})
    theme = DARK if stage.plan.dark else LIGHT
    exact = (theme.paper, theme.ink, theme.faint, CLEAN, ADVERSARIAL, LABEL, TARGET)
    return common_palette([stage.frame(place) for place in places], exact)
