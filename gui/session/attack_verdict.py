"""The verdict on a finished attack and what its norms are measured from: the same words in Prediction, Runs, the messages and the figure.

An attack on an image that the model misread before is not called a success, since it had nothing to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gui.session.attack_job import is_grown
from gui.session.defense import defense_words

if TYPE_CHECKING:
    from engine import AttackResult
    from gui.session.history import AttackRun

Kind = Literal["success", "already", "none", "error"]
"""success: the attack succeeded. already: so it was before the attack. none: it did not succeed. error: the model gave NaN."""


@dataclass(frozen=True)
class Verdict:
    """The verdict on an attack."""

    kind: Kind
    words: str
    """The end of a sentence that begins with the attack, such as “succeeded”."""
    before: str = ""
    """The sentence that says how the model misread the image before the attack; empty if it did not."""


def verdict_of_attack(result: AttackResult, began: str = "the image") -> Verdict:
    """Return the verdict on the first image of a result; ``began`` names the image that the attack began from, see `measured_from`."""
    success, labels = bool(result.success[0]), result.classifier.labels
    if is_grown(result):
        return Verdict("success", "succeeded") if success else Verdict("none", "did not succeed")
    seen, label = labels[int(result.clean_prediction[0])], labels[int(result.labels[0])]
    before = f"The model misread {began} before the attack, as “{seen}” and not as “{label}”." if bool(result.wrong_before[0]) else ""
    if bool(result.failed[0]):
        return Verdict("error", "met NaN from the model", before)
    if not success:
        return Verdict("none", "did not succeed", before)
    if not bool(result.reached_before[0]):
        return Verdict("success", "succeeded", before)
    if result.targets is None:
        return Verdict("already", "had nothing to do, as the model misreads the image without it", before)
    before = f"The model took {began} for the target “{seen}” before the attack."
    return Verdict("already", "had nothing to do, as the model takes the image for the target without it", before)


def measured_from(run: AttackRun) -> str:
    """Return the image that a run began from and that its norms are measured from; see `engine.figures.attacked_image`."""
    from engine.figures.words import attacked_image

    return attacked_image(run.operation.uses, run.before.stickers)


def verdict_of_run(run: AttackRun) -> Verdict:
    """Return the verdict on a run, in words that name the image it began from where that is not the clean one."""
    began = measured_from(run)
    return verdict_of_attack(run.result, "the image" if began == "the clean image" else began)


def began_words(run: AttackRun) -> str:
    """Return what stands before the class from which a run began: “clean, with stickers: ”; empty where that is the clean image's."""
    began = measured_from(run).removeprefix("the clean image").replace(" its ", " ").strip()
    return f"clean, {began}: " if began else ""


def summary_line(run: AttackRun) -> str:
    """Summarise a finished attack in a line: the verdict, the classes, the norms with what they are measured from, and the time."""
    from engine.text.formatting import format_norm, format_probability

    result, verdict = run.result, verdict_of_run(run)
    labels = result.classifier.labels
    before, after = int(result.clean_prediction[0]), int(result.prediction[0])
    ended = "" if result.reason == "finished" else f" ({result.reason})"
    flip = int(result.steps_to_flip[0])
    at = f", first at step {flip}" if flip >= 0 and verdict.kind == "success" else ""
    became = f"{labels[after]} {format_probability(float(result.logits[0].softmax(0)[after]))}{at}"
    queries = "" if result.operation.knows == "gradients" else f", {result.forwards:,} queries"
    cost = f"{result.seconds:.1f} s{queries}"
    if is_grown(result):  # it does not derive from the clean image, so neither the old class nor a norm is meaningful
        return f"{_subject(run)} {verdict.words}{ended}: noise → {became}; {cost}"
    norms = ", ".join(f"{name} {format_norm(float(result.norms[key][0]))}" for name, key in (("L2", "l2"), ("L∞", "linf")))
    change = f"{began_words(run)}{labels[before]} → {became}"
    line = f"{_subject(run)} {verdict.words}{ended}: {change}; {norms} from {measured_from(run)}, {cost}"
    return f"{line}. {verdict.before}" if verdict.before else line


def _subject(run: AttackRun) -> str:
    """Return the attack as the subject of a sentence, with the defense that it went through; that of an iterate in commas."""
    result, steps = run.result, run.inputs.defense
    title = f"{result.title} through {defense_words(steps)}" if steps else result.title
    return title if result.iteration is None else f"{title},"
