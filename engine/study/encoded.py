"""The parts of a study as its file holds them; runs and tables never change, so each is encoded once."""

from __future__ import annotations

import json
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from torch import Tensor

from engine.evaluate.batch import ImageResults
from engine.evaluate.tables import TableResults
from engine.study import batches, runs, tables, timelines
from engine.study.tensors import Tensors
from engine.study.values import StudyRun

MAIN = "study.json"
PICTURE = "thumbnail.png"


@dataclass(frozen=True, eq=False)
class Encoded:
    """A run as the file holds it."""

    json: bytes
    tensors: Mapping[str, Tensor]


_encoded: weakref.WeakKeyDictionary[StudyRun, dict[int, Encoded]] = weakref.WeakKeyDictionary()
"""The encoded runs by the bytes that their timelines may take. A run never changes, so each is encoded once."""


_encoded_tables: weakref.WeakKeyDictionary[ImageResults | TableResults, Encoded] = weakref.WeakKeyDictionary()
"""The encoded tables, which never change either."""


def encoded_table(results: ImageResults | TableResults) -> Encoded:
    """Return the encoded table of many images, or of models and attacks."""
    if results not in _encoded_tables:
        own = Tensors()
        entry = batches.entry_of(results, own) if isinstance(results, ImageResults) else tables.entry_of(results, own)
        _encoded_tables[results] = Encoded(json_of(entry), own.by_digest)
    return _encoded_tables[results]


def encoded_runs(all_runs: Sequence[StudyRun]) -> dict[str, Encoded]:
    """Return the encoded runs by id, each with a share of the room for timelines: the newest have theirs first."""
    room, found = timelines.STUDY_BYTES, {}
    for run in reversed(all_runs):
        size = min(timelines.RUN_BYTES, sum(step.adversarial.nbytes for step in run.timeline))
        allowed = timelines.RUN_BYTES if size <= room else 0
        room -= size if allowed else 0
        found[run.id] = encode(run, allowed)
    return dict(reversed(found.items()))


def encode(run: StudyRun, timeline_bytes: int) -> Encoded:
    """Return the encoded run, with at most ``timeline_bytes`` of its timeline."""
    known = _encoded.setdefault(run, {})
    if timeline_bytes not in known:
        own = Tensors()
        entry = runs.entry_of(run, own, timeline_bytes)
        known[timeline_bytes] = Encoded(json_of(entry), own.by_digest)
    return known[timeline_bytes]


def remember(run: StudyRun, content: Any, held: Mapping[str, Tensor]) -> None:
    """Remember a run's part of the file as it was read: it is written so again, with what cannot be made here."""
    _encoded[run] = dict.fromkeys((0, timelines.RUN_BYTES), Encoded(json.dumps(content).encode(), held))


def json_of(entry: BaseModel) -> bytes:
    """Return an entry as the bytes of its JSON."""
    return entry.model_dump_json().encode()


def member_of(id: str) -> str:
    """Return the name of a run's part in the file."""
    return f"runs/{id}.json"
