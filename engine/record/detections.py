"""Records of attacks on detectors of objects: a JSON file with everything that makes the patch again, bit for bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.files import file_digest, replacing
from engine.images import digest
from engine.object_detection import CATALOGUE, Boxes, Detector, DetectorOperation, DetectorResult, PatchStep, load, start
from engine.object_detection.pictures import Pictures, drawn_pictures, read_image
from engine.operation import Step
from engine.record.finding import find
from engine.record.json_file import has_format, read_record
from engine.record.making import located, relative
from engine.record.packing import Packed, Part
from engine.record.replaying import repeatable
from engine.record.schema import ClassEntry, OperationEntry
from engine.result import Reason

FORMAT = "gibbon-detection"
_FILE_LIMIT = 256 * 2**20
Load = Callable[[str, str, str | None, tuple[str, ...]], Detector]
"""Loader of a detector from source, device, architecture and labels."""


class DetectorEntry(Part):
    """The detector, and how to load it again."""

    name: str
    source: str | None
    """Argument of ``engine.object_detection.load``; a file's path is relative to the record's folder."""
    architecture: str | None = None
    fingerprint: str
    labels: tuple[str, ...]


class PictureEntry(Part):
    """An image file with its hash."""

    path: str
    """Path relative to the record's folder."""
    sha256: str


class ScenesEntry(Part):
    """Scenes that this project draws: ``count`` of them from ``first`` on, by a seed."""

    count: int
    seed: int
    first: int = 0


class BoxesEntry(Part):
    """The boxes of one image as lists of numbers, which JSON can hold."""

    xyxy: tuple[tuple[float, float, float, float], ...]
    labels: tuple[int, ...]
    scores: tuple[float, ...]

    @classmethod
    def of(cls, boxes: Boxes) -> Self:
        """Write boxes into a record; float32 survives JSON bit for bit."""
        return cls(xyxy=tuple(map(tuple, boxes.xyxy.tolist())), labels=tuple(boxes.labels.tolist()), scores=tuple(boxes.scores.tolist()))

    def boxes(self) -> Boxes:
        """Read the boxes out of the record."""
        return Boxes.of(self.xyxy, self.labels, self.scores)


class DetectionOutcome(Part):
    """The outcome: average precision without a patch, with the initial one and with the best one."""

    reason: str
    iterate: int
    """Number of the best iterate."""
    steps_made: int
    """Number of the last iterate; with the reason "cancelled" a replay stops there, too."""
    ap_before: float | None
    ap_begun: float | None
    ap_after: float | None
    """Average precision of the attacked class, or the mean over all; None where there is no true box."""
    ap_by_class: dict[str, tuple[float, float]]
    """Average precision of each class that has true boxes, before and after, by its name."""
    seen: float | None
    """Share of the images in which the target is found at the patch; None: untargeted."""
    before: tuple[BoxesEntry, ...]
    after: tuple[BoxesEntry, ...]
    patch_sha256: str
    """The `digest` of the best patch."""
    forwards: int
    backwards: int
    seconds: float


