"""Command ``gibbon evaluate trust``: the signs that an attack's number on a model cannot be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.evaluate.common import INTERRUPTED, Root, loaded_behind
from engine.cli.options import AllowCode, Device, Download, Json, Seed, Threads, class_number
from engine.cli.values import whole
from engine.errors import GibbonError

if TYPE_CHECKING:
    from engine.classifier import Classifier
    from engine.data import DataSet
    from engine.driver import Run
    from engine.evaluate.trust import Light, TrustLights


def command(
    context: typer.Context,
    model: Annotated[
        str | None, typer.Argument(help="The model; “signs + jpeg quality=75” has a defense.", metavar="MODEL", show_default=False)
    ] = None,
    attack: Annotated[str, typer.Option(help="The attack whose number is questioned; its own fields become options.")] = "pgd",
    preset: Annotated[str | None, typer.Option(help="A published setting of the attack, by a part of its title.")] = None,
    data_set: Annotated[str | None, typer.Option(help="The images: mnist, gtsrb:train, generated:signs, folder:PATH...")] = None,
    count: Annotated[int | None, whole(1, help="How many of the images, spread evenly. Without: all.")] = None,
    image: Annotated[Path | None, typer.Option(help="One image in place of a data set.")] = None,
    label: Annotated[str | None, typer.Option(help="True class of --image, by name or number. Without: the prediction.")] = None,
    transfer: Annotated[
        str | None, typer.Option(help="Model for the attack by transfer. Without: the model without its defense, if it has one.")
    ] = None,
    queries: Annotated[int, whole(1, 1_000_000, help="Queries of Square for each image.")] = 500,
    draws: Annotated[int, whole(2, 100_000, help="Random changes of each image around which its answers are compared.")] = 100,
    data: Root = None,
    seed: Seed = 0,
    device: Device = None,
    threads: Threads = 1,
    json: Json = False,
    download: Download = False,
    allow_code: AllowCode = False,
    help: Annotated[bool, typer.Option("--help", "-h", help="This, and the options of the attack that --attack names.")] = False,
) -> int:
    """Look for eight signs of gradient masking and six of a failed attack; say what each means and what to do. Ctrl-C keeps those found."""
    from engine.cli.attack import build_attack, help_of, load_data

    if help:
        return help_of(context, attack)
    if model is None or model.startswith("--"):
        raise GibbonError("Which model? Name one: evaluate trust signs --attack pgd --data-set gtsrb.")
    if (data_set is None) == (image is None):
        raise GibbonError("Which images? Give either --data-set, such as generated:signs, or --image FILE.")
    from engine.evaluate.trust import TrustLights
    from engine.record import repeatable

    evaluation = TrustLights.of(build_attack(context, attack, preset, None), queries=queries, draws=draws)
    with repeatable(threads):
        classifier, sources = _models(model, transfer, device, allow_code, download)
        if image is not None:
            run = _on_image(evaluation, classifier, sources, image, label, seed)
        else:
            run = _on_set(evaluation, classifier, sources, load_data(data_set or "", count, data, seed, download), seed)
        lights, finished = _pull(run, quiet=json)
    _say(evaluation, classifier, lights, json)
    return 0 if finished else INTERRUPTED


def _models(
    text: str, transfer: str | None, device: str | None, allow_code: bool, download: bool
) -> tuple[Classifier, tuple[Classifier, ...]]:
    """Return the model, and the one from which images are transferred to it."""
    from engine.evaluate.defended import split

    classifier = loaded_behind(text, device, allow_code, download)
    source, defense = split(text)
    other = transfer or (source if defense else None)
    return classifier, () if other is None else (loaded_behind(other, device, allow_code, download),)


def _on_image(
    evaluation: TrustLights, classifier: Classifier, sources: tuple[Classifier, ...], image: Path, label: str | None, seed: int
) -> Run:
    import torch

    from engine.driver import start
    from engine.images import open_image

    clean = open_image(image).crop_to(classifier, None)[None]
    labels = None if label is None else torch.tensor([class_number(label, classifier.labels, "label")])
    return start(evaluation, classifier, clean, labels, models=sources, seed=seed)


def _on_set(
    evaluation: TrustLights,
    classifier: Classifier,
    sources: tuple[Classifier, ...],
    images: DataSet,
    seed: int,
) -> Run:
    from engine.driver import start
    from engine.evaluate.transfer import as_taken, images_of

    taker = as_taken(classifier, images.shape)
    if taker is None:
        takes, has = images_of(classifier.input_shape[0]), images_of(images.shape[0])
        raise GibbonError(f"“{classifier.name}” takes {takes}, “{images.name}” has {has}. Choose a model for such images.")
    return start(evaluation, taker, data=images, models=sources, seed=seed)


def _pull(run: Run, quiet: bool) -> tuple[tuple[Light, ...], bool]:
    """Run to the end, or to Ctrl-C; return the lights, and whether the end was reached."""
    from engine.cli.output import every, interruptible, progress
    from engine.evaluate.trust import TrustStep

    lights: tuple[Light, ...] = ()
    with run, interruptible() as interrupt, progress(quiet) as bar:
        task, due = bar.add_task(run.operation.title, total=1000, news=""), every(0.1)
        for step in run:
            assert isinstance(step, TrustStep)
            lights = step.lights
            if not bar.disable and due():
                bar.update(task, completed=round(1000 * (step.share_done or 0)), news=step.news)
            if interrupt.pressed:
                return lights, False
    return lights, True


def _say(evaluation: TrustLights, classifier: Classifier, lights: tuple[Light, ...], json: bool) -> None:
    from engine.artifacts import Table
    from engine.cli.output import say, say_artifact, say_json
    from engine.evaluate.trust import caveat

    attack = evaluation.attacking
    said: dict[str, Any] = {"model": classifier.name, "fingerprint": classifier.fingerprint, "attack": attack.slug}
    beside = caveat(attack, lights)
    if json:
        parameters = attack.model_dump(mode="json")
        say_json({**said, "parameters": parameters, "caveat": beside, "lights": [light.plain() for light in lights]})
        return
    rows = tuple((light.state, light.sign.title, light.sign.kind, light.measured) for light in lights)
    title = f"Can {attack.title} on “{classifier.name}” be trusted?"
    say_artifact(Table(("", "sign", "of", "measured"), rows, title))
    say("", *(f"{light.sign.title}: {light.sign.meaning} {light.sign.cure}" for light in lights if light.on))
    say(beside or "No light is on: nothing that was measured speaks against the number.")
