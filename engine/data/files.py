"""Reading of data sets from the disk, in the layouts that torchvision and ImageFolder-like tools write."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.bits import Bits
from engine.class_matching import are_numbers
from engine.errors import GibbonError
from engine.files import IMAGE_SUFFIXES, ordinary_file
from engine.images.decoding import decode, upright_size
from engine.images.photograph import bytes_of

_NOT_DATA = frozenset({"__MACOSX", "__pycache__", "@eaDir", "$RECYCLE.BIN", "System Volume Information"})
"""Folders that operating systems and tools create on their own."""
Samples = list[tuple[Path, int]]


def read_idx(path: Path) -> Tensor:
    """Read one of MNIST's files: a magic number that holds the rank, the sizes as big-endian int32, the bytes."""
    packed = path.with_name(f"{path.name}.gz")
    try:
        data = path.read_bytes() if path.is_file() else gzip.decompress(ordinary_file(packed).read_bytes())
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise GibbonError(f"{packed} is damaged or cut short ({error}): delete it and fetch it again.") from error
    if len(data) < 8 or data[:3] != b"\0\0\x08":
        raise GibbonError(f"{path} is not one of MNIST's files: delete it and fetch it again.")
    rank = data[3]
    if not 1 <= rank <= 3 or len(data) < 4 + 4 * rank:
        raise GibbonError(f"{path} is cut short: delete it and fetch it again.")
    sizes = np.frombuffer(data, ">i4", count=rank, offset=4).astype(int)
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * rank)
    if values.size != sizes.prod():
        raise GibbonError(f"{path} is cut short: delete it and fetch it again.")
    return torch.from_numpy(values.reshape(sizes).copy())


def entries(folder: Path) -> list[Path]:
    """List the entries of ``folder`` that a person put there, sorted by name, without hidden files and those of systems.

    Raises
    ------
    GibbonError
        The folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.name not in _NOT_DATA)
    except OSError as error:
        raise GibbonError(f"{folder} cannot be read ({error.strerror or error}): check the folder and its permissions.") from error


def class_folders(folder: Path) -> tuple[Samples, tuple[str, ...]]:
    """List the images below ``folder``, one folder per class, with the number of their class, and the classes' names.

    The classes are sorted by name, or by number where all names are whole numbers. A folder without images is no class.
    """
    found = [(child, images_in(child)) for child in entries(folder) if child.is_dir()]
    found = [(child, images) for child, images in found if images]
    if are_numbers([child.name for child, _ in found]):
        found.sort(key=lambda one: int(one[0].name))
    samples = [(path, number) for number, (_, images) in enumerate(found) for path in images]
    return samples, tuple(child.name for child, _ in found)


def images_in(folder: Path) -> list[Path]:
    """List the image files right below ``folder``, sorted by name."""
    return [path for path in entries(folder) if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]


def gtsrb_test(folder: Path) -> Samples:
    """List the official test images with their classes from ``GT-final_test.csv``.

    Raises
    ------
    GibbonError
        The table lacks a column, holds a class that is no number, or names a file outside of its folder.
    """
    table, inside = folder / "GT-final_test.csv", (folder / "GTSRB/Final_Test/Images").resolve()
    samples: Samples = []
    try:
        with ordinary_file(table).open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.DictReader(file, delimiter=";", skipinitialspace=True), 2):
                samples.append(_listed(row, inside, f"{table}, line {number},"))
    except UnicodeDecodeError as error:
        raise GibbonError(f"{table} is no text in UTF-8: fetch it again.") from error
    except OSError as error:
        raise GibbonError(f"{table} cannot be read ({error.strerror or error}): fetch it again.") from error
    except csv.Error as error:
        raise GibbonError(f"{table} cannot be read as a table ({error}): fetch it again.") from error
    return samples


def _listed(row: Mapping[str, str | None], inside: Path, where: str) -> tuple[Path, int]:
    """Return the image and the class of one line; an image outside of ``inside`` is refused."""
    missing = [column for column in ("Filename", "ClassId") if not row.get(column)]
    if missing:
        raise GibbonError(f"{where} has nothing under {missing[0]}: fetch it again.")
    name, number = str(row["Filename"]), str(row["ClassId"])
    if not re.fullmatch(r"[0-9]{1,9}", number):
        raise GibbonError(f"{where} has “{number[:40]}” for a class, which is no whole number: fetch it again.")
    path = inside / name
    if "\0" in name or not path.resolve().is_relative_to(inside):
        raise GibbonError(f"{where} names “{name}”, which lies outside of {inside}: fetch it again.")
    return path, int(number)


def image_size(path: Path) -> tuple[int, int]:
    """Return height and width of an image file as it is shown, upright."""
    width, height = upright_size(bytes_of(path), path.name)
    return height, width


@dataclass(frozen=True)
class Read:
    """Images that were read, and the files that could not be."""

    images: Tensor
    """The images, ``(N, 3, H, W)`` uint8."""
    rows: list[int]
    """Indices of the files that were read."""
    broken: tuple[str, ...]
    """A sentence for each file that could not be read."""
    left_out: tuple[str, ...] = ()
    """The names of these files."""


def read_images(paths: list[Path], size: tuple[int, int]) -> Bits[Read]:
    """Read files one by one as RGB; another size is scaled (bilinear, antialiased) and cropped in the middle.

    Decoding is that of an opened photograph: upright, alpha over white, 16 bit reduced. Unreadable files are left out.
    """
    height, width = size
    images = np.empty((len(paths), height, width, 3), np.uint8)
    rows: list[int] = []
    broken: list[str] = []
    left_out: list[str] = []
    for row, path in enumerate(paths):
        try:
            pixels, _ = decode(bytes_of(path), path.name)
        except GibbonError as error:
            broken.append(str(error))
            left_out.append(path.name)
        else:
            images[len(rows)] = _fitted(pixels, width, height)
            rows.append(row)
        yield row + 1, len(paths)
    return Read(torch.from_numpy(images[: len(rows)]).permute(0, 3, 1, 2).contiguous(), rows, tuple(broken), tuple(left_out))


def _fitted(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    from PIL import Image, ImageOps

    image = Image.fromarray(pixels).convert("RGB")
    if image.size != (width, height):
        image = ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
    return np.asarray(image)
