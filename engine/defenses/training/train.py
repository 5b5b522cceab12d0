"""Training of a classifier's network as an operation: one step is one batch, or one pass of an epoch's measurement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from pydantic import SerializeAsAny, field_validator
from torch import Tensor, nn

from engine.artifacts import Artifact, Model
from engine.classifier import Classifier
from engine.defenses.augmentation import COLOURS, STROKES
from engine.defenses.objectives import NFGSM, RECIPES, Objective, read, words
from engine.defenses.rectifiers import maker, normalises
from engine.defenses.training import checkpoints
from engine.defenses.training.card import card_of
from engine.defenses.training.ending import Ending
from engine.defenses.training.fit import Fit, Phases, Progress
from engine.defenses.training.history import Epoch, curves
from engine.defenses.training.holding_out import split
from engine.defenses.training.measuring import QuickAttack, measured_facts
from engine.defenses.training.presets import PRESETS
from engine.defenses.training.schedule import Schedule
from engine.defenses.training.starting import check_fit, network_of
from engine.errors import GibbonError
from engine.operation import Operation, Problem, Step, Use
from engine.parameters import Preset, budget, data, method, network, result, schedule

SHOWN = 16
"""Images of a batch that a step shows."""
_RATES = {"one-cycle": "one cycle", "steps": "in steps"}


@dataclass(frozen=True, eq=False)
class TrainStep(Step):
    """The step of one batch. A resumed training first repeats the last step of the saved epoch."""

    epoch: int
    """Number of the batch's epoch, counted from 1."""
    history: tuple[Epoch, ...]
    """The finished epochs, the batch's own included where this is its last step."""
    clean: Tensor | None = None
    """The first images of the batch as they came from the data and its augmentation, ``(n, C, H, W)``; None in a measurement."""
    trained: Tensor | None = None
    """The same images as the network was trained on them."""

    @property
    def loss(self) -> Tensor:
        """Mean loss of the newest batch, a scalar on the device."""
        return self.readings["loss"]

    @property
    def accuracy(self) -> Tensor:
        """Accuracy on the newest batch, as it was trained on, before the update of the weights: a scalar on the device."""
        return self.readings["accuracy"]


