"""RunFacts: a finished run in words and numbers, for its card, the details and comparisons. No Qt; computed once per run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from engine.text.formatting import format_linf, format_number, run_title, short
from engine.text.formatting import format_probability as percent
from gui.session.attack_verdict import Verdict, began_words, measured_from, verdict_of_run
from gui.session.defense import defense_words
from gui.session.history import AttackRun
from gui.session.scene import to_pixels
from gui.session.setting_words import REGIONS, crop_words
from gui.session.training.run import is_training, shorter_verdicts

if TYPE_CHECKING:
    import numpy as np

    from engine import AttackResult, Operation
    from gui.session.history import FinishedRun

Forms = tuple[str, ...]
"""One text in several lengths, the longest first."""
_PROBABILITY = re.compile(r" (?:[<>] )?[\d.]+ %")
Sign = Literal["success", "already", "none", "error", ""]
"""The verdict on a run: see `gui.session.attack_verdict.Kind`; empty for a run without a verdict."""
SIGNS: Mapping[Sign, tuple[str, str]] = {
    "success": ("✓", "success"),
    "already": ("–", "no success of its own: so it was before the attack"),
    "none": ("–", "no success"),
    "error": ("!", "the model gave NaN"),
    "": ("", ""),
}
"""The sign of each verdict, and its words."""
_SUCCESS = {"success": "yes", "already": "no: so it was before the attack", "none": "no", "error": "no: the model gave NaN"}


@dataclass(frozen=True, eq=False)
class RunFacts:
    """The facts about one run that the dock shows."""

    number: int
    title: str
    """The run's number and the operation, such as ``#4 PGD``."""
    short_titles: Forms
    """Shorter forms of the title for a narrow card; empty if there are none."""
    attack: str
    budget: str
    """The run's eps and steps, if it has them, such as ``8/255 · 40 steps``; an iterate has the steps in its title."""
    outcome: str
    """The result, such as ``Stop 99.9 % → Yield 88.0 %``, or the verdict in words."""
    sign: Sign
    sizes: tuple[str, ...]
    """The norms and what they are measured from, such as ``L2 1.53, L∞ 8/255 from the clean image``, from the longest form to the
    shortest; empty if they have no meaning."""
    time: str
    """When the run ended, and the seconds inside the operation."""
    device: str
    parameters: Mapping[str, str]
    figures: Mapping[str, str]
    provenance: Mapping[str, str]
    remark: str = ""
    """The sentences that qualify the outcome: misread before, replayed to other bits; empty if there are none."""
    mark: str = ""
    """The remark in a few words, such as “misread before”."""
    warnings: tuple[str, ...] = ()
    """The sentences that have to stand beside the verdict: what the attack rules out, and the trust lights that are on."""
    outcomes: Forms = ()
    """Shorter forms of the outcome, the longest first; empty: those without its probabilities."""
    picture: np.ndarray | None = field(default=None, repr=False)
    """``(H, W, 3)`` uint8: the adversarial image; None for a run without one."""

    @property
    def size(self) -> str:
        """The norms and what they are measured from; empty if they have no meaning."""
        return self.sizes[0] if self.sizes else ""

    @property
    def lines(self) -> tuple[Forms, Forms, Forms]:
        """The lines of the card, each from its longest form to its shortest: run and parameters; verdict and outcome; norms and device."""
        sign = f"{self.trust_mark}{SIGNS[self.sign][0]}"
        return (
            (_joined(self.title, self.budget), self.title, *self.short_titles),
            tuple(f"{sign} {words}".strip() for words in self._outcome_forms()),
            (_joined(self.size, self.device), *self.sizes),
        )

    @property
    def trust_mark(self) -> str:
        """The mark beside a verdict that a trust light speaks against; empty where none is on."""
        return "▲ " if any(warning.startswith("▲") for warning in self.warnings) else ""

    def _outcome_forms(self) -> Forms:
        """Return the outcome from its longest form to its shortest."""
        if self.outcomes:
            return (self.outcome, *self.outcomes)
        bare = self.outcome.removeprefix("clean, ")
        outcomes = [text for form in (self.outcome, bare) for text in (form, _PROBABILITY.sub("", form))]
        outcomes = sorted(dict.fromkeys(outcomes), key=len, reverse=True)
        return (*(_joined(self.mark, form) for form in outcomes), self.mark or outcomes[-1])

    @property
    def whole(self) -> str:
        """The card's texts and the parameters, one to a line, for a tool tip."""
        sign = f" ({SIGNS[self.sign][1]})" if self.sign else ""
        head = [
            f"{self.title}: {self.outcome}{sign}",
            *([self.remark] if self.remark else []),
            *self.warnings,
            _joined(self.size, self.device),
            self.time,
        ]
        return "\n".join([*head, *(f"{name}: {value}" for name, value in self.parameters.items())])


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))


