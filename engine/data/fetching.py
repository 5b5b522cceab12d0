"""Download of the published data sets, with progress, into the layout of torchvision. A set is whole or not there."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from engine.bits import Bits
from engine.data.selection import Split
from engine.download import downloading
from engine.errors import GibbonError

_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_GTSRB = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"


@dataclass(frozen=True)
class Published:
    """A file of a published set."""

    url: str
    md5: str
    folder: str
    """Folder of the file, below that of the data sets."""
    holds: str = ""
    """The part of an archive that is unpacked to its place below ``folder``; empty: the file is used as it is."""

    @property
    def name(self) -> str:
        """The file's name, which ends its address."""
        return self.url.rpartition("/")[2]


def _mnist(stem: str, images: str, labels: str) -> tuple[Published, ...]:
    files = ((f"{stem}-images-idx3-ubyte.gz", images), (f"{stem}-labels-idx1-ubyte.gz", labels))
    return tuple(Published(f"{_MNIST}{name}", md5, "MNIST/raw") for name, md5 in files)


_CIFAR10 = (
    Published("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a", "", "cifar-10-batches-py"),
)
FILES: dict[tuple[str, Split], tuple[Published, ...]] = {
    ("mnist", "train"): _mnist("train", "f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432"),
    ("mnist", "test"): _mnist("t10k", "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c"),
    ("cifar10", "train"): _CIFAR10,
    ("cifar10", "test"): _CIFAR10,
    ("gtsrb", "train"): (Published(f"{_GTSRB}GTSRB-Training_fixed.zip", "513f3c79a4c5141765e10e952eaa2478", "gtsrb", "GTSRB/Training"),),
    ("gtsrb", "test"): (
        Published(f"{_GTSRB}GTSRB_Final_Test_Images.zip", "c7e4e6327067d32654124b0fe9e82185", "gtsrb", "GTSRB/Final_Test/Images"),
        Published(f"{_GTSRB}GTSRB_Final_Test_GT.zip", "fe31e9c9270bbcd7b84b7f21a9d9d9e5", "gtsrb", "GT-final_test.csv"),
    ),
}


def missing(root: Path, name: str, split: Split) -> list[Published]:
    """Return the files of a set that are not under ``root``, neither as they are published nor unpacked."""
    return [each for each in FILES[name, split] if not _is_there(root, each)]


def _is_there(root: Path, each: Published) -> bool:
    if each.holds:
        return (root / each.folder / each.holds).exists()
    return any((root / each.folder / name).is_file() for name in (each.name, each.name.removesuffix(".gz")))


def fetching(root: Path, name: str, split: Split) -> Bits[None]:
    """Download what is missing, and unpack it; it yields the bytes received and the total, then the entries unpacked and their number.

    Closing the generator ends it and leaves no part of a file behind. An archive that a person has put at its place is unpacked without a
    download.

    Raises
    ------
    GibbonError
        The network or the disk refuses; the sentence says which file belongs where.
    """
    for each in missing(root, name, split):
        target = root / each.folder / each.name
        if not target.is_file():
            with closing(downloading(each.url, target, md5=each.md5)) as bits:
                for done, total in bits:
                    if done is not None:
                        yield done, total or 0
        if each.holds:
            yield from _unpacking(target, root / each.folder / each.holds, each.holds)


def _unpacking(archive: Path, target: Path, holds: str) -> Bits[None]:
    """Unpack an archive beside itself, move what it holds to its place, and remove the archive."""
    staged = Path(tempfile.mkdtemp(prefix=f".{archive.name}.", dir=archive.parent))
    try:
        yield from _entries(archive, staged)
        if not (staged / holds).exists():
            raise GibbonError(f"{archive} holds no {holds}: it is not the published archive. Delete it and fetch it again.")
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(staged / holds, target)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise GibbonError(f"{archive} cannot be unpacked ({error}): make room, or delete it and fetch it again.") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    archive.unlink(missing_ok=True)


def _entries(archive: Path, folder: Path) -> Iterator[tuple[int, int]]:
    """Unpack entry by entry; names that lead outside of ``folder`` are refused or made harmless by Python's own modules."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as file:
            names = file.namelist()
            for done, name in enumerate(names, 1):
                file.extract(name, folder)
                yield done, len(names)
        return
    with tarfile.open(archive) as packed:
        members = packed.getmembers()
        for done, member in enumerate(members, 1):
            packed.extract(member, folder, filter="data")
            yield done, len(members)