class Train(Operation):
    """Train the classifier's network on a labelled data set: its cross-entropy, and what the recipe changes and adds.

    The classifier itself stays unchanged: the artifact "model" is a new network with its card and its history. Where several processes were
    started by ``torchrun``, they share every batch.
    """

    slug: ClassVar[str] = "train"
    title: ClassVar[str] = "Train"
    family: ClassVar[str] = "Training"
    uses: ClassVar[frozenset[Use]] = frozenset({"data"})
    presets: ClassVar[tuple[Preset, ...]] = PRESETS

    recipe: tuple[SerializeAsAny[Objective], ...] = method((), parts=RECIPES)
    """The training objectives, in their order: ``gaussian sigma=0.3 + label-smoothing``. Empty: the cross-entropy alone."""
    clean_first: int = schedule(0, ge=0, le=1000, unit="epochs", title="clean epochs first")
    """Number of epochs at the beginning in which the recipe's attacks are left out."""
    clean_last: int = schedule(0, ge=0, le=1000, unit="epochs", title="clean epochs last")
    """Number of epochs at the end in which the recipe's attacks are left out: adversarial training, then clean."""
    activation: Literal["keep", "relu", "bounded", "bounded-leaky"] = network(
        "keep", title="rectifiers", choices={"keep": "kept as they are"}
    )
    """Replace the network's rectifiers by this one: plain, limited to [0, bound] (Liew et al. 2016, arXiv 1707.06728), or leaky with
    a trainable upper bound.
    """
    bound: float | None = network(None, gt=0.0, none="by the activations", when={"activation": ["bounded", "bounded-leaky"]})
    """The upper bound of the activations, or the trainable bound's first value. None: 1 where a layer normalises, else the 99.5 % quantile
    of the first batch.
    """
    slope: float = network(0.01, title="slope of the leak", ge=0.0, le=0.3)
    """Slope of the bounded leaky ReLU below 0, and size of its slope above the bound."""
    sign: Literal[-1, 1] = network(-1, title="above the bound", choices={-1: "falls (-1)", 1: "rises (+1)"})
    """Sign of the bounded leaky ReLU's slope above the bound: -1 decreases (it is not monotone then), +1 rises slowly."""
    fresh: bool = network(True, title="new weights")
    """Start from new random weights. Off: continue from the classifier's own."""
    epochs: int = schedule(20, ge=1, le=1000)
    """Number of passes over all images."""
    batch_size: int = schedule(128, ge=2, le=8192, unit="images")
    """Number of images per step."""
    learning_rate: float = schedule(3e-3, gt=0.0, le=1.0)
    """The highest learning rate."""
    rates: Literal["one-cycle", "constant", "steps"] = schedule("one-cycle", title="rate over time", choices=_RATES)
    """The learning rate rises for a fifth of all steps and then falls as a cosine; or it stays; or it falls to a tenth after half of all
    steps, and again after three quarters.
    """
    optimiser: Literal["adamw", "adam", "sgd"] = schedule("adamw", choices={"adamw": "AdamW", "sgd": "SGD, momentum 0.9"})
    """AdamW with betas 0.9 and 0.99, Adam with torch's own, or SGD with momentum 0.9."""
    weight_decay: float = schedule(0.02, ge=0.0, le=1.0)
    """Decay of kernels towards 0; biases, normalisation and bounds are left alone."""
    patience: int | None = schedule(None, ge=1, le=1000, unit="epochs", none="all epochs")
    """Number of epochs without a better accuracy on the held-out images, after which the training ends. None: it runs to its end."""
    keep: Literal["last", "best"] = result("last", choices={"last": "the last epoch", "best": "the best epoch"}, title="weights kept")
    """The weights of the last epoch, or of the best one on the held-out images: under the quick attack where the recipe attacks, else
    clean.
    """
    mixed_precision: bool = method(True)
    """Compute forward passes in bfloat16 on an accelerator, where that loses little. On the CPU everything is float32."""
    augment: Literal["auto", "none", "strokes", "colours"] = data("auto", title="augmentation", choices={"auto": "automatic"})
    """Random changes of each image in place, size, slant and noise, and in stroke width for grey images ("strokes") or in light and colour
    ("colours"). "auto" takes the one that fits the number of channels.
    """
    held_out: int | None = data(None, ge=0, unit="images", none="a tenth, up to 1,000")
    """Number of images that are kept from the training, on which each epoch is measured. None: a tenth of all, up to 1,000; none where a
    tenth is fewer than 20.
    """
    quick_eps: float | None = budget(None, gt=0.0, le=1.0, unit="of [0, 1]", none="by the recipe", title="quick attack ε")
    """Radius of the L∞ ball of the PGD with 10 steps under which each epoch is measured. None: the eps of the recipe, else 0.3 for grey
    images and 8/255 for coloured ones.
    """
    checkpoint: Path | None = result(None, none="nothing is kept")
    """File for the state after every epoch, and where the training is cancelled (.safetensors). If it exists, training continues from it
    and ends with the same weights as without the interruption.
    """

    @field_validator("recipe", mode="before")
    @classmethod
    def _read_recipe(cls, value: Any) -> tuple[Objective, ...]:
        return read(value)

    def iterate(self, problem: Problem) -> Iterator[TrainStep]:
        """Train batch after batch, epoch after epoch. The network in training is in ``problem.scratch["fit"]``, for `artifacts`."""
        fit, about = self._prepare(problem)
        problem.scratch["fit"] = fit
        ended = self.ending.why(fit.history)
        if fit.history and fit.order is None:
            last = fit.history[-1]
            yield self._step(fit, fit.epoch * fit.steps - 1, fit.epoch, Progress(torch.tensor(last.loss), torch.tensor(last.accuracy)))
        saved = True
        try:
            while fit.epoch < self.epochs and not ended:
                epoch, first, resumed = fit.epoch + 1, fit.epoch * fit.steps, len(fit.done)
                for index, progress in enumerate(fit.epoch_steps(), resumed):
                    saved = False
                    if fit.epoch == epoch:
                        if self.ending.keeps(fit.history):
                            fit.keep()
                        saved = self._save(fit, about)  # before the epoch's last step, so that a run that stops there has the file
                    yield self._step(fit, first + index, epoch, progress)
                ended = self.ending.why(fit.history)
        except GeneratorExit:
            if not saved and fit.is_finite:  # losses are looked at now and then only, and a diverged state must not replace a good one
                self._save(fit, about)
            raise

    def _save(self, fit: Fit, about: Mapping[str, Any]) -> bool:
        """Write the checkpoint, where there is to be one; of several processes the first does it."""
        if self.checkpoint is not None and fit.share.rank == 0:
            checkpoints.save(fit, self.checkpoint, about)
        return True

    @property
    def ending(self) -> Ending:
        """The rules by which the training ends early and keeps weights."""
        return Ending(
            attacked=any(part.adversarial for part in self.recipe),
            stops_at_collapse=any(isinstance(part, NFGSM) and part.stop_at_collapse for part in self.recipe),
            patience=self.patience,
            keeps_best=self.keep == "best",
        )

    def _step(self, fit: Fit, index: int, epoch: int, progress: Progress) -> TrainStep:
        steps, batch = self.epochs * fit.steps, progress.batch
        why = self.ending.why(fit.history) if fit.epoch == epoch else ""
        return TrainStep(
            index,
            steps - 1,
            epoch,
            fit.history,
            None if batch is None else batch.clean[:SHOWN],
            None if batch is None else batch.images[:SHOWN].detach(),
            readings={"loss": progress.loss, "accuracy": progress.accuracy},
            news=f"ended after epoch {epoch} of {self.epochs}: {why}" if why else f"epoch {epoch} of {self.epochs}",
            share_done=(index + 1) / steps,
        )

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the network in evaluation mode with its card and the curve of its epochs; also the curves of activations and bounds."""
        fit: Fit = problem.scratch["fit"]
        module, drawn = fit.trained(), curves(fit.history)
        kept = fit.history[self.ending.kept(fit.history)] if fit.kept is not None and fit.history else None
        model = Model(module, self._card(problem, fit, module, kept), drawn.pop("history"))
        return {"model": model, **drawn}

    def present(self, problem: Problem) -> Model:
        """Return the network of a training in progress as it is now, with its card, whichever weights are kept at the end."""
        fit: Fit = problem.scratch["fit"]
        module = fit.present()
        return Model(module, self._card(problem, fit, module))

    @property
    def described(self) -> str:
        """The recipe as text, such as ``pgd eps=0.3``."""
        return words(self.recipe)

    def quick_attack(self, channels: int) -> QuickAttack:
        """Return the attack under which each epoch is measured."""
        trained = (part.linf_eps for part in self.recipe if part.linf_eps is not None)
        return QuickAttack(self.quick_eps or next(trained, 0.3 if channels == 1 else 8 / 255))

    def _prepare(self, problem: Problem) -> tuple[Fit, dict[str, Any]]:
        """Return the training as its checkpoint holds it, or at its beginning, and what a checkpoint of it says about it."""
        path = self.checkpoint
        if path is not None and not path.parent.is_dir():  # found after an epoch otherwise
            raise GibbonError(f"There is no folder “{path.parent}” for the checkpoint. Make it, or choose another one.")
        fit = self.beginning(problem)
        if path is None:
            return fit, {}
        about = self._about(problem)
        if path.exists():
            checkpoints.load(fit, path, about)
        return fit, about

    def check(self, problem: Problem) -> None:
        """Refuse at once what the first step would refuse, and train nothing: of several processes, all call this together.

        Raises
        ------
        GibbonError
            Network, recipe and images do not fit together, or the checkpoint belongs to another training.
        """
        fit = self.beginning(problem)
        if self.checkpoint is not None and self.checkpoint.exists():
            checkpoints.check(fit, self.checkpoint, self._about(problem))

    def _about(self, problem: Problem) -> dict[str, Any]:
        """Return the facts that a training and its checkpoint must have in common."""
        data = problem.data
        assert data is not None
        return {
            "parameters": {**self.model_dump(mode="json", exclude={"checkpoint"}), "recipe": self.described},
            "seed": _seed_of(problem),
            "seed_given": problem.random.seed,
            "classifier": problem.classifier.whole.fingerprint,
            "data": [data.name, len(data), data.sha256],  # with other images held out, the test would contain training images
        }

    def beginning(self, problem: Problem) -> Fit:
        """Return the training before its first step.

        Raises
        ------
        GibbonError
            There are no images, or network, recipe and images do not fit together.
        """
        classifier, data = problem.classifier.whole, problem.data
        if data is None:
            raise GibbonError("Training needs images: give a data set, data=engine.data.load(...).")
        check_fit(classifier, data)
        seed = _seed_of(problem)
        targets = data.targets_for(classifier.labels, classifier.name)
        training, held_out = split(data.images, targets, self.held_out, self.batch_size, seed)
        rectifier = None if self.activation == "keep" else maker(self.activation, bound=self.bound, slope=self.slope, sign=self.sign)
        network = network_of(classifier, rectifier, self.fresh, seed)
        self._check_recipe(network, min(self.batch_size, len(training)), classifier)
        mean, std = classifier.normalisation
        fit = Fit(
            network,
            training,
            held_out,
            classes=len(classifier.labels),
            mean=mean,
            std=std,
            schedule=Schedule(
                self.epochs,
                self.batch_size,
                self.learning_rate,
                self.weight_decay,
                optimiser=self.optimiser,
                rates=self.rates,
            ),
            recipe=self.recipe,
            phases=Phases(self.clean_first, self.clean_last),
            augment=self._augmentation(data.shape[0]),
            quick=self.quick_attack(data.shape[0]),
            mixed=self.mixed_precision and classifier.device.type != "cpu",
            seed=seed,
        )
        if self.bound is None and (self.fresh or self.activation != "keep") and not normalises(network):
            fit.set_bounds()
        return fit

    def _check_recipe(self, network: nn.Module, batch_size: int, classifier: Classifier) -> None:
        for sentence in self.misfits(network, batch_size, len(classifier.labels), classifier.name).values():
            raise GibbonError(sentence)
        if self.clean_first + self.clean_last > self.epochs:
            clean = self.clean_first + self.clean_last
            raise GibbonError(f"{clean} clean epochs are more than the {self.epochs} epochs of the training: lower them.")

    def misfits(self, network: nn.Module, batch_size: int, classes: int, name: str) -> dict[str, str]:
        """Return why parts of the recipe do not fit a network of that name or its batches: a sentence for each such part, by slug."""
        found: dict[str, str] = {}
        normalised = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules())
        for part in self.recipe:
            try:
                part.check(batch_size, classes)
            except GibbonError as error:
                found[part.slug] = str(error)
            if part.needs_batch_norm and not normalised:
                found[part.slug] = f"{part.title} doubles batch normalisations, and “{name}” has none: choose another recipe or network."
        return found

    def _augmentation(self, channels: int) -> Any:
        kind = self.augment if self.augment != "auto" else ("colours" if channels == 3 else "strokes")
        return {"none": None, "strokes": STROKES, "colours": COLOURS}[kind]

    def _card(self, problem: Problem, fit: Fit, module: nn.Module, kept: Epoch | None = None) -> dict[str, Any]:
        """Return the card of ``module``, whose weights are those of the epoch ``kept``, or of the last one."""
        data = problem.data
        assert data is not None
        changed: dict[str, Any] = {}
        if self.activation != "keep":
            changed = {"activation": self.activation, "slope": self.slope, "sign": self.sign}
        parameters = self.model_dump(mode="json", exclude={"checkpoint"})
        return card_of(
            problem.classifier.whole,
            data,
            module,
            changed,
            images=len(fit.training),
            epochs=fit.epoch,
            recipe=self.described,
            training=parameters,
            **measured_facts(kept or (fit.history[-1] if fit.history else None), fit.quick, len(fit.held_out)),
        )


def _seed_of(problem: Problem) -> int:
    """Return the seed of every draw of a training: the problem's first number."""
    return int(problem.random.anew().integers(2**31 - 1)[0])
