"""One training from its inputs to its files, in one process or in several that ``torchrun`` started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.artifacts import Model
from engine.bits import Bits
from engine.cli.fields import fields_as_options
from engine.cli.options import ask_for_code, chosen_device
from engine.cli.output import complain, every, interruptible, made_folder, progress, refuse_existing, say, say_json
from engine.cli.processes import own_device, together
from engine.defenses import Train, TrainStep, accuracy, classifier_of, estimating, save_model
from engine.defenses.training import Epoch
from engine.defenses.training.sharing import own_share
from engine.driver import Run, start
from engine.errors import Diverged, GibbonError
from engine.evaluate.under_attack import UnderAttack, under_pgd
from engine.models import runs_code
from engine.record import TrainingInputs, TrainingSource, loading_inputs, repeatable, training_record
from engine.text.formatting import counted, duration, format_share

INTERRUPTED = 130
_SHORT = 60
"""Steps of a training below which its time is not estimated: the estimate would take as long."""


@dataclass(frozen=True)
class Files:
    """The files of a training: weights, card, record, and the state while it is unfinished."""

    folder: Path
    name: str

    @property
    def weights(self) -> Path:
        """The weights; the card lies beside them as ``.json``."""
        return self.folder / f"{self.name}.safetensors"

    @property
    def record(self) -> Path:
        """The record, from which `replay` and `script` train again."""
        return self.folder / f"{self.name}.training.json"

    @property
    def checkpoint(self) -> Path:
        """The state of an unfinished training."""
        return self.folder / f"{self.name}.unfinished.safetensors"

    def check(self, resume: bool, overwrite: bool) -> None:
        """Refuse to write over a trained network, to forget an unfinished training, and to resume one that is not there.

        Raises
        ------
        GibbonError
            One of these is the case.
        """
        refuse_existing([self.weights, self.weights.with_suffix(".json"), self.record], overwrite)
        if self.checkpoint.exists() and not resume:
            raise GibbonError(f"An interrupted training waits in “{self.checkpoint}”. Go on with --resume, or remove that file.")
        if resume and not self.checkpoint.exists():
            raise GibbonError(
                f"There is no interrupted training “{self.checkpoint}”. Leave --resume out, or give the --out of that training."
            )


@dataclass(frozen=True)
class Work:
    """A training with everything that the command line says about it."""

    train: Train
    source: TrainingSource
    files: Files
    data_root: Path | None
    download: bool
    seed: int
    device: str | None
    threads: int
    json: bool
    allow_code: bool
    attacked_count: int
    command: str


def perform(work: Work) -> int:
    """Train, test, and write the files; the first of several processes alone writes and prints. Return the exit code."""
    with together() as first, repeatable(work.threads):
        quiet = work.json or not first
        device = own_device(work.device)
        if not first:  # the first one may have to fetch the images
            own_share().all_of(None)
        inputs = _inputs(work, device, quiet)
        if first:
            own_share().all_of(None)
        train = work.train.model_copy(update={"checkpoint": work.files.checkpoint})
        with fields_as_options(Train), start(train, inputs.classifier, data=inputs.train, seed=work.seed) as run:
            train.check(run.problem)  # before a folder is made and the time is measured
        if first:
            made_folder(work.files.folder)
        own_share().all_of(None)
        _say_estimate(train, inputs, work, quiet)
        try:
            with start(train, inputs.classifier, data=inputs.train, seed=work.seed) as run:
                finished = _pull(run, train, inputs, quiet)
        except Diverged as error:
            raise GibbonError(_rescued(train, inputs, work, first, error)) from None
        if not first:
            return 0 if finished else INTERRUPTED
        return _written(run, inputs, work) if finished else _interrupted(run, work.files)


def _inputs(work: Work, device: str | None, quiet: bool) -> TrainingInputs:
    """Load network and images; a user's code runs after the user was asked."""
    chosen = str(chosen_device(device))
    if runs_code(work.source.network) and not work.allow_code:
        ask_for_code(work.source.network)
    made = loading_inputs(work.source, root=work.data_root, device=chosen, download=work.download, allow_code=True, load=_load)
    inputs: TrainingInputs = _with_bar(made, "images", quiet)
    return inputs


def _load(source: str, device: str, options: Any) -> Any:
    from engine import models

    return models.load(
        source, device=device, architecture=options.architecture, activation=options.activation, head=options.head, allow_code=True
    )


def _with_bar(bits: Bits[Any], what: str, quiet: bool) -> Any:
    """Run work in small steps to its end with a progress bar; Ctrl-C ends it."""
    with interruptible() as interrupt, progress(quiet) as bar:
        task = bar.add_task(what, total=None, news="")
        while True:
            try:
                done, of = next(bits)
            except StopIteration as end:
                return end.value
            bar.update(task, completed=done, total=of)
            if interrupt.pressed:
                bits.close()
                raise KeyboardInterrupt


