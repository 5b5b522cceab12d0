"""Command ``gibbon attack``: one attack on one image; image, record and figure as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import (
    Activation,
    AllowCode,
    Architecture,
    Defense,
    Device,
    Download,
    HeadKind,
    Json,
    Model,
    Out,
    Overwrite,
    Panels,
    Seed,
    Threads,
    WidthMm,
    chosen_panels,
    class_number,
    loaded,
    rectangle,
)
from engine.cli.values import whole
from engine.errors import GibbonError
from engine.uses import Cure, check_needs, check_unused

if TYPE_CHECKING:
    from torch import Tensor

    from engine.classifier import Classifier
    from engine.data import DataSet
    from engine.defenses.preprocessing import Preprocessing
    from engine.operation import Attack

CONTEXT: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def command(
    context: typer.Context,
    image: Annotated[Path | None, typer.Option(help="The clean image.", show_default=False)] = None,
    model: Model = "signs",
    attack: Annotated[str, typer.Option(help="Which attack; its own fields become options, see --attack NAME --help.")] = "pgd",
    label: Annotated[str | None, typer.Option(help="True class, by name or number. Without: the model's own prediction, said so.")] = None,
    target: Annotated[str | None, typer.Option(help="Class to reach, by name or number. Without: away from the label.")] = None,
    mask: Annotated[Path | None, typer.Option(help="Image of the model's size: white may change, black stays.")] = None,
    sticker: Annotated[list[str] | None, typer.Option(help="Rectangle left,top,width,height that may change; can be repeated.")] = None,
    crop: Annotated[
        str | None, typer.Option(help="left,top,width,height in the image's pixels, or: published. Without: the largest in the middle.")
    ] = None,
    defense: Defense = None,
    preset: Annotated[
        str | None, typer.Option(help="A published setting of the attack, by a part of its title; --help lists them.")
    ] = None,
    start: Annotated[Path | None, typer.Option(help="A second image, for attacks that start from one.")] = None,
    data_set: Annotated[
        str | None, typer.Option(help="For attacks that work on many images: mnist, gtsrb:train, generated:signs, folder:PATH...")
    ] = None,
    data_count: Annotated[int | None, whole(1, help="How many of its images, spread evenly. Without: all.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data sets, as torchvision leaves them; else GIBBON_DATA.")] = None,
    transfer: Annotated[str | None, typer.Option(help="Further models, comma between: what do they say of the result?")] = None,
    seed: Seed = 0,
    out: Out = Path(),
    device: Device = None,
    threads: Threads = 1,
    panels: Panels = None,
    width_mm: WidthMm = 85.0,
    arrays: Annotated[bool, typer.Option("--arrays", help="Write clean, adversarial, perturbation, logits and mask as .npz, too.")] = False,
    overwrite: Overwrite = False,
    json: Json = False,
    architecture: Architecture = None,
    activation: Activation = None,
    head: HeadKind = "logits",
    download: Download = False,
    allow_code: AllowCode = False,
    help: Annotated[bool, typer.Option("--help", "-h", help="This, and the options of the attack that --attack names.")] = False,
) -> int:
    """Attack one image; write the adversarial PNG, its record (JSON) and a figure (PDF)."""
    if help:
        return help_of(context, attack)
    if image is None:
        raise GibbonError("Which image? Give it with --image FILE.")
    from engine.cli.artifacts import shown
    from engine.cli.crops import chosen_crop
    from engine.cli.output import say, say_artifact, say_json
    from engine.cli.request import AttackRequest, Output, perform
    from engine.images import open_image
    from engine.record import ModelOptions, repeatable

    operation = build_attack(context, attack, preset, target)
    steps = preprocessing(defense)
    given = {"targets": target, "mask": mask or sticker or None, "data": data_set, "start": start}
    check_unused(operation, given, _CURES)
    check_needs(operation, given, _CURES)
    photograph = open_image(image)  # before the model, which takes long to load, so that a wrong path is reported at once
    with repeatable(threads):
        options = ModelOptions(architecture=architecture, activation=activation, head=head)
        classifier = loaded(model, device, allow_code, options, download)
        others = [loaded(name.strip(), device, allow_code, None, download) for name in (transfer or "").split(",") if name.strip()]
        if options == ModelOptions():  # the attacked model is already loaded
            others = [other for other in others if other.fingerprint != classifier.fingerprint]
        shown_panels, left_out = chosen_panels(panels, classifier)
        part_used, remarks = chosen_crop(crop, photograph, classifier)
        done = perform(
            AttackRequest(
                classifier=classifier,
                defense=steps,
                attack=operation,
                photograph=photograph,
                crop=part_used,
                label=None if label is None else class_number(label, classifier.labels, "label"),
                target=None if target is None else class_number(target, classifier.labels, "target"),
                mask=region(classifier, mask, sticker or []),
                mask_path=mask if not sticker else None,
                start=None if start is None else open_image(start).crop_to(classifier, None),
                data=None if data_set is None else load_data(data_set, data_count, data, seed, download),
                others=others,
                seed=seed,
            ),
            Output(out, f"{image.stem}-{operation.slug}", shown_panels, (*remarks, *left_out), width_mm, arrays, overwrite, quiet=json),
        )
    if json:
        say_json(done.json())
    else:
        say(*done.sentences())
        for found in shown(done.artifacts):
            if isinstance(found, str):
                say(f"  {found}")
            else:
                say_artifact(found)
        if done.transfer is not None:
            say_artifact(done.transfer)
    return done.code


def preprocessing(text: str | None) -> tuple[Preprocessing, ...]:
    """Return the steps that ``--defense`` names, with the gradient of an attacker who knows them.

    Raises
    ------
    GibbonError
        A step is unknown or has a wrong parameter.
    """
    if text is None:
        return ()
    from engine.defenses.preprocessing import read
    from engine.evaluate.knowing import known_to_the_attacker

    return known_to_the_attacker(read(text))


def region(classifier: Classifier, mask: Path | None, stickers: list[str]) -> Tensor | None:
    """Return the mask ``(1, H, W)`` of a mask file and rectangles together; None where there is neither.

    Raises
    ------
    GibbonError
        A rectangle is outside the image.
    """
    if mask is None and not stickers:
        return None
    import torch

    from engine.record import read_mask
    from engine.stickers import Sticker, coverage

    _, height, width = classifier.input_shape
    covered = torch.zeros(1, height, width) if mask is None else read_mask(mask, classifier)
    for text in stickers:
        part = coverage(Sticker(0, *rectangle(text, "sticker")), height, width)
        if not bool(part.any()):
            raise GibbonError(f"The sticker {text} covers no pixel of the image of {width} × {height}. Move it inside.")
        covered = torch.maximum(covered, part)
    return covered


_CURES: dict[str, Cure] = {
    "targets": Cure("Name one with --target.", "Leave --target out."),
    "mask": Cure("Give --sticker left,top,width,height or --mask FILE.", "Leave --mask and --sticker out."),
    "data": Cure("Name one with --data-set.", "Leave --data-set out."),
    "start": Cure("Give one with --start FILE.", "Leave --start out."),
}
"""Advice on the command line for inputs that an attack lacks or does not use."""


def build_attack(context: typer.Context, slug: str, preset: str | None, target: str | None) -> Attack:
    """Build the attack from the preset and from those arguments that are no options of the command."""
    from engine.cli.fields import parse
    from engine.cli.own_options import own_options

    kind = _kind(slug)
    given = parse(kind, context.args, own_options(context))
    return kind.build(**{**_preset(kind, preset, target), **given})


def _preset(kind: type[Attack], wanted: str | None, target: str | None) -> dict[str, Any]:
    if wanted is None:
        return {}
    preset = kind.preset(wanted)
    if "targets" in preset.needs and target is None:
        raise GibbonError(f"The preset “{preset.title}” needs a class to reach. Name one with --target.")
    return dict(preset.values)


def load_data(name: str, count: int | None, root: Path | None, seed: int, download: bool) -> DataSet:
    """Load a data set by its name on the command line, such as the one that an attack learns from."""
    from engine import data as data_sets

    stem, split = data_sets.parse_name(name)
    return data_sets.load(stem, split, root, download, count=count, seed=seed)


def _kind(slug: str) -> type[Attack]:
    from engine.attacks import CATALOGUE
    from engine.text.nearest import nearest

    if slug not in CATALOGUE:
        close = nearest(slug, CATALOGUE, 0.5)
        raise GibbonError(f"There is no attack “{slug}”. {f'Did you mean {close}? ' if close else ''}There is: {', '.join(CATALOGUE)}.")
    return CATALOGUE[slug]


def help_of(context: typer.Context, slug: str) -> int:
    """Print the command's help and the options of an attack."""
    from engine.attacks import CATALOGUE
    from engine.cli.fields import listed
    from engine.cli.output import say_help

    kind = _kind(slug)
    typer.echo(context.get_help())
    say_help(listed(kind))
    if kind.presets:
        say_help("", "Presets: " + "; ".join(preset.title for preset in kind.presets))
    say_help("", "Attacks: " + ", ".join(f"{name} ({attack.title})" for name, attack in CATALOGUE.items()))
    return 0
