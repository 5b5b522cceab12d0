"""Command ``gibbon train``: training of a network on a data set, resumed where it was interrupted, by one process or several."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import AllowCode, Device, Json, Out, Overwrite, Seed, Threads
from engine.cli.values import whole
from engine.errors import GibbonError

if TYPE_CHECKING:
    from engine.defenses import Train

CONTEXT: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
_UNSAID = frozenset({"network", "seed", "data", "out", "resume", "download", "device", "overwrite", "json", "allow_code", "help"})
"""Options that the command on a card leaves out or writes itself: they change no weight, or name a place on one computer."""

Network = Annotated[str | None, typer.Argument(help="A network by its name, torchvision:NAME or FILE.py:FACTORY.", show_default=False)]
From = Annotated[
    str | None, typer.Option("--from", help="Go on from the weights of this model instead: a shipped one, a file, torchvision:NAME.")
]
Set = Annotated[str | None, typer.Option(help="mnist, gtsrb, cifar10, generated:signs, folder:PATH... Without: the network's own.")]


def command(
    context: typer.Context,
    network: Network = None,
    begin: From = None,
    data_set: Set = None,
    preset: Annotated[str | None, typer.Option(help="A published recipe, by words of its title; --help lists them.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data sets, as torchvision leaves them; else GIBBON_DATA.")] = None,
    count: Annotated[int | None, whole(1, help="How many images to train on, spread evenly. Without: all.")] = None,
    test_count: Annotated[int | None, whole(1, help="How many images to test on, spread evenly. Without: all.")] = None,
    attacked_count: Annotated[int, whole(0, help="How many of the test images PGD attacks at the end; 0: none.")] = 500,
    size: Annotated[int | None, whole(1, help="Side of the images in pixels, for torchvision's networks.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the files. Without: network and recipe.")] = None,
    out: Out = Path(),
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted training stopped.")] = False,
    download: Annotated[bool, typer.Option("--download", help="Fetch the data set if it is missing.")] = False,
    seed: Seed = 0,
    device: Device = None,
    threads: Threads = 1,
    overwrite: Overwrite = False,
    json: Json = False,
    allow_code: AllowCode = False,
    help: Annotated[bool, typer.Option("--help", "-h", help="This, the options of training, and the parts of a recipe.")] = False,
) -> int:
    """Train a network; write weights (safetensors), card and record (JSON). Ctrl-C keeps its state for --resume.

    Several processes share each batch: torchrun --nproc-per-node 2 main.py train ... Batch statistics are those of each process's rows.
    """
    if network is not None and network.startswith("-"):  # the parser takes an unknown option for the network
        context.args.insert(0, network)
        network = None
    if help:
        from engine.cli.train_help import show

        return show(context)
    given = network if begin is None else begin
    if given is None or (network is not None and begin is not None):
        raise GibbonError("Train what? Name a network first, such as digits, or a model with --from; “train --help” lists them.")
    from engine.cli.train_run import Files, Work, perform
    from engine.record import TrainingSource

    train = operation(context, preset, fresh=begin is None)
    files = Files(out, name or default_name(given, train))
    files.check(resume, overwrite)
    source = TrainingSource(
        network=given, trained=begin is not None, side=size, data=data_set or "", seed=seed, count=count, test_count=test_count
    )
    written = command_of(context, network, seed)
    return perform(Work(train, source, files, data, download, seed, device, threads, json, allow_code, attacked_count, written))


def operation(context: typer.Context, preset: str | None, fresh: bool) -> Train:
    """Build the training from the preset and from those arguments that are no options of the command."""
    from engine.cli.fields import parse
    from engine.cli.own_options import own_options
    from engine.defenses import Train

    given = parse(Train, context.args, own_options(context))
    for name in ("checkpoint", "fresh"):
        if name in given:
            cure = "the state is kept beside --out" if name == "checkpoint" else "--from goes on from a model's weights"
            raise GibbonError(f"--{name} is no option here: {cure}.")
    published = {} if preset is None else Train.preset(preset).values
    return Train.build(**{"fresh": fresh, **published, **given})


def default_name(source: str, train: Train) -> str:
    """Return the name of the files: network, rectifiers and recipe, as in ``digits-bounded-pgd``."""
    _, colon, last = source.rpartition(":")
    base = last if colon else Path(source).stem
    kind = train.activation if train.activation.startswith("bounded") else ""
    return "-".join(filter(None, (base, kind, *(part.slug for part in train.recipe))))


def command_of(context: typer.Context, network: str | None, seed: int) -> str:
    """Return the command that trains the same weights again, where the data sets are."""
    words = [] if network is None else [network]
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if parameter.name not in _UNSAID and value is not None and value != parameter.default:
            words += [parameter.opts[0], str(value)]
    size = int(os.environ.get("WORLD_SIZE", "1"))
    start = "python main.py" if size < 2 else f"torchrun --nproc-per-node {size} main.py"
    return f"{start} train {shlex.join([*words, *context.args, '--seed', str(seed)])}"
