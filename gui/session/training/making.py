"""The engine's work for one training of the window. Its methods are called in the lane's thread."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gui.session.training.recipe import Recipe

if TYPE_CHECKING:
    from engine import Classifier
    from engine.data import DataSet
    from engine.defenses.training import Epoch, Estimate
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
    """The data set that was loaded last, so that a training need not load again what its time was measured with."""

    def __init__(self) -> None:
        self.key: tuple[Any, ...] = ()
        self.data: tuple[DataSet, DataSet] | None = None


class Making:
    """Loads the images, builds the network, and makes the run."""

    def __init__(self, recipe: Recipe, loaded: Loaded, folder: TrainingFolder | None = None) -> None:
        self.recipe, self._folder, self._loaded = recipe, folder, loaded
        self._data: tuple[DataSet, DataSet] | None = None
        self._untrained: Classifier | None = None
        self.history: tuple[Epoch, ...] = ()
        """The finished epochs. It may be read in any thread."""
        self._resumed = False
        """Whether no step was seen yet of a training that was resumed: its first one repeats an epoch that was kept."""

    @property
    def channels(self) -> int:
        """The channels of the network's images; 3 until the network to start from is loaded."""
        from engine.models import ARCHITECTURES

        known = self._untrained or self.recipe.classifier
        if known is not None:
            return known.native_shape[0]
        return ARCHITECTURES[self.recipe.architecture].input_shape[0] if self.recipe.architecture else 3

    # ------------------------------------------------------------------ before the first step

    def prepare(self) -> Iterator[str]:
        """Load the images to train on and those to test on."""
        recipe = self.recipe
        if recipe.start.get("source"):
            yield f"loading {recipe.start.get('name', 'the model')}"
        self._untrained = self._started()
        key = (recipe.data, recipe.root, recipe.seed, self._size(), recipe.count)
        if self._loaded.key == key:
            self._data = self._loaded.data
        else:
            yield from self._load()
            self._loaded.key, self._loaded.data = key, self._data
        self._fit()

    def _started(self) -> Classifier | None:
        """Return the network to start from; None: a new one."""
        from engine import models
        from engine.errors import GibbonError

        recipe, start = self.recipe, self.recipe.start
        if recipe.architecture or recipe.classifier is not None:
            return recipe.classifier
        if not start.get("source"):
            raise GibbonError(f"The network “{start.get('name', '')}” that this training began from was never saved: begin it anew.")
        if models.runs_code(str(start["source"])):
            raise GibbonError(f"The network that this training began from is made by code, {start['source']}: open it, and begin anew.")
        return models.load(str(start["source"]), device=recipe.device, **start.get("options", {}))

    def _size(self) -> tuple[int, ...]:
        from engine.models import ARCHITECTURES

        shape = ARCHITECTURES[self.recipe.architecture].input_shape if self._untrained is None else self._untrained.native_shape
        return tuple(shape[1:])

    def _load(self) -> Iterator[str]:
        from engine.data import loading_train_and_test

        recipe, (height, width) = self.recipe, self._size()
        bits = loading_train_and_test(
            recipe.data, recipe.root, seed=recipe.seed, size=(height, width), count=recipe.count, test_count=min(recipe.count, TEST_IMAGES)
        )
        told = time.perf_counter()
        while True:
            try:
                done, of = next(bits)
            except StopIteration as end:
                self._data = end.value
                return
            if time.perf_counter() >= told:
                told = time.perf_counter() + _TOLD_S
                yield f"loading {recipe.data_title}, {done:,} of {of:,}"

    def _fit(self) -> None:
        """Build the network for the images, and refuse a test that would fail after the training."""
        from engine.models import ARCHITECTURES

        assert self._data is not None
        images, test = self._data
        if self._untrained is None:
            architecture = ARCHITECTURES[self.recipe.architecture]
            images, test = architecture.images_for(images), architecture.images_for(test)
            self._untrained = architecture.untrained(device=self.recipe.device, labels=architecture.labels_for(images))
        test.targets_for(self._untrained.labels, self._untrained.name)
        self._data = images, test

    # ------------------------------------------------------------------ the run

    def run(self) -> Watched:
        """Start the training, or resume it where its folder has a checkpoint."""
        import engine

        assert self._data is not None
        assert self._untrained is not None
        operation = self.recipe.operation
        if self._folder is not None:
            operation = operation.model_copy(update={"checkpoint": self._folder.state})
            self._resumed = self._folder.state.exists()
        return Watched(engine.start(operation, self._untrained, data=self._data[0], seed=self.recipe.seed), self)

    def note(self, step: Any, run: Any) -> None:
        """Keep the network of an epoch that has just ended."""
        from engine.defenses.training import EpochFiles

        if self._folder is not None and len(step.history) > len(self.history) and not self._resumed:
            epoch = step.history[-1].epoch
            EpochFiles(self._folder.path).keep(run.operation.present(run.problem), epoch, self.recipe.name)
            self._folder.note(epoch=epoch)
        # Last: the window looks for the file of an epoch as soon as it sees the epoch in the history.
        self.history, self._resumed = step.history, False

    def seen(self, _run: Any, step: Any) -> Seen | None:
        """Return the images of a step; None for a pass of the measurement."""
        from gui.session.scene import to_pixels

        if step.clean is None or step.trained is None:
            return None
        clean, trained = ([to_pixels(image) for image in images.clamp(0.0, 1.0)] for images in (step.clean, step.trained))
        return Seen(clean, trained, step.epoch)

    def finish(self, result: Any) -> Trained:
        """Make a classifier of the trained network, and test it."""
        from engine.defenses import accuracy, classifier_of

        assert self._data is not None
        assert self._untrained is not None
        model, (_, test) = result.artifacts["model"], self._data
        facts = {"name": self.recipe.name, "seed": self.recipe.seed}
        named = replace(model, card={**model.card, **facts})
        classifier = classifier_of(named, device=self._untrained.device)
        share = accuracy(classifier, test)
        tested_on = f"{test.name} ({len(test):,} images)"
        card = {**named.card, "accuracy": share, "tested_on": tested_on}
        final = replace(named, card=card)
        made = _without_checkpoint(result.provenance)
        whole = replace(result, operation=self.recipe.operation, artifacts={**result.artifacts, "model": final}, provenance=made)
        epochs = len(model.history.x) if model.history is not None else 0
        return Trained(whole, classifier_of(final, device=self._untrained.device), share, tested_on, epochs, key_of(made))

    # ------------------------------------------------------------------ the time that it will take

    def estimating(self) -> Iterator[str]:
        """Load the images, and measure a few steps on a copy; the estimate is then in ``estimate``."""
        from engine.defenses.training import estimating

        self.estimate: Estimate | None = None
        yield from self.prepare()
        assert self._data is not None
        assert self._untrained is not None
        bits = estimating(self.recipe.operation, self._untrained, self._data[0], self.recipe.seed)
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
    """Return a text that is the same for the same record."""
    return hashlib.sha256(json.dumps(dict(provenance), sort_keys=True, default=str).encode()).hexdigest()[:16]
