"""Command ``gibbon train``: training of a shipped network on its data set, resumed where it was interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import Device, Json, Out, Overwrite, Seed, Threads
from engine.cli.values import argument_of, one_of
from engine.errors import GibbonError

if TYPE_CHECKING:
    from engine.artifacts import Model
    from engine.driver import Run

NETWORKS = (
    "digits",
    "signs",
    "objects",
    "digits-maxout",
    "digits-logistic",
    "digits-cnn",
    "digits-resnet",
    "objects-cnn",
    "objects-alexnet",
)
"""The names of `engine.models.ARCHITECTURES`, written out since importing those takes seconds."""
CONTEXT: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
INTERRUPTED = 130


def command(
    context: typer.Context,
    network: Annotated[
        str | None,
        argument_of(*NETWORKS, help="The network: digits are MNIST's, signs GTSRB's, objects CIFAR-10's.", show_default=False),
    ] = None,
    activation: Annotated[
        str, one_of("relu", "bounded", "bounded-leaky", help="The rectifiers: plain, bounded, or leaky with a trainable bound.")
    ] = "relu",
    data: Annotated[Path | None, typer.Option(help="Folder of the data sets, as torchvision leaves them; else GIBBON_DATA.")] = None,
    data_set: Annotated[str | None, typer.Option(help="Another set than the network's own, as generated:signs.")] = None,
    out: Out = Path(),
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted training stopped.")] = False,
    download: Annotated[bool, typer.Option("--download", help="Fetch the data set if it is missing.")] = False,
    seed: Seed = 0,
    device: Device = None,
    threads: Threads = 1,
    overwrite: Overwrite = False,
    json: Json = False,
    help: Annotated[bool, typer.Option("--help", "-h", help="This, and the options of training.")] = False,
) -> int:
    """Train a network; write its weights (safetensors) and its card (JSON). Ctrl-C keeps the finished epochs for --resume."""
    if help:
        return _help(context)
    if network is None:
        raise GibbonError(f"Train what? Say one of {', '.join(NETWORKS)}.")
    from engine import data as data_sets
    from engine.cli.fields import parse
    from engine.cli.options import chosen_device
    from engine.cli.output import made_folder, refuse_existing, say, say_json
    from engine.defenses import Train, accuracy, classifier_of, save_model
    from engine.driver import start
    from engine.models import ARCHITECTURES
    from engine.record import repeatable

    name = network if activation == "relu" else f"{network}-{activation}"
    weights, checkpoint = out / f"{name}.safetensors", out / f"{name}.unfinished.safetensors"
    refuse_existing([weights, weights.with_suffix(".json")], overwrite)
    _check_resume(checkpoint, resume)
    parameters = {"activation": activation, "checkpoint": checkpoint, **parse(Train, context.args, _own_options(context))}
    operation = Train.build(**parameters)
    architecture = ARCHITECTURES[network]
    chosen = data_set or architecture.data_set
    with repeatable(threads):
        images, test = data_sets.train_and_test(chosen, data, download, seed=seed, size=architecture.input_shape[1:])
        images, test = architecture.images_for(images), architecture.images_for(test)
        untrained = architecture.untrained(device=chosen_device(device), labels=architecture.labels_for(images))
        test.targets_for(untrained.labels, untrained.name)  # refused before the training, not after it
        made_folder(out)
        with start(operation, untrained, data=images, seed=seed) as run:
            finished = _pull(run, operation.title, quiet=json)
            if not finished:
                return _interrupted(checkpoint, name)
            model: Model = run.result().artifacts["model"]  # type: ignore[assignment]
        share = accuracy(classifier_of(model, device=untrained.device), test)
    own = ["--activation", activation, *(["--data-set", data_set] if data_set else []), *context.args, "--seed", str(seed)]
    command = " ".join(["python main.py train", network, *own])
    files = save_model(model, weights, name=name, accuracy=share, tested_on=test.name, seed=seed, command=command)
    checkpoint.unlink(missing_ok=True)
    notes = dict.fromkeys((*images.notes, *test.notes))  # both parts of one set have the same notes, which appear once
    if json:
        say_json({"files": [str(path) for path in files], "accuracy": share, "tested_on": test.name})
    else:
        say(f"{name}: {100 * share:.2f} % right on {test.name} ({len(test)} images)", *notes, *(f"  {path}" for path in files))
    return 0


def _check_resume(checkpoint: Path, resume: bool) -> None:
    if checkpoint.exists() and not resume:
        raise GibbonError(f"An interrupted training waits in “{checkpoint}”. Go on with --resume, or remove that file.")
    if resume and not checkpoint.exists():
        raise GibbonError(f"There is no interrupted training “{checkpoint}”. Leave --resume out, or give the --out of that training.")


def _pull(run: Run, title: str, quiet: bool) -> bool:
    """Run to the end with a progress bar, and return whether the end was reached."""
    from engine.cli.output import every, interruptible, progress
    from engine.defenses import TrainStep

    with interruptible() as interrupt, progress(quiet) as bar:
        task, due = bar.add_task(title, total=None, news=""), every(0.2)
        for step in run:
            assert isinstance(step, TrainStep)
            if not bar.disable and due():
                news = f"epoch {step.epoch}, loss {float(step.loss):.3f}, {100 * float(step.accuracy):.1f} % right"
                bar.update(task, completed=step.index, total=step.total, news=news)
            if interrupt.pressed:
                return False
    return True


def _interrupted(checkpoint: Path, name: str) -> int:
    from engine.cli.output import complain

    if checkpoint.exists():
        complain(f"Cancelled. The finished epochs of {name} are in “{checkpoint}”: the same command with --resume continues it.")
    else:
        complain("Cancelled before the first epoch was finished; nothing is kept.")
    return INTERRUPTED


def _own_options(context: typer.Context) -> list[str]:
    return [option for parameter in context.command.params for option in parameter.opts]


def _help(context: typer.Context) -> int:
    from engine.cli.fields import listed
    from engine.cli.output import say_help
    from engine.defenses import Train

    typer.echo(context.get_help())
    say_help(listed(Train, without=("activation", "checkpoint")))
    return 0
