"""What an experiment finds: a number beside the lecture's and the paper's, held against a tolerance that was fixed beforehand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.artifacts import Table

Verdict = Literal["pass", "fail", "no threshold", "not comparable"]
COLUMNS = ("quantity", "lecture", "paper", "ours", "tolerance", "verdict")
NOTHING = "—"


@dataclass(frozen=True)
class Tolerance:
    """The closed interval that a number has to lie in."""

    low: float = -math.inf
    high: float = math.inf
    centre: float | None = None
    """Where it was given as centre ± half width."""

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies in it; NaN never does."""
        return self.low <= value <= self.high

    def text(self, unit: str = "") -> str:
        """As people write it: ``98.8 to 99.3 %``, ``≥ 98 %``, ``21 ± 8 %``."""
        end = f" {unit}" if unit else ""
        if self.centre is not None:
            return f"{self.centre:g} ± {self.high - self.centre:g}{end}"
        if self.low == self.high:
            return f"{self.low:g}{end}"
        if self.high == math.inf:
            return f"≥ {self.low:g}{end}"
        if self.low == -math.inf:
            return f"≤ {self.high:g}{end}"
        return f"{self.low:g} to {self.high:g}{end}"


def between(low: float, high: float) -> Tolerance:
    """``low <= value <= high``."""
    return Tolerance(low, high)


def at_least(low: float) -> Tolerance:
    """``low <= value``."""
    return Tolerance(low=low)


def at_most(high: float) -> Tolerance:
    """``value <= high``."""
    return Tolerance(high=high)


def around(centre: float, half_width: float) -> Tolerance:
    """``centre ± half_width``."""
    return Tolerance(centre - half_width, centre + half_width, centre)


def exactly(value: float) -> Tolerance:
    """``value`` and nothing else."""
    return Tolerance(value, value)


@dataclass(frozen=True)
class Finding:
    """One line of an experiment's table."""

    quantity: str
    ours: float | str
    """In ``unit``; a text where it is no number (a class name)."""
    lecture: str = NOTHING
    paper: str = NOTHING
    tolerance: Tolerance | None = None
    reference: str = ""
    """What an earlier run of this project gave, on a network of the same structure: no threshold, shown where there is none."""
    unit: str = ""
    digits: int = 2
    """After the decimal point."""
    comparable: bool = True
    """False: measured on other data than the published number, so that the tolerance says nothing."""

    @property
    def verdict(self) -> Verdict:
        """Whether ours lies within the tolerance; without one, or on other data, that is what it says."""
        if not self.comparable:
            return "not comparable"
        if self.tolerance is None:
            return "no threshold"
        return "pass" if isinstance(self.ours, (int, float)) and self.tolerance.holds(self.ours) else "fail"

    def row(self) -> tuple[str, ...]:
        """Its texts, one for each of `COLUMNS`."""
        if self.tolerance is not None:
            allowed = self.tolerance.text(self.unit)
        else:
            allowed = f"none; reference {self.reference}" if self.reference else NOTHING
        return self.quantity, self.lecture, self.paper, self.said(), allowed, self.verdict

    def said(self) -> str:
        """Ours with its unit. Small numbers keep two significant digits."""
        if isinstance(self.ours, str):
            return self.ours
        small = 0 < abs(self.ours) < 10**-self.digits
        number = f"{self.ours:.1e}" if small else f"{self.ours:.{self.digits}f}"
        return f"{number} {self.unit}".rstrip()

    def plain(self) -> dict[str, Any]:
        """For JSON: the texts, and the numbers behind them."""
        texts = dict(zip(COLUMNS, self.row(), strict=True))
        limits = None if self.tolerance is None else [_finite(self.tolerance.low), _finite(self.tolerance.high)]
        value = _finite(self.ours) if isinstance(self.ours, (int, float)) else None
        return {**texts, "value": value, "unit": self.unit, "accepted": limits}


@dataclass(frozen=True, eq=False)
class Verdicts(Table):
    """The table of an experiment, with the findings that its texts were made from."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences about what the numbers do not say."""

    @property
    def failed(self) -> tuple[Finding, ...]:
        """Those outside their tolerance."""
        return tuple(finding for finding in self.findings if finding.verdict == "fail")


def verdicts(findings: Sequence[Finding], title: str, notes: Sequence[str] = ()) -> Verdicts:
    """The findings as a table."""
    return Verdicts(COLUMNS, tuple(finding.row() for finding in findings), title, tuple(findings), tuple(notes))


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
