"""The lines of a script that run an attack, and compare its image with the recorded one."""

from __future__ import annotations

from engine.record.schema import Record
from engine.result import Reason
from engine.script.literals import call, literal


def inputs_of(record: Record) -> dict[str, str]:
    """Return the expressions of the inputs that are numbers: labels, targets, seed and row."""
    named = {"labels": f"torch.tensor([{record.label.index}])"}
    if record.label.assumed:
        named["labels_assumed"] = "True"
    if record.target is not None:
        named["targets"] = f"torch.tensor([{record.target.index}])"
    named["seed"] = literal(record.seed)
    if record.row:
        named["first_row"] = literal(record.row)
    return named


def heading(record: Record) -> str:
    """Return the comment that names label and target."""
    assumed = " (assumed: the model's own prediction)" if record.label.assumed else ""
    aim = "" if record.target is None else f"; target: {record.target.name}"
    return f"# label: {record.label.name}{assumed}{aim}".replace("\n", " ")


def run_lines(record: Record, result: str, *arguments: str, **named: str) -> tuple[list[str], set[str]]:
    """Return the lines that run the attack to the step at which the recorded run ended, and their imports."""
    if record.iteration is not None:
        lines = [
            f"with {call('engine.start', *arguments, **named, record='engine.Timeline(max_bytes=0)')} as run:",
            "    for step in run:  # the recorded image is an iterate, not the best one",
            f"        if step.index == {record.iteration}:",
            "            break",
            f"    {result} = at_step(run.result(), run.record.steps[-1])",
        ]
        return lines, {"from engine.iterate import at_step"}
    if record.outcome.reason == Reason.CANCELLED:
        lines = [
            f"with {call('engine.start', *arguments, **named)} as run:",
            "    for made, _ in enumerate(run):  # it was cancelled: the same number of steps",
            f"        if made >= {record.outcome.steps_made}:",
            "            break",
            f"{result} = run.result()",
        ]
        return lines, set()
    if record.outcome.reason == Reason.FAILED:
        lines = [
            f"with {call('engine.start', *arguments, **named)} as run:",
            "    try:",
            "        for _ in run:",
            "            pass",
            "    except Exception as error:  # the recorded run failed, too; its image is the best one until then",
            "        print(error)",
            f"{result} = run.result()",
        ]
        return lines, set()
    return [f"{result} = {call('engine.run', *arguments, **named)}"], set()


def comparison(record: Record, result: str) -> tuple[list[str], set[str]]:
    """Return the lines that print the result and whether its bits are the recorded ones, and their imports."""
    sha256 = literal(record.outcome.adversarial_sha256)
    lines = [f"print({result})", f'print("the recorded bits:", digest({result}.adversarial[0]) == {sha256})']
    return lines, {"from engine.record import digest"}