def run_facts(entry: FinishedRun) -> RunFacts:
    """Return the facts about a finished run."""
    return _of_attack(entry) if isinstance(entry, AttackRun) else _of_any(entry)


def _of_any(entry: FinishedRun) -> RunFacts:
    """Return the facts about an experiment, a training or an evaluation: its verdict, tables and cost."""
    from engine.artifacts import Table

    result, made = entry.result, dict(entry.result.provenance)
    parameters = dict(made["operation"]["parameters"])
    tables = [artifact for artifact in result.artifacts.values() if isinstance(artifact, Table)]
    figures = {
        "outcome": entry.verdict or entry.ended,
        "ended": f"{entry.ended}, {entry.when:%H:%M:%S}",
        **{row[0]: " · ".join(row[1:]) for table in tables for row in table.rows},
        **_cost(entry),
    }
    return RunFacts(
        number=entry.number,
        title=entry.title,
        short_titles=(),
        attack=entry.operation.title,
        budget=entry.operation.described if is_training(entry) else _budget(parameters),  # type: ignore[attr-defined]
        outcome=entry.verdict or entry.ended,
        outcomes=shorter_verdicts(entry) if is_training(entry) else (),
        sign="" if entry.passed is None else "success" if entry.passed else "none",
        sizes=(),
        time=_time(entry),
        device=str(made.get("device", "")),
        parameters=_parameters(entry.operation, parameters),
        figures=figures,
        provenance=_flat({key: value for key, value in made.items() if key != "operation"}),
    )


def _of_attack(entry: AttackRun) -> RunFacts:
    result = entry.result
    labels, verdict, source = result.classifier.labels, verdict_of_run(entry), measured_from(entry)
    before, after = int(result.clean_prediction[0]), int(result.prediction[0])
    first, last = (float(logits[0].softmax(0)[best]) for logits, best in ((result.clean_logits, before), (result.logits, after)))
    norms = {name: float(value[0]) for name, value in result.norms.items()}
    grown = entry.scene.grown  # the adversarial image does not derive from the clean one
    outcome = f"{'noise' if grown else f'{began_words(entry)}{labels[before]} {percent(first)}'} → {labels[after]} {percent(last)}"
    flip = result.flip()
    never = "before the attack" if entry.reached_before else "never"
    figures = {
        "outcome": outcome,
        "success": _SUCCESS[verdict.kind],
        **_attacker(entry),
        **({"before the attack": verdict.before} if verdict.before else {}),
        "ended": str(result.reason) if result.iteration is None else f"taken at {result.moment}",
        "label": labels[int(result.labels[0])] + (" (assumed)" if result.labels_assumed else ""),
        "target": _target(result),
        "first success at step": never if flip is None else str(flip),
        **({} if grown else {**_sizes(norms), "measured from": source}),
        **_cost(entry),
        **({"notes": " ".join(result.remarks)} if result.remarks else {}),
        **({"replay": f"of {entry.replayed.file}: {entry.replayed.sentence}"} if entry.replayed else {}),
    }
    made = dict(result.provenance)
    parameters = dict(made["operation"]["parameters"])
    return RunFacts(
        number=entry.number,
        title=entry.title,
        short_titles=shorter_titles(entry),
        attack=result.title,
        budget=_joined(_budget(parameters if result.iteration is None else {**parameters, "steps": None}), _through(entry)),
        outcome=outcome,
        sign=verdict.kind,
        sizes=() if grown else _measured(norms, source),
        time=_time(entry),
        device=str(made.get("device", "")),
        parameters=_parameters(result.operation, parameters),
        figures=figures,
        provenance={**_surroundings(entry), **_flat({key: value for key, value in made.items() if key != "operation"})},
        remark=" ".join(filter(None, (verdict.before, _replay(entry)))),
        mark=_joined(_misread(result, verdict), _bits(entry)),
        picture=to_pixels(result.adversarial[0]),
    )


def _through(entry: AttackRun) -> str:
    """Return the defense that the attack went through, such as “through jpeg quality=50”; empty without one."""
    return f"through {defense_words(entry.inputs.defense)}" if entry.inputs.defense else ""


def _attacker(entry: AttackRun) -> dict[str, str]:
    """Return which defense the attacker knew, where there was one. The success is his: that of the other attacker is another number."""
    steps = entry.inputs.defense
    if not steps:
        return {}
    return {"attacker": f"knows the defense {defense_words(steps)}", "attacker who does not know it": "see the Defense dock"}


