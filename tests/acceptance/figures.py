"""A figure: what was measured, what was asked for, and whether it holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    measured: float | str
    asked: str = ""
    passed: bool | None = None
    """None: nothing was asked for; the figure is only printed."""

    def as_row(self) -> tuple[str, str, str, str]:
        """As texts."""
        value = f"{self.measured:.4g}" if isinstance(self.measured, float) else str(self.measured)
        verdict = {True: "pass", False: "FAIL", None: "-"}[self.passed]
        return self.name, value, self.asked, verdict

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def at_least(name: str, measured: float, limit: float, unit: str = "") -> Figure:
    """A figure that must reach a limit."""
    return Figure(name, measured, f">= {limit:g}{unit}", measured >= limit)


def at_most(name: str, measured: float, limit: float, unit: str = "") -> Figure:
    """A figure that must not exceed a limit."""
    return Figure(name, measured, f"<= {limit:g}{unit}", measured <= limit)
