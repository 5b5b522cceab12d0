"""Images with their true boxes: from files with a JSON of boxes beside them, or drawn scenes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.class_names import class_called
from engine.data.generated.boxed_scenes import SCENE_LABELS, draw_boxed_scene
from engine.errors import GibbonError
from engine.files import IMAGE_SUFFIXES, ordinary_file
from engine.images import open_image
from engine.object_detection.boxes import Boxes

FORMAT = "gibbon-boxes"
_LIMIT = 64 * 2**20
_SHAPE = f'{{"format": "{FORMAT}", "images": [{{"file": "a.png", "boxes": [{{"box": [left, top, right, bottom], "label": "name"}}]}}]}}'


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images of any sizes with their names and, where these are known, their true boxes."""

    images: tuple[Tensor, ...]
    """The images, each ``(C, H, W)`` in [0, 1]."""
    truths: tuple[Boxes, ...] | None
    """The true boxes of each image; None where they are not known."""
    names: tuple[str, ...]
    paths: tuple[Path, ...] = ()
    """Files of the images, where they are read from files."""

    def batch(self) -> Tensor:
        """Return the images as one batch ``(N, C, H, W)``.

        Raises
        ------
        GibbonError
            They differ in size; the sentence names two that do.
        """
        first = self.images[0].shape
        for name, image in zip(self.names, self.images, strict=True):
            if image.shape != first:
                raise GibbonError(
                    f"“{name}” has {image.shape[2]} × {image.shape[1]} pixels and “{self.names[0]}” {first[2]} × {first[1]}, but one patch "
                    "is made for images of one size. Resize or crop them."
                )
        return torch.stack(self.images)


def read_pictures(paths: Sequence[Path], truths: Path | None, labels: Sequence[str], channels: int = 3) -> Pictures:
    """Read image files at their own size, with the true boxes in the JSON file ``truths``.

    With no paths, all images that the JSON names are read. Images that it does not name have no boxes.

    Parameters
    ----------
    paths
        The image files, or folders, whose image files are taken in the order of their names.
    truths
        A file as `read_truths` reads it; None: the boxes are not known.
    labels
        The detector's class names.
    channels
        1 converts to grey, 3 to RGB.

    Raises
    ------
    GibbonError
        A file cannot be read, or an image that was named is not in the JSON.
    """
    known = None if truths is None else read_truths(truths, labels)
    paths = tuple(file for path in paths for file in _files(path)) or (() if known is None else tuple(known))
    if not paths:
        raise GibbonError("There is no image. Name image files, or a JSON file of boxes that names some.")
    images = tuple(read_image(path, channels) for path in paths)
    boxes = None
    if known is not None:
        by_file = {path.resolve(): found for path, found in known.items()}
        lacking = [path.name for path in paths if path.resolve() not in by_file]
        if lacking:
            assert truths is not None
            raise GibbonError(f"“{truths.name}” has no entry for {', '.join(lacking[:3])}. Add one, with an empty list for no objects.")
        boxes = tuple(by_file[path.resolve()] for path in paths)
    return Pictures(images, boxes, tuple(path.name for path in paths), paths)


def _files(path: Path) -> list[Path]:
    """Return the image files of a folder, or the path itself where it is none.

    Raises
    ------
    GibbonError
        The folder holds no image.
    """
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise GibbonError(f"The folder “{path}” holds no image. Name another one, or image files.")
    return found


def read_image(path: Path, channels: int = 3) -> Tensor:
    """Read an image file at its own size as ``(C, H, W)`` in [0, 1]."""
    from PIL import Image

    pixels = Image.fromarray(open_image(path).pixels).convert("L" if channels == 1 else "RGB")
    values = torch.frombuffer(bytearray(pixels.tobytes()), dtype=torch.uint8).reshape(pixels.height, pixels.width, -1)
    return values.permute(2, 0, 1).float().contiguous() / 255


def drawn_pictures(count: int, seed: int, first: int = 0) -> Pictures:
    """Draw ``count`` scenes of ``seed`` with their true boxes, from scene ``first`` on; the classes are those of the toy detector."""
    if count < 1:
        raise GibbonError(f"{count} scenes were asked for. Give a number from 1.")
    scenes = [draw_boxed_scene(index, seed) for index in range(first, first + count)]
    images = tuple(torch.from_numpy(scene.pixels).permute(2, 0, 1).float().contiguous() / 255 for scene in scenes)
    truths = tuple(Boxes.of(scene.boxes.tolist(), scene.classes.tolist()) for scene in scenes)
    return Pictures(images, truths, tuple(f"scene {first + number}" for number in range(count)))


def check_drawn(labels: Sequence[str], name: str) -> None:
    """Refuse drawn scenes for a detector of other classes.

    Raises
    ------
    GibbonError
        The detector's classes are not those of the scenes.
    """
    if tuple(labels) != SCENE_LABELS:
        raise GibbonError(f"The drawn scenes hold {', '.join(SCENE_LABELS)}, which are not the classes of “{name}”. Give images.")


def read_truths(path: Path, labels: Sequence[str]) -> dict[Path, Boxes]:
    """Read true boxes by image file from JSON.

    The file is ``{"format": "gibbon-boxes", "images": [{"file": "a.png", "boxes": [{"box": [1, 2, 30, 40], "label": "Stop"}]}]}``. A box
    is left, top, right and bottom in pixels of the image, counted from its upper left corner; a label is a class by name or number, and a
    file's path is relative to the folder of the JSON.

    Raises
    ------
    GibbonError
        The file cannot be read or has another form, or a class is unknown; the sentence names the place.
    """
    ordinary_file(path, "a file of boxes (.json)", limit=_LIMIT)
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        raise GibbonError(f"“{path.name}” is not JSON, so it holds no boxes. Write {_SHAPE}.") from None
    entries = content.get("images") if isinstance(content, dict) and content.get("format") == FORMAT else None
    if not isinstance(entries, list) or not entries:
        raise GibbonError(f"“{path.name}” is no file of boxes. Write {_SHAPE}.")
    found: dict[Path, Boxes] = {}
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("file"), str) or not isinstance(entry.get("boxes"), list):
            raise GibbonError(f"Image {number} in “{path.name}” has no file or no list of boxes. Write {_SHAPE}.")
        found[path.parent / entry["file"]] = _boxes(entry["boxes"], f"“{entry['file']}” in “{path.name}”", labels)
    return found


def _boxes(entries: Sequence[Any], where: str, labels: Sequence[str]) -> Boxes:
    sides, kinds = [], []
    for entry in entries:
        box: Any = entry.get("box") if isinstance(entry, Mapping) else None
        if not _is_box(box) or not isinstance(entry.get("label"), (str, int)):
            form = '{"box": [left, top, right, bottom], "label": "name"}'
            raise GibbonError(f"A box of {where} is {json.dumps(entry)[:80]}. Write {form}.")
        sides.append(box)
        kinds.append(class_called(str(entry["label"]), labels))
    try:
        return Boxes.of(sides, kinds)
    except GibbonError as error:
        raise GibbonError(f"Boxes of {where}: {error}") from None


def _is_box(box: object) -> bool:
    return isinstance(box, list) and len(box) == 4 and all(type(side) in (int, float) for side in box)
