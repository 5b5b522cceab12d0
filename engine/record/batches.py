"""Batches on the disk: the table as CSV, and beside it a record (JSON) with everything that makes it again."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, JsonValue

from engine import data as data_sets
from engine.artifacts import Table
from engine.classifier import Classifier
from engine.devices import describe, devices, versions
from engine.errors import GibbonError
from engine.evaluate.batch import BothAttackers, ImageResults, ImageRun, Subjects, attack_images, from_data, from_files, table_of
from engine.files import file_digest, replacing
from engine.images import write_png
from engine.record.finding import find
from engine.record.json_file import has_format, read_record
from engine.record.making import mask_entry, model_entry, operation_entry, relative
from engine.record.migration import with_sampled_edges
from engine.record.packing import Packed, Part
from engine.record.restoring import Load, build_attack, classifier_of, load_data, load_mask
from engine.record.schema import DataEntry, MaskEntry, ModelEntry, OperationEntry
from engine.record.stickers import StickerEntry

FORMAT = "gibbon-batch"
_FILE_LIMIT = 256 * 2**20


class SetEntry(Part):
    """A selection of images of a data set."""

    name: str
    """Name in ``engine.data``, with its split: "mnist:test"."""
    count: int
    classes: tuple[int, ...] = ()
    draw: int | None = None
    """Seed by which the images were drawn; None: spread evenly."""
    seed: int = 0
    """Seed of a set that this project drew."""
    sha256: str
    """Hash over pixels and classes, SHA-256 as hex."""


class FileEntry(Part):
    """An image file with its hash and its label."""

    path: str
    """Path relative to the record's folder."""
    sha256: str = ""
    """Hash of the file; empty where it could not be read."""
    label: int | None = None


class RowEntry(Part):
    """The outcome of one image, for the comparison after a repetition."""

    sha256: str
    """The `digest` of the adversarial image; empty where there is none."""
    error: str = ""


class UnawareEntry(Part):
    """The outcome of the attacker who does not know the defense."""

    summary: dict[str, JsonValue]
    rows: tuple[RowEntry, ...]


