"""Records of trainings: everything that makes a network's weights again, bit for bit, and how the training went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import JsonValue

from engine.artifacts import Model
from engine.bits import whole
from engine.data import DataSet
from engine.defenses import Train, TrainStep, weights_digest
from engine.devices import devices
from engine.driver import Run, start
from engine.errors import GibbonError
from engine.files import replacing
from engine.operation import Step
from engine.record.json_file import has_format, read_record
from engine.record.making import operation_entry, relative
from engine.record.packing import Part
from engine.record.replaying import repeatable
from engine.record.restoring import Load
from engine.record.schema import DataEntry, OperationEntry
from engine.record.training_inputs import TrainingInputs, TrainingSource, loading_inputs, relocated
from engine.result import Reason, Result

FORMAT = "gibbon-training"
VERSION = 1
_FILE_LIMIT = 64 * 2**20


class TrainingOutcome(Part):
    """The outcome of a training: why and when it ended, its curves, and how the network was tested."""

    reason: str
    epochs: int
    """Number of finished epochs."""
    last_step: int
    """Index of the last step; with the reason "cancelled" a replay stops there."""
    seconds: float
    weights_sha256: str
    """Hash of the file of weights, SHA-256 as hex."""
    history: tuple[dict[str, JsonValue], ...] = ()
    """The finished epochs."""
    accuracy: float | None = None
    """Accuracy on the test images, in [0, 1]; None: not tested."""
    attack: str = ""
    """The attack with its budget under which the network was tested: ``PGD-40 at L∞ 0.3 on 500 images``; empty: none."""
    attacked: float | None = None
    """Accuracy under that attack, in [0, 1]."""


class TrainingRecord(Part):
    """One training: everything that is needed to run it again, and its outcome."""

    format: Literal["gibbon-training"] = "gibbon-training"
    version: Literal[1] = 1
    name: str
    """Name of the trained network."""
    command: str = ""
    """The command that trains it again."""
    source: TrainingSource
    fingerprint: str
    """Fingerprint of the classifier with which the training begins."""
    labels: tuple[str, ...]
    """Its class names."""
    operation: OperationEntry
    recipe: str
    """The recipe in words."""
    data: DataEntry
    """The images that were trained on, those held out for the measurements among them."""
    test: DataEntry
    seed: int
    device: str
    device_name: str = ""
    threads: int
    processes: int = 1
    """Number of processes that trained together. Another number gives other bits."""
    versions: dict[str, str]
    outcome: TrainingOutcome

    def write(self, path: Path | str) -> Path:
        """Write the record as JSON, atomically."""
        path = Path(path)
        with replacing(path) as staged:
            staged.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read the record of a training.

        Raises
        ------
        GibbonError
            The file is missing, damaged, no record of a training, or of a newer version.
        """
        cure = "Choose the .training.json beside the weights."
        return read_record(Path(path), cls, form=FORMAT, versions=(VERSION,), what="a training", cure=cure, limit=_FILE_LIMIT)

    @property
    def train(self) -> Train:
        """The training with its parameters.

        Raises
        ------
        GibbonError
            A part of the recipe or a parameter is unknown here, as in the record of a newer version.
        """
        try:
            return Train.build(**self.operation.parameters)
        except GibbonError as error:
            raise GibbonError(
                f"The training of “{self.name}” cannot be made here: {error} Its record may come from a newer Gibbon: install that."
            ) from None


def is_training(path: Path) -> bool:
    """Return whether a file is the record of a training."""
    return has_format(path, FORMAT, _FILE_LIMIT)


def training_record(
    result: Result, last: Step | None, inputs: TrainingInputs, *, name: str, folder: Path | None = None, **facts: Any
) -> TrainingRecord:
    """Make the record of a training that has ended, or was left early.

    Parameters
    ----------
    result
        The result of a `Train` on ``inputs``.
    last
        The last step of its run.
    inputs
        The network and the images from `loading_inputs`.
    name
        Name of the trained network.
    folder
        Folder of the record, to which paths are relative.
    facts
        Further entries: ``command`` and ``processes`` of the record; ``accuracy``, ``attack`` and ``attacked`` of its outcome.
    """
    train = result.operation
    assert isinstance(last, TrainStep)
    assert isinstance(train, Train)
    model, seen = result.artifacts["model"], result.provenance
    assert isinstance(model, Model)
    about = {key: facts.pop(key) for key in ("command", "processes") if key in facts}
    outcome = TrainingOutcome(
        reason=str(result.reason),
        epochs=len(last.history),
        last_step=last.index,
        seconds=result.seconds,
        weights_sha256=weights_digest(model),
        history=tuple(asdict(epoch) for epoch in last.history),
        **facts,
    )
    return TrainingRecord(
        name=name,
        source=relocated(inputs.source, lambda path: relative(path, folder)),
        fingerprint=inputs.classifier.fingerprint,
        labels=inputs.classifier.labels,
        operation=operation_entry(train.model_copy(update={"checkpoint": None}), {}, folder),
        recipe=train.described,
        data=_entry(inputs.train),
        test=_entry(inputs.test),
        seed=seen["seed"],
        device=seen["device"],
        device_name=seen["device_name"],
        threads=seen["threads"],
        versions=seen["versions"],
        outcome=outcome,
        **about,
    )


