"""The engine's work for one training of the window. Its methods are called in the lane's thread."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gui.session.training.points import keep_points
from gui.session.training.recipe import Recipe, source_of, start_of
from gui.session.training.run import RECORD

if TYPE_CHECKING:
    from engine import Classifier
    from engine.defenses.training import Epoch, Estimate
    from engine.record import TrainingInputs, TrainingSource
    from engine.record.restoring import Load
    from gui.lanes.readings import Series
    from gui.session.training.folders import TrainingFolder

TEST_IMAGES = 2000
"""Images, at most, on which a trained network is tested: more would keep the lane for long after the last step."""
_TOLD_S = 0.1


@dataclass(frozen=True, eq=False)
class Trained:
    """The outcome of a training."""

    result: Any
    classifier: Classifier
    accuracy: float
    tested_on: str
    epochs: int
    key: str
    """A text that is the same for the same training, by which the files of its epochs are found again."""

    @property
    def reason(self) -> str:
        """The reason why the training ended."""
        return str(self.result.reason)


@dataclass(frozen=True, eq=False)
class Seen:
    """The images of a step as the wall shows them, ``(N, H, W, 3)`` uint8."""

    clean: Any
    trained: Any
    epoch: int


class Loaded:
    """The inputs that were loaded last, so that a training need not load again what its time was measured with."""

    def __init__(self) -> None:
        self.key: tuple[Any, ...] = ()
        self.inputs: TrainingInputs | None = None


class Making:
    """Loads the network and the images, and makes the run and its record."""

    def __init__(self, recipe: Recipe, loaded: Loaded, folder: TrainingFolder | None = None, series: Series | None = None) -> None:
        self.recipe, self._folder, self._loaded, self._series = recipe, folder, loaded, series
        self._inputs: TrainingInputs | None = None
        self._last: Any = None
        self.history: tuple[Epoch, ...] = ()
        """The finished epochs. It may be read in any thread."""
        self._resumed = False
        """Whether no step was seen yet of a training that was resumed: its first one repeats an epoch that was kept."""

    @property
    def channels(self) -> int:
        """The channels of the network's images; 3 until the network to start from is loaded."""
        from engine.models import ARCHITECTURES

        known = self.recipe.classifier if self._inputs is None else self._inputs.classifier
        if known is not None:
            return known.native_shape[0]
        return ARCHITECTURES[self.recipe.architecture].input_shape[0] if self.recipe.architecture else 3

    # ------------------------------------------------------------------ before the first step

    def prepare(self) -> Iterator[str]:
        """Load the network, the images to train on and those to test on."""
        recipe = self.recipe
        start = start_of(recipe)
        if recipe.classifier is None and start.get("source"):
            yield f"loading {start.get('name', 'the model')}"
        self._refuse_lost(start)
        source = source_of(recipe, TEST_IMAGES)
        key = (source, recipe.root, recipe.device, recipe.classifier)
        if self._loaded.key != key:
            self._loaded.inputs = yield from self._loading(source)
            self._loaded.key = key
        self._inputs = self._loaded.inputs

    def _refuse_lost(self, start: Mapping[str, Any]) -> None:
        """Refuse to continue from a network that cannot be loaded again."""
        from engine import models
        from engine.errors import GibbonError

        if self.recipe.architecture or self.recipe.classifier is not None:
            return
        if not start.get("source"):
            raise GibbonError(f"The network “{start.get('name', '')}” that this training began from was never saved: begin it anew.")
        if models.runs_code(str(start["source"])):
            raise GibbonError(f"The network that this training began from is made by code, {start['source']}: open it, and begin anew.")

    def _loading(self, source: TrainingSource) -> Generator[str, None, TrainingInputs]:
        from engine.record import loading_inputs

        recipe, told, classifier = self.recipe, time.perf_counter(), self.recipe.classifier
        load: Load | None = None if classifier is None else lambda *_: classifier
        bits = loading_inputs(source, root=recipe.root, device=recipe.device, load=load)
        while True:
            try:
                done, of = next(bits)
            except StopIteration as end:
                inputs: TrainingInputs = end.value
                return inputs
            if time.perf_counter() >= told:
                told = time.perf_counter() + _TOLD_S
                yield f"loading {recipe.data_title}, {done:,} of {of:,}"

    # ------------------------------------------------------------------ the run

    def run(self) -> Watched:
        """Start the training, or resume it where its folder has a checkpoint."""
        import engine

        assert self._inputs is not None
        operation = self.recipe.operation
        if self._folder is not None:
            operation = operation.model_copy(update={"checkpoint": self._folder.state})
            self._resumed = self._folder.state.exists()
        return Watched(engine.start(operation, self._inputs.classifier, data=self._inputs.train, seed=self.recipe.seed), self)

    def note(self, step: Any, run: Any) -> None:
        """Keep the network of an epoch that has just ended."""
        from engine.defenses.training import EpochFiles

        if self._folder is not None and len(step.history) > len(self.history) and not self._resumed:
            epoch = step.history[-1].epoch
            EpochFiles(self._folder.path).keep(run.operation.present(run.problem), epoch, self.recipe.name)
            self._folder.note(epoch=epoch)
            if self._series is not None:  # for the case that the window is killed
                keep_points(self._folder.path, self._series, (step.total or 0) + 1)
        self._last = step
        # At the end: the window looks for the file of an epoch as soon as it sees the epoch in the history.
        self.history, self._resumed = step.history, False

    def seen(self, _run: Any, step: Any) -> Seen | None:
        """Return the images of a step; None for a pass of the measurement."""
        from gui.session.scene import to_pixels

        if step.clean is None or step.trained is None:
            return None
        clean, trained = ([to_pixels(image) for image in images.clamp(0.0, 1.0)] for images in (step.clean, step.trained))
        return Seen(clean, trained, step.epoch)

    def finish(self, result: Any) -> Trained:
        """Make a classifier of the trained network, test it, and make the record of the training."""
        from engine.defenses import accuracy, classifier_of
        from engine.record import training_record

        assert self._inputs is not None
        model, test, device = result.artifacts["model"], self._inputs.test, self._inputs.classifier.device
        named = replace(model, card={**model.card, "name": self.recipe.name, "seed": self.recipe.seed})
        share = accuracy(classifier_of(named, device=device), test)
        tested_on = f"{test.name} ({len(test):,} images)"
        final = replace(named, card={**named.card, "accuracy": share, "tested_on": tested_on})
        made = _without_checkpoint(result.provenance)
        whole = replace(result, operation=self.recipe.operation, artifacts={**result.artifacts, "model": final}, provenance=made)
        record = training_record(whole, self._last, self._inputs, name=self.recipe.name, accuracy=share)
        whole = replace(whole, provenance={**made, RECORD: record.model_dump(mode="json")})
        epochs = len(model.history.x) if model.history is not None else 0
        return Trained(whole, classifier_of(final, device=device), share, tested_on, epochs, key_of(whole.provenance))

    # ------------------------------------------------------------------ the time that it will take

    def estimating(self) -> Iterator[str]:
        """Load the images, and measure a few steps on a copy; the estimate is then in ``estimate``."""
        from engine.defenses.training import estimating

        self.estimate: Estimate | None = None
        yield from self.prepare()
        assert self._inputs is not None
        bits = estimating(self.recipe.operation, self._inputs.classifier, self._inputs.train, self.recipe.seed)
        while True:
            try:
                done, of = next(bits)
            except StopIteration as end:
                self.estimate = end.value
                return
            yield f"measuring step {done} of {of}"


class Watched:
    """A training's run, whose epochs are kept as they end."""

    def __init__(self, run: Any, making: Making) -> None:
        self._run, self._making = run, making

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        step = next(self._run)
        self._making.note(step, self._run)
        return step

    def close(self) -> None:
        """End the run; its checkpoint is written."""
        self._run.close()

    def result(self) -> Any:
        """Return the network so far."""
        return self._run.result()


def _without_checkpoint(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a training without the file of the window's own, which says nothing about the result."""
    made = dict(provenance)
    operation = dict(made["operation"])
    made["operation"] = {**operation, "parameters": {**operation["parameters"], "checkpoint": None}}
    made.pop("files", None)
    return made


def key_of(provenance: Mapping[str, Any]) -> str:
    """Return a text that is the same for the same training."""
    made = {name: value for name, value in provenance.items() if name != RECORD}
    return hashlib.sha256(json.dumps(made, sort_keys=True, default=str).encode()).hexdigest()[:16]
