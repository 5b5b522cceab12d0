"""The models that were loaded before, kept in the settings with the options that they were loaded with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gui.settings import Settings

MOST = 8
_KEY = "recent/models"


@dataclass(frozen=True)
class RecentModel:
    """A model that was loaded: where it came from, and how."""

    source: str
    """The source as `engine.models.load` takes it: a name, a file, or ``FILE.py:FUNCTION``."""
    title: str
    note: str = ""
    """Its accuracy in a few words."""
    options: Mapping[str, str] = field(default_factory=dict)
    """The options of a checkpoint: architecture, activation, head."""

    @property
    def is_own(self) -> bool:
        """Whether it is a file of the user's: weights or code."""
        return not self.source.startswith("torchvision:") and (self.runs_code or Path(self.source).is_absolute())

    @property
    def runs_code(self) -> bool:
        """Whether loading it runs a Python file."""
        return ".py:" in self.source


def recent_models(settings: Settings) -> tuple[RecentModel, ...]:
    """Return the kept models, the newest first. What cannot be read is left out."""
    try:
        kept = json.loads(settings.text(_KEY, "[]"))
    except ValueError:
        return ()
    return tuple(made for each in kept if (made := _read(each)) is not None) if isinstance(kept, list) else ()


def _read(kept: object) -> RecentModel | None:
    if not isinstance(kept, dict) or not isinstance(kept.get("source"), str) or not kept["source"]:
        return None
    options = kept.get("options")
    plain = {str(name): str(value) for name, value in options.items() if value is not None} if isinstance(options, dict) else {}
    return RecentModel(kept["source"], str(kept.get("title") or kept["source"]), str(kept.get("note", "")), plain)


def keep_model(settings: Settings, model: RecentModel) -> None:
    """Put a model to the front of the kept ones."""
    _write(settings, [model, *(other for other in recent_models(settings) if other.source != model.source)][:MOST])


def forget_model(settings: Settings, source: str) -> None:
    """Remove a model from the kept ones, because it can no longer be loaded."""
    _write(settings, (other for other in recent_models(settings) if other.source != source))


def _write(settings: Settings, models: Iterable[RecentModel]) -> None:
    settings.keep_text(_KEY, json.dumps([asdict(model) for model in models]))