class DetectionRecord(Part):
    """An attack on a detector: everything that is needed to run it again, and its outcome."""

    format: Literal["gibbon-detection"] = "gibbon-detection"
    version: Literal[1] = 1
    detector: DetectorEntry
    images: tuple[PictureEntry, ...] = ()
    scenes: ScenesEntry | None = None
    bits: str
    """The `digest` of all images together."""
    truths: tuple[BoxesEntry, ...] | None
    """The true boxes of each image; None: the clean detections were taken."""
    operation: OperationEntry
    target: ClassEntry | None
    attacked: ClassEntry | None
    seed: int
    device: str
    device_name: str
    threads: int
    versions: dict[str, str]
    places: tuple[tuple[int, int], ...]
    """Left and top of the patch in each image."""
    patch: Packed
    """The best patch, ``(C, h, w)``."""
    outcome: DetectionOutcome

    def write(self, path: Path) -> None:
        """Write the record as JSON, atomically."""
        with replacing(path) as staged:
            staged.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a record.

        Raises
        ------
        GibbonError
            The file is no such record; the sentence says why.
        """
        cure = "Choose the .json that “dpatch” wrote."
        return read_record(path, cls, form=FORMAT, versions=(1,), what="an attack on a detector", cure=cure, limit=_FILE_LIMIT)


def is_detection(path: Path) -> bool:
    """Return whether a file is the record of an attack on a detector."""
    return has_format(path, FORMAT, _FILE_LIMIT)


def detection_record(
    result: DetectorResult, pictures: Pictures, scenes: ScenesEntry | None = None, folder: Path | None = None
) -> DetectionRecord:
    """Make the record of a result on ``pictures``: image files, or ``scenes``; paths are relative to ``folder``."""
    seen, names = result.provenance, result.detector.labels
    return DetectionRecord(
        detector=detector_entry(result.detector, folder),
        images=tuple(PictureEntry(path=relative(path, folder), sha256=file_digest(path)) for path in pictures.paths),
        scenes=scenes,
        bits=digest(pictures.batch()),
        truths=None if result.truths_assumed else tuple(BoxesEntry.of(boxes) for boxes in result.truths),
        operation=OperationEntry(slug=result.operation.slug, parameters=result.operation.model_dump(mode="json")),
        target=_class(result.target, names),
        attacked=_class(result.attacked, names),
        seed=seen["seed"],
        device=seen["device"],
        device_name=seen["device_name"],
        threads=seen["threads"],
        versions=seen["versions"],
        places=tuple((int(left), int(top)) for left, top in result.places.tolist()),
        patch=Packed.of(result.patch),
        outcome=_outcome(result),
    )


def detector_entry(detector: Detector, folder: Path | None) -> DetectorEntry:
    """Make the entry of a detector; the path of its file is relative to ``folder``."""
    source = None if detector.source is None else located(detector.source, lambda path: relative(path, folder))
    architecture = detector.card.get("detector")
    return DetectorEntry(
        name=detector.name, source=source, architecture=architecture, fingerprint=detector.fingerprint, labels=detector.labels
    )


def _class(label: int | None, names: Sequence[str]) -> ClassEntry | None:
    return None if label is None else ClassEntry(index=label, name=names[label])


def _outcome(result: DetectorResult) -> DetectionOutcome:
    before, after, names = result.precision_before, result.precision_after, result.detector.labels
    return DetectionOutcome(
        reason=str(result.reason),
        iterate=result.kept.index,
        steps_made=result.steps_made,
        ap_before=_number(before.of(result.attacked)),
        ap_begun=_number(result.begun.precision.of(result.attacked)),
        ap_after=_number(after.of(result.attacked)),
        ap_by_class={name: (before.by_class[label], after.by_class[label]) for label, name in enumerate(names) if before.truths[label]},
        seen=result.kept.seen,
        before=tuple(BoxesEntry.of(boxes) for boxes in result.before),
        after=tuple(BoxesEntry.of(boxes) for boxes in result.after),
        patch_sha256=digest(result.patch),
        forwards=result.forwards,
        backwards=result.backwards,
        seconds=result.seconds,
    )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


@dataclass(frozen=True, eq=False)
class DetectionReplay:
    """The result of a recorded attack on a detector that was run again."""

    record: DetectionRecord
    result: DetectorResult
    device: str

    @property
    def sha256(self) -> str:
        """The `digest` of the new patch."""
        return digest(self.result.patch)

    @property
    def same(self) -> bool:
        """Whether every bit of the patch, and of the boxes found with it and without it, is as recorded."""
        then = self.record.outcome
        now = [*self.result.before, *self.result.after]
        boxes = [entry.boxes() for entry in (*then.before, *then.after)]
        return self.sha256 == then.patch_sha256 and all(mine.same(theirs) for mine, theirs in zip(now, boxes, strict=True))

    @property
    def sentence(self) -> str:
        """The comparison with the record as a sentence."""
        if self.same:
            return "The same bits again."
        if self.device != self.record.device:
            return f"Other bits: the record was made on {self.record.device}, this on {self.device}."
        now = self.result.provenance["versions"]
        changed = [f"{name} {then} to {now.get(name)}" for name, then in self.record.versions.items() if now.get(name) != then]
        if changed:
            return f"Other bits on the same device; changed: {', '.join(changed)}."
        return "Other bits on the same device with the same versions: the processor is another one, or the detector does not repeat itself."


def replay_detection(
    record: DetectionRecord,
    *,
    folder: Path,
    device: str | None = None,
    threads: int | None = None,
    load_detector: Load | None = None,
    watch: Callable[[Step], bool] | None = None,
) -> DetectionReplay:
    """Run a recorded attack on a detector again.

    Parameters
    ----------
    record
        The record.
    folder
        The folder of the record, to which paths are relative.
    device, threads
        Others than the recorded ones; the bits may then differ.
    load_detector
        Loads the detector; None: ``engine.object_detection.load`` without permission to run code.
    watch
        Is called after each step, and ends the replay by returning False.

    Raises
    ------
    GibbonError
        Detector or images are not those that were recorded, or cannot be found.
    """
    used = device or record.device
    with repeatable(record.threads if threads is None else threads):
        detector = _detector(record.detector, folder, used, load_detector)
        images = _images(record, folder, detector.channels)
        truths = None if record.truths is None else [entry.boxes() for entry in record.truths]
        target, attacked = (None if entry is None else entry.index for entry in (record.target, record.attacked))
        with start(_operation(record.operation), detector, images, truths, target=target, attacked=attacked, seed=record.seed) as run:
            for step in run:
                ended = record.outcome.reason == Reason.CANCELLED and step.index == record.outcome.steps_made
                if (ended and isinstance(step, PatchStep)) or (watch is not None and not watch(step)):
                    break
            run.close()
            return DetectionReplay(record, run.result(), used)


def _operation(entry: OperationEntry) -> DetectorOperation:
    if entry.slug not in CATALOGUE:
        raise GibbonError(f"The record's operation “{entry.slug}” is not known here. Install the version that made the record.")
    return CATALOGUE[entry.slug].build(**entry.parameters)


def _detector(entry: DetectorEntry, folder: Path, device: str, load_detector: Load | None) -> Detector:
    if entry.source is None:
        raise GibbonError(f"The record does not say where the detector “{entry.name}” came from, so it cannot be loaded again.")
    source = located(entry.source, lambda path: str(folder / path if (folder / path).is_file() else path))
    found = (load_detector or _load)(source, device, entry.architecture, entry.labels)
    if found.fingerprint != entry.fingerprint:
        raise GibbonError(
            f"“{entry.source}” is another detector than the recorded one: its fingerprint is {found.fingerprint}, recorded is "
            f"{entry.fingerprint}. Put the original weights there."
        )
    return found


def _load(source: str, device: str, architecture: str | None, labels: tuple[str, ...]) -> Detector:
    return load(source, device=device, architecture=architecture, labels=labels)


def _images(record: DetectionRecord, folder: Path, channels: int) -> Tensor:
    if record.scenes is not None:
        images = drawn_pictures(record.scenes.count, record.scenes.seed, record.scenes.first).batch()
    elif record.images:
        images = torch.stack([read_image(find(each.path, each.sha256, folder, None, "image"), channels) for each in record.images])
    else:
        raise GibbonError("The record names no images.")
    if digest(images) != record.bits:
        raise GibbonError("The images are not those that were recorded: another version of Pillow or NumPy made other pixels.")
    return images