def _entry(data: DataSet) -> DataEntry:
    return DataEntry(name=data.name, count=len(data), seed=data.seed, sha256=data.sha256)


@dataclass(frozen=True, eq=False)
class TrainingReplay:
    """The outcome of a recorded training that was run again."""

    record: TrainingRecord
    model: Model
    reason: Reason
    device: str
    threads: int
    versions: dict[str, str]

    @property
    def sha256(self) -> str:
        """Hash of the new weights, as of their file."""
        return weights_digest(self.model)

    @property
    def same(self) -> bool:
        """Whether every bit of the weights is as recorded."""
        return self.sha256 == self.record.outcome.weights_sha256

    @property
    def sentence(self) -> str:
        """The comparison with the record as a sentence."""
        if self.same:
            return "The same weights again, bit for bit."
        if self.reason is Reason.CANCELLED and self.record.outcome.reason != Reason.CANCELLED:
            return "The replay was ended before its last step, so there is nothing to compare."
        then = {**self.record.versions, "threads": str(self.record.threads), "device": self.record.device}
        now = {**self.versions, "threads": str(self.threads), "device": self.device}
        changed = [f"{name} {then.get(name, 'none')} → {now.get(name, 'none')}" for name in then | now if then.get(name) != now.get(name)]
        if self.record.processes > 1:
            changed.append(f"processes {self.record.processes} → 1")
        return f"Other weights; changed: {', '.join(changed)}." if changed else "Other weights, with the same versions on the same device."


def replay_training(
    record: TrainingRecord,
    *,
    folder: Path | str = ".",
    data_root: Path | str | None = None,
    device: str | None = None,
    threads: int | None = None,
    load: Load | None = None,
    allow_code: bool = False,
    watch: Callable[[Step], bool] | None = None,
) -> TrainingReplay:
    """Load network and images, and train again with the recorded seed and threads.

    Parameters
    ----------
    record
        The record of the training.
    folder
        Folder of the record, to which its paths are relative.
    data_root
        Folder of the data sets; None: the default of ``engine.data.load``.
    device, threads
        Replacements for the recorded ones; the bits may then differ.
    load
        Replacement for ``engine.models.load``, which here runs no user's code and downloads nothing.
    allow_code
        Permission to run the code of FILE.py.
    watch
        Called after every step; False ends the run.

    Raises
    ------
    GibbonError
        Network, images or the recorded device are missing, or differ from the recorded ones.
    """
    device = device or record.device
    if device not in (str(here) for here in devices()):
        raise GibbonError(
            f"The record was made on {device} ({record.device_name}), which is not here. Give another device; the bits may then differ."
        )
    with repeatable(record.threads if threads is None else threads):
        source = relocated(record.source, lambda path: str(path if path.is_absolute() else Path(folder) / path))
        inputs = whole(loading_inputs(source, root=data_root, device=device, load=load, allow_code=allow_code))
        _compare(record, inputs)
        with start(record.train, inputs.classifier, data=inputs.train, seed=record.seed) as run:
            _pull(run, record, watch)
            run.close()
            result = run.result()
    model, seen = result.artifacts["model"], result.provenance
    assert isinstance(model, Model)
    return TrainingReplay(record, model, result.reason, seen["device"], seen["threads"], seen["versions"])


def _pull(run: Run, record: TrainingRecord, watch: Callable[[Step], bool] | None) -> None:
    """Pull a run to its end or, where the recorded one was cancelled, to the same step."""
    for step in run:
        cancelled = record.outcome.reason == Reason.CANCELLED and step.index >= record.outcome.last_step
        if cancelled or (watch is not None and not watch(step)):
            return


def _compare(record: TrainingRecord, inputs: TrainingInputs) -> None:
    """Refuse a network or images that are not the recorded ones."""
    if inputs.train.sha256 != record.data.sha256:
        raise GibbonError(
            f"The {len(inputs.train):,} images of “{inputs.source.data}” are not those that were trained on: the files have changed. "
            "Use the original ones."
        )
    if inputs.classifier.fingerprint != record.fingerprint:
        raise GibbonError(
            f"“{inputs.source.network}” is another network than the recorded one: its fingerprint is {inputs.classifier.fingerprint}, "
            f"recorded is {record.fingerprint}. Put the original file there."
        )