def _say_estimate(train: Train, inputs: TrainingInputs, work: Work, quiet: bool) -> None:
    """Print how long the training will take. Several processes estimate together."""
    batches = train.epochs * max(1, len(inputs.train) // train.batch_size)
    if batches < _SHORT or work.json:
        return
    try:
        found = _with_bar(estimating(train, inputs.classifier, inputs.train, work.seed), "estimate", quiet)
    except Diverged:  # its batches are others than those of the training, which says itself where it diverges
        return
    if not quiet:
        complain(f"Training {work.files.name} on {inputs.train.name} ({counted(len(inputs.train), 'image')}) takes {found.words}.")


def _pull(run: Run, train: Train, inputs: TrainingInputs, quiet: bool) -> bool:
    """Run to the end with a progress bar and a line for each epoch, and return whether the end was reached."""
    attack = train.quick_attack(inputs.train.shape[0]).words
    share = own_share()
    with interruptible() as interrupt, progress(quiet) as bar:
        task, due, told = bar.add_task(train.title, total=None, news=""), every(0.2), 0
        for step in run:
            assert isinstance(step, TrainStep)
            if not bar.disable and due():
                bar.update(task, completed=step.index, total=step.total, news=_news(step, attack))
            for epoch in step.history[told:] if not quiet else ():
                bar.console.print(_line(epoch, train.epochs, attack), highlight=False, soft_wrap=True)
            told = len(step.history)
            if _pressed(interrupt.pressed, share.size > 1, inputs.classifier.device):
                return False
    return True


def _pressed(here: bool, shared: bool, device: torch.device) -> bool:
    """Return whether Ctrl-C was pressed, in any of the processes: they end at the same step."""
    if not shared:
        return here
    return bool(own_share().largest(torch.tensor(float(here), device=device)))


def _news(step: TrainStep, attack: str) -> str:
    news = f"epoch {step.epoch}, loss {float(step.loss):.3f}, {format_share(float(step.accuracy))} right"
    return news + (f"; {_held_out(step.history[-1], attack)}" if step.history else "")


def _line(epoch: Epoch, epochs: int, attack: str) -> str:
    """Return the line of a finished epoch."""
    parts = [f"loss {epoch.loss:.4f}", f"{format_share(epoch.accuracy)} right", _held_out(epoch, attack), duration(epoch.seconds)]
    return f"epoch {epoch.epoch} of {epochs}: {', '.join(filter(None, parts))}"


def _held_out(epoch: Epoch, attack: str) -> str:
    if epoch.clean is None:
        return ""
    attacked = "" if epoch.attacked is None else f", {format_share(epoch.attacked)} under {attack}"
    return f"held out {format_share(epoch.clean)}{attacked}"


def _interrupted(run: Run, files: Files) -> int:
    step = run.last
    assert isinstance(step, TrainStep)
    complain(f"Cancelled in epoch {step.epoch}. Its state is in “{files.checkpoint}”: the same command with --resume continues it.")
    return INTERRUPTED


def _rescued(train: Train, inputs: TrainingInputs, work: Work, first: bool, error: Diverged) -> str:
    """Write the network of the last good epoch, where there is one, and return the sentence about a training that diverged.

    A training that is resumed repeats the last step of the saved epoch first, so that this is the run whose files are written. Its
    record replays to that step.
    """
    files = work.files
    anew = f"{error.what} Train anew with a lower --learning-rate"
    if not files.checkpoint.exists():
        return f"{anew}: no epoch had ended, so nothing was saved."
    with start(train, inputs.classifier, data=inputs.train, seed=work.seed) as run:
        try:
            step = next(run)
        except Diverged:
            step = None
    if not isinstance(step, TrainStep) or step.index + 1 != len(step.history) * run.problem.scratch["fit"].steps:
        return f"{anew}. The state from which it started is in “{files.checkpoint}”; remove that file first, or give another --name."
    own_share().all_of(None)  # all have read the unfinished state, which the first one removes now
    if first:
        _written(run, inputs, work)
    kept = train.ending.kept(step.history) + 1
    return f"{anew}, and with --overwrite or another --name: “{files.weights}” now holds the network of epoch {kept}, the last good one."


def _written(run: Run, inputs: TrainingInputs, work: Work) -> int:
    """Test the network, write its files, and say what came out."""
    files, test = work.files, inputs.test
    result = run.result()
    model = result.artifacts["model"]
    assert isinstance(model, Model)
    trained = classifier_of(model, device=inputs.classifier.device)
    share, under = accuracy(trained, test), _under_attack(trained, inputs, work)
    tested: dict[str, Any] = {"accuracy": share}
    if under is not None:
        tested |= {"attacked": under.accuracy, "attack": under.attack}
    processes = own_share().size
    record = training_record(
        result, run.last, inputs, name=files.name, folder=files.folder, command=work.command, processes=processes, **tested
    )
    made = save_model(model, files.weights, name=files.name, **tested, tested_on=test.name, seed=work.seed, command=work.command)
    written = [*made, record.write(files.record)]
    files.checkpoint.unlink(missing_ok=True)
    notes = dict.fromkeys((*inputs.train.notes, *test.notes))  # both parts of one set have the same notes, which appear once
    if work.json:
        say_json({"files": [str(path) for path in written], **tested, "tested_on": test.name})
        return 0
    attacked = [] if under is None else [f"  {under.words}: a quick figure, and no proof of robustness"]
    say(f"{files.name}: {100 * share:.2f} % right on {test.name} ({len(test)} images)", *attacked, *notes)
    say(*(f"  {path}" for path in written))
    return 0


def _under_attack(trained: Any, inputs: TrainingInputs, work: Work) -> UnderAttack | None:
    if not work.attacked_count:
        return None
    eps = work.train.quick_attack(inputs.train.shape[0]).eps
    found: UnderAttack = _with_bar(under_pgd(trained, inputs.test, eps, count=work.attacked_count, seed=work.seed), "attack", work.json)
    return found