class BatchRecord(Part):
    """One attack on many images: everything that is needed to run it again, and its outcome."""

    format: Literal["gibbon-batch"] = "gibbon-batch"
    version: Literal[1, 2, 3] = 3
    """Version 1 had no ``defense``: its model has the one through which its attacker went."""
    command: str = ""
    """The command that repeats the batch, in the record's folder."""
    model: ModelEntry
    """The model without the ``defense``."""
    defense: tuple[dict[str, JsonValue], ...] = ()
    """The preprocessing before the model that one attacker knows and another does not; empty: there is one attacker and no defense."""
    operation: OperationEntry
    images: SetEntry | tuple[FileEntry, ...]
    aim: str | int
    """The rule for targets, or the class number of the target of all images; see `engine.evaluate.batch.Aim`."""
    seed: int
    together: int
    stickers: tuple[StickerEntry, ...] = ()
    region: Literal["image", "stickers"] = "image"
    mask: MaskEntry | None = None
    start: Packed | None = None
    data: DataEntry | None = None
    """The data set from which the attack learned."""
    device: str
    device_name: str = ""
    threads: int
    versions: dict[str, str]
    reason: str
    seconds: float
    summary: dict[str, JsonValue]
    rows: tuple[RowEntry, ...] = Field(default=())
    unaware: UnawareEntry | None = None
    """The attacker who does not know the defense; None: there is no defense."""

    @classmethod
    def describes(cls, path: Path) -> bool:
        """Return whether a file is the record of a batch."""
        return has_format(path, FORMAT, _FILE_LIMIT)

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read the record of a batch.

        Raises
        ------
        GibbonError
            The file is missing, damaged, no record of a batch, or of an unknown version.
        """
        cure = "Choose the .json beside a table."
        return read_record(
            Path(path), cls, form=FORMAT, versions=(1, 2, 3), what="a batch", cure=cure, limit=_FILE_LIMIT, migrate=_migrated
        )


def _migrated(content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = content if content["version"] == 3 else with_sampled_edges(content)
    return found


def batch_record(results: ImageResults, folder: Path | None = None, name: str = "") -> BatchRecord:
    """Make the record of a batch; paths are relative to ``folder``, and ``name`` is the record's file name, for the command.

    Raises
    ------
    GibbonError
        The table is that of the attacker who does not know the defense alone.
    """
    attack, classifier, inputs, both = results.attack, results.undefended, results.inputs, BothAttackers.of(results)
    if inputs["judge"] is not None:
        raise GibbonError("The table of an attacker who does not know the defense has no record of its own. Record both attackers' table.")
    data, mask, start = (inputs[each] for each in ("data", "mask", "start"))
    digests = {each: file_digest(path) for each, path in attack.named_files().items() if path.is_file()}
    return BatchRecord(
        command=f"python main.py batch --repeat {name}" if name else "",
        model=model_entry(classifier, folder),
        defense=tuple(step.model_dump(mode="json") for step in results.defense),
        operation=operation_entry(attack, digests, folder),
        images=_images_entry(results, folder),
        aim=results.aim,
        seed=results.seed,
        together=results.together,
        stickers=tuple(StickerEntry.of(sticker) for sticker in inputs["stickers"]),
        region=inputs["region"],
        mask=mask_entry(mask),
        start=None if start is None else Packed.of(start),
        data=None if data is None else DataEntry(name=data.name, count=len(data), seed=data.seed, sha256=data.sha256),
        device=str(classifier.device),
        device_name=describe(classifier.device),
        threads=results.threads,
        versions=versions(),
        reason=str(results.reason),
        seconds=results.seconds,
        summary={**results.summary.plain(), "lights": [light.plain() for light in results.lights], "sentences": results.sentences},
        rows=_row_entries(results),
        unaware=None if both is None else UnawareEntry(summary=both.plain(), rows=_row_entries(both.unaware)),
    )


def _row_entries(results: ImageResults) -> tuple[RowEntry, ...]:
    return tuple(RowEntry(sha256=row.sha256, error=row.error) for row in results.rows)


def _images_entry(results: ImageResults, folder: Path | None) -> SetEntry | tuple[FileEntry, ...]:
    origin = results.subjects.origin
    if "data" in origin:
        return SetEntry(name=origin["data"], **{name: origin[name] for name in ("count", "classes", "draw", "seed", "sha256")})
    digests = {row.number: row.file_sha256 for row in results.rows}
    return tuple(
        FileEntry(path=relative(Path(item.name), folder), sha256=digests.get(number, ""), label=item.label)
        for number, item in enumerate(results.subjects.items)
    )


def write_batch(results: ImageResults, csv_path: Path, *, images: bool = False) -> list[Path]:
    """Write the table as CSV and its record as JSON beside it; with ``images`` also each adversarial image that was kept, as PNG.

    The PNGs go into a folder of the table's name, as ``NUMBER.png``.

    Returns
    -------
    list of Path
        The table, the record and the folder of images, where there is one.
    """
    csv_path = csv_path.with_suffix(".csv")
    record = csv_path.with_suffix(".json")
    others = None if results.unaware is None else results.unaware.rows
    write_csv(csv_path, table_of(results.rows, "", stickers=len(results.inputs["stickers"]), unaware=others))
    made = batch_record(results, csv_path.parent, record.name)
    with replacing(record) as staged:
        staged.write_text(made.model_dump_json(indent=2) + "\n", encoding="utf-8")
    kept = [row for row in results.rows if row.result is not None]
    if not images or not kept:
        return [csv_path, record]
    folder = csv_path.with_suffix("")
    folder.mkdir(exist_ok=True)
    for row in kept:
        assert row.result is not None
        write_png(folder / f"{row.number}.png", row.result.adversarial[0])
    return [csv_path, record, folder]


def write_csv(path: Path, table: Table) -> None:
    """Write a table as CSV (UTF-8): numbers with all digits, ``true`` and ``false``, and nothing where there is no value."""
    with replacing(path) as staged, staged.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows([_cell(value) for value in row] for row in table.rows)


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else value


def repeat_batch(
    record: BatchRecord,
    *,
    folder: Path | str = ".",
    data_root: Path | str | None = None,
    load: Load | None = None,
    device: str | None = None,
) -> ImageRun:
    """Start a recorded batch again. Call it inside ``repeatable(record.threads)``, and pull the run to its end.

    Parameters
    ----------
    record
        The record of the batch.
    folder
        Folder of the record, to which its paths are relative.
    data_root
        Folder of the data sets; None: the default of ``engine.data.load``.
    load
        Replacement for ``engine.models.load``, which here runs no user's code and downloads nothing.
    device
        Replacement for the recorded device; the bits may then differ.

    Raises
    ------
    GibbonError
        Model, images or another file are missing or differ from the recorded ones.
    """
    folder, device = Path(folder), device or record.device
    if device not in (str(here) for here in devices()):
        raise GibbonError(f"The record was made on {device} ({record.device_name}), which is not here. Give another device.")
    classifier = classifier_of(record.model, folder, device, load)
    start = None if record.start is None else record.start.tensor()
    return attack_images(
        build_attack(record.operation, folder),
        classifier,
        _subjects(record, classifier, folder, data_root),
        seed=record.seed,
        aim=record.aim,  # type: ignore[arg-type]  # checked by attack_images
        together=record.together,
        data=None if record.data is None else load_data(record.data, data_root),
        start=start,
        mask=None if record.mask is None else load_mask(record.mask, classifier, folder),
        stickers=tuple(entry.sticker() for entry in record.stickers),
        region=record.region,
        defense=list(record.defense),
    )


def _subjects(record: BatchRecord, classifier: Classifier, folder: Path, root: Path | str | None) -> Subjects:
    entry = record.images
    if isinstance(entry, SetEntry):
        name, split = data_sets.parse_name(entry.name)
        chosen = data_sets.Selection(entry.count, entry.classes, entry.draw)
        data = data_sets.load(name, split, root, count=entry.count, seed=entry.seed, classes=entry.classes, draw=entry.draw)
        if data.sha256 != entry.sha256:
            raise GibbonError(
                f"The images of “{entry.name}” are not those that were recorded: the files have changed. Use the original ones."
            )
        return from_data(data, classifier, chosen)
    paths = [find(file.path, file.sha256 or None, folder, None, "image") for file in entry]
    return from_files(paths, classifier).labelled([file.label for file in entry])


def compared(record: BatchRecord, results: ImageResults) -> str:
    """Say for how many images a repetition gave the same bits."""
    whole, part = _same(record.rows, results)
    if record.unaware is not None and results.unaware is not None:
        again, other = _same(record.unaware.rows, results.unaware)
        whole, part = whole and again, f"{part} by the attacker who knows the defense, and {other} by the one who does not"
    if whole:
        attackers = " by both attackers" if record.unaware is not None else ""
        return f"The same bits again for all {len(record.rows):,} images{attackers}."
    return f"The same bits for {part}."


def _same(recorded: tuple[RowEntry, ...], results: ImageResults) -> tuple[bool, str]:
    """Return whether all images have the recorded bits, and how many have in words."""
    pairs = zip(results.rows, recorded, strict=False)
    same = sum(row.sha256 == then.sha256 and bool(row.error) == bool(then.error) for row, then in pairs)
    return same == len(recorded) == len(results.rows), f"{same:,} of {len(recorded):,} images"
