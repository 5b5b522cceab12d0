"""The result of a run at one of its iterates, in place of the best one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.artifacts import Artifact, Lazy, StickerContent
from engine.errors import GibbonError
from engine.result import AttackResult, Reason
from engine.timeline import KeptStep


def at_step(result: AttackResult, step: KeptStep) -> AttackResult:
    """Return the result that holds the iterate of ``step``, with the predictions, norms and counts of that moment.

    ``iteration`` says so, the trace ends there, and a record of it replays to the same bits. Of the artifacts only a sticker's content has
    a meaning at an iterate.

    Parameters
    ----------
    result
        The result of the whole run.
    step
        A step from the run's `Timeline`.

    Raises
    ------
    GibbonError
        The step does not hold all images of the run, which was attacked in chunks, or is another run's.
    """
    if step.adversarial.shape != result.adversarial.shape or step.logits is None:
        raise GibbonError("The step does not hold all images of the run. Attack them together, or one at a time.")
    numbers = result.trace_steps[:, 0].tolist()
    if step.index not in numbers:
        raise GibbonError(f"The run has no step {step.index}: its last is {numbers[-1]}.")
    made = numbers.index(step.index) + 1
    device, flip = result.adversarial.device, result.steps_to_flip
    return replace(
        result,
        adversarial=step.adversarial.to(device),
        logits=step.logits.to(device),
        loss=step.loss.to(device),
        goals=result.goals if step.goals is None else step.goals.to(device),
        failed=result.failed & (step.loss.isnan() | step.logits.isnan().any(1)).to(device),
        steps_to_flip=flip.masked_fill(flip > step.index, -1),
        trace=result.trace[:made],
        trace_steps=result.trace_steps[:made],
        forwards=step.forwards,
        backwards=step.backwards,
        seconds=step.seconds,
        artifacts=Lazy(lambda: _artifacts(result, step)),
        iteration=step.index,
        iterations=_last(result, step, numbers[-1]),
    )


def _last(result: AttackResult, step: KeptStep, made: int) -> int | None:
    """Return the number of the run's last step: of one that was left early, the last that it would have made, if that is known."""
    return step.total if result.reason in (Reason.RUNNING, Reason.CANCELLED) else made


def _artifacts(result: AttackResult, step: KeptStep) -> Mapping[str, Artifact]:
    content = result.artifacts.get("content")
    if not isinstance(content, StickerContent):
        return {}
    return {"content": StickerContent.under(content.mask, result.clean, step.adversarial.to(result.clean.device))}
