"""The lines of a script that draw a recorded figure again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from engine.errors import GibbonError
from engine.explain import CATALOGUE
from engine.figures import FigurePlan, explanations_in
from engine.figures.words import CLEAN_IMAGE
from engine.script.literals import call, literal, wrapped_call

NAME = "figure.pdf"
"""The file that the script writes, in the folder where it is run."""


def figure_lines(settings: Mapping[str, Any], result: str, clean: str = "", attacked: str = CLEAN_IMAGE) -> tuple[list[str], set[str]]:
    """Return the lines that draw the figure of a result, with every choice that is not the default, and their imports.

    ``clean`` is the variable of the clean image where the attack began from that with its stickers, and ``attacked`` says so in words.

    Raises
    ------
    GibbonError
        The settings are those of no figure, or of one with an explanation that does not exist here.
    """
    try:
        plan = FigurePlan.of(dict(settings))
    except ValidationError:
        raise GibbonError("The record does not hold the settings of a figure, so no script can draw it. Export the figure again.") from None
    imports = {"from engine import figures"}
    choices = {name: value for name, value in plan.model_dump().items() if value != FigurePlan.model_fields[name].default}
    subject = {} if plan.top == FigurePlan().top else {"top": literal(plan.top)}
    if clean:
        subject["clean"] = clean
    if settings.get("bounds"):
        subject["bounds"] = literal(settings["bounds"])
    explained, more = _explanations(plan, settings.get("explanations", {}))
    if explained:
        subject["explanations"] = explained
    lines = [
        f"plan = {wrapped_call('figures.FigurePlan', **{name: literal(value) for name, value in choices.items()})}",
        f"subject = {call('figures.subject_of', result, **subject)}",
        f"note = {_note(settings, result, plan, attacked)}",
        "figure = plan.figure(subject, note)",
        "made_of = {",
        f'    "model": {{"name": {result}.classifier.name, "fingerprint": {result}.classifier.fingerprint}},',
        f'    "operation": {{"slug": {result}.operation.slug, "parameters": {result}.operation.model_dump(mode="json")}},',
        f'    "seed": {result}.provenance["seed"],',
        "}",
        f'figures.export(figure, "{NAME}", made_of)',
    ]
    return lines, imports | more


def _note(settings: Mapping[str, Any], result: str, plan: FigurePlan, attacked: str) -> str:
    """Return the expression of the small print: the recorded text where there is one."""
    if isinstance(settings.get("note_text"), str):
        return f"(\n    {literal(settings['note_text'])}\n)"
    options = {} if attacked == CLEAN_IMAGE else {"measured_from": literal(attacked)}
    if plan.anonymous:
        options["anonymous"] = "True"
    return call("figures.note_for", result, **options)


def _explanations(plan: FigurePlan, known: Mapping[str, Mapping[str, Any]]) -> tuple[str, set[str]]:
    """Return the expression of the explanations among the panels, each with the parameters that are not the default."""
    made = []
    for explanation in explanations_in(plan.panels):
        kind = CATALOGUE[explanation.slug]
        values = kind.model_validate(known.get(explanation.slug, {})).model_dump()
        given = {name: literal(value) for name, value in values.items() if value != kind.model_fields[name].default}
        made.append(call(f"explain.CATALOGUE[{literal(explanation.slug)}]", **given))
    return (f"[{', '.join(made)}]", {"from engine import explain"}) if made else ("", set())
