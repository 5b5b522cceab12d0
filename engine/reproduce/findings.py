"""Findings of an experiment: numbers beside the lecture's and the paper's, compared by a tolerance that was fixed beforehand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.artifacts import Table
from engine.text.formatting import format_share

Verdict = Literal["pass", "fail", "no threshold", "not comparable"]
COLUMNS = ("quantity", "lecture", "paper", "ours", "tolerance", "verdict")
NOTHING = "—"
_PLAIN_DECIMALS = 4
"""The decimals that an experiment's line may have whatever the size of its number; more are for small numbers."""


@dataclass(frozen=True)
class Tolerance:
    """The closed interval in which a number must lie."""

    low: float = -math.inf
    high: float = math.inf
    centre: float | None = None
    """Centre of the interval, where it was given as centre ± half width."""

    def holds(self, value: float) -> bool:
        """Return whether ``value`` is inside; NaN never is."""
        return self.low <= value <= self.high

    def text(self, unit: str = "") -> str:
        """Format as people write it: ``98.8 to 99.3 %``, ``≥ 98 %``, ``21 ± 8 %``."""
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
    """Return the tolerance ``low <= value <= high``."""
    return Tolerance(low, high)


def at_least(low: float) -> Tolerance:
    """Return the tolerance ``low <= value``, without an upper limit."""
    return Tolerance(low=low)


def at_most(high: float) -> Tolerance:
    """Return the tolerance ``value <= high``, without a lower limit."""
    return Tolerance(high=high)


def around(centre: float, half_width: float) -> Tolerance:
    """Return the tolerance ``centre ± half_width``, limits included."""
    return Tolerance(centre - half_width, centre + half_width, centre)


def exactly(value: float) -> Tolerance:
    """Return the tolerance that holds ``value`` only."""
    return Tolerance(value, value)


@dataclass(frozen=True)
class Finding:
    """One line of an experiment's table."""

    quantity: str
    ours: float | str
    """Our number in ``unit``, or a text such as a class name."""
    lecture: str = NOTHING
    paper: str = NOTHING
    tolerance: Tolerance | None = None
    reference: str = ""
    """Value of an earlier run of this project on a network of the same structure, shown for orientation where there is no tolerance."""
    unit: str = ""
    digits: int = 2
    """Number of digits after the decimal point."""
    comparable: bool = True
    """Whether the data are those of the published number; otherwise the tolerance means nothing."""
    interval: tuple[float, float] | None = None
    """Wilson's 95 % interval of our number, in its unit, where it is a share that was counted."""

    @property
    def verdict(self) -> Verdict:
        """Verdict on our number: within the tolerance, outside, without one, or on other data."""
        if not self.comparable:
            return "not comparable"
        if self.tolerance is None:
            return "no threshold"
        return "pass" if isinstance(self.ours, (int, float)) and self.tolerance.holds(self.ours) else "fail"

    def row(self) -> tuple[str, ...]:
        """Return the texts of the line, one for each of `COLUMNS`."""
        if self.tolerance is not None:
            allowed = self.tolerance.text(self.unit)
        else:
            allowed = f"none; reference {self.reference}" if self.reference else NOTHING
        return self.quantity, self.lecture, self.paper, self.said(), allowed, self.verdict

    def said(self) -> str:
        """Our number with its unit and its interval. The mean of nothing has no value."""
        if isinstance(self.ours, str):
            return self.ours
        if math.isnan(self.ours):
            return "no value"
        around = "" if self.interval is None else f"({self._number(self.interval[0])} to {self._number(self.interval[1])})"
        return " ".join(filter(None, (self._number(self.ours), self.unit, around)))

    def _number(self, value: float) -> str:
        """Return a number with the decimals of the line, of which those beyond the fourth are for three significant digits alone.

        Small numbers keep two significant digits, as powers of ten; a zero that is no share needs no decimals.
        """
        if self.unit == "%" and self.digits == 1:
            return format_share(value / 100).removesuffix(" %")
        if value == 0:
            return "0"
        if 0 < abs(value) < 10**-self.digits:
            return f"{value:.1e}"
        needed = 2 - math.floor(math.log10(abs(value))) if value else 0
        return f"{value:.{min(self.digits, max(_PLAIN_DECIMALS, needed))}f}"

    def plain(self) -> dict[str, Any]:
        """Return the texts and the numbers behind them, for JSON."""
        texts = dict(zip(COLUMNS, self.row(), strict=True))
        limits = None if self.tolerance is None else [_finite(self.tolerance.low), _finite(self.tolerance.high)]
        value = _finite(self.ours) if isinstance(self.ours, (int, float)) else None
        interval = None if self.interval is None else list(self.interval)
        return {**texts, "value": value, "unit": self.unit, "accepted": limits, "interval": interval}


@dataclass(frozen=True, eq=False)
class Verdicts(Table):
    """The table of an experiment, with the findings behind its texts."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences that qualify the numbers."""

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings that are outside of their tolerance."""
        return tuple(finding for finding in self.findings if finding.verdict == "fail")


def verdicts(findings: Sequence[Finding], title: str, notes: Sequence[str] = ()) -> Verdicts:
    """Make the table of the findings."""
    return Verdicts(COLUMNS, tuple(finding.row() for finding in findings), title, tuple(findings), tuple(notes))


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