def _misread(result: AttackResult, verdict: Verdict) -> str:
    if not verdict.before:
        return ""
    return "target before" if verdict.kind == "already" and result.targets is not None else "misread before"


def _bits(entry: AttackRun) -> str:
    return "" if entry.replayed is None else "same bits again" if entry.replayed.same else "other bits"


def _replay(entry: AttackRun) -> str:
    return "" if entry.replayed is None else f"Replay of {entry.replayed.file}: {entry.replayed.sentence}"


def _target(result: AttackResult) -> str:
    labels, chosen = result.classifier.labels, result.goal(0)
    if chosen is not None:
        return f"{labels[chosen]} (chosen by the attack)"
    return "any other" if result.targets is None else labels[int(result.targets[0])]


def _measured(norms: Mapping[str, float], source: str) -> tuple[str, ...]:
    largest = f"L∞ {format_linf(norms['linf'])}"
    least = f"{largest} from {source}" if source == "the clean image" else f"{largest}, its stickers not counted"
    return f"L2 {short(norms['l2'])}, {largest} from {source}", f"{largest} from {source}", least


def shorter_titles(run: AttackRun) -> tuple[str, ...]:
    """Return shorter forms of a run's title, the longest first: of an iterate without its source, and with its bare numbers."""
    result = run.result
    bare = f"{result.operation.title}, {result.moment.removeprefix('iteration ')}"
    return () if result.iteration is None else (run_title(run.number, result.title), run_title(run.number, bare))


def main_size(run: AttackRun, norms: Mapping[str, float] | None = None) -> str:
    """Return the size of a run's perturbation in the attack's own norm, such as ``L∞ 8/255``; in L2 if the attack has none.

    ``norms`` are those of one of its iterates; None takes the result's.
    """
    if run.scene.grown:
        return "grown from noise"
    norms = norms or {name: float(value[0]) for name, value in run.result.norms.items()}
    own = run.planned.norms
    name = str(getattr(run.planned, "norm", own[0] if len(own) == 1 else "l2"))
    if name == "linf":
        return f"L∞ {format_linf(norms['linf'])}"
    title = name.upper() if name in norms else "L2"
    return f"{title} {_sizes(norms)[title]}"


def _sizes(norms: Mapping[str, float]) -> dict[str, str]:
    return {
        "L0": f"{norms['l0']:.0f} px",
        "L1": short(norms["l1"]),
        "L2": short(norms["l2"]),
        "L∞": f"{norms['linf']:.3g} ({norms['linf'] * 255:.3g}/255)",
    }


def _time(entry: FinishedRun) -> str:
    return f"{entry.when:%H:%M:%S} · {entry.seconds:.2f} s"


def _cost(entry: FinishedRun) -> dict[str, str]:
    result = entry.result
    return {
        "rows forward": f"{result.forwards:,}",
        "rows backward": f"{result.backwards:,}",
        "seconds": f"{result.seconds:.2f}",
    }


def _surroundings(entry: AttackRun) -> dict[str, str]:
    """Return what was attacked, and with which inputs beside the parameters."""
    inputs, crop = entry.inputs, crop_words(entry.image)
    stickers = sum(sticker.visible for sticker in entry.before.stickers)
    return {
        "image": str(entry.image.get("name", "unnamed")),
        **({"crop": crop} if crop else {}),
        **({"stickers": str(stickers)} if stickers else {}),
        **({"where": REGIONS[inputs.region]} if entry.operation.masked and "stickers" not in entry.operation.uses else {}),  # type: ignore[attr-defined]
        **({"data": inputs.data.description} if inputs.data is not None else {}),
        **({"start image": inputs.begin_name or "given"} if inputs.begin is not None else {}),
    }


def _parameters(operation: Operation, values: Mapping[str, Any]) -> dict[str, str]:
    """Return a run's parameters under their titles in the form, with choices as the form shows them."""
    from engine.parameters import parameters_of

    known = parameters_of(type(operation))
    return {known[name].title: known[name].told(value) for name, value in values.items()}


def _budget(parameters: Mapping[str, Any]) -> str:
    parts = [_text(parameters["eps"])] if parameters.get("eps") is not None else []
    return " · ".join([*parts, *([f"{parameters['steps']} steps"] if parameters.get("steps") is not None else [])])


def _text(value: Any) -> str:
    return format_number(value) if isinstance(value, float) else "–" if value is None else str(value)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in values.items():
        flat.update(_flat(value, f"{prefix}{key} ") if isinstance(value, Mapping) else {f"{prefix}{key}".replace("_", " "): _text(value)})
    return flat
