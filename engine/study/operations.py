"""Operations of a study by the catalogue and the slug that they have there."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import GibbonError
from engine.operation import Operation
from engine.record.migration import migrated_parameters
from engine.study.entries import OperationEntry, Room, plain

_ROOMS: tuple[Room, ...] = ("attacks", "defenses", "explain", "reproduce")


class UnknownOperation(GibbonError):
    """An operation that this Gibbon does not have, so that its run can be carried along but not shown."""


def entry_of(operation: Operation) -> OperationEntry:
    """Make the entry of an operation.

    Raises
    ------
    GibbonError
        No catalogue has the operation, as in a script with an attack of its own.
    """
    for room in _ROOMS:
        known = _catalogue(room).get(operation.slug)
        if known is not None and known is type(operation):
            return OperationEntry(room=room, slug=operation.slug, parameters=plain(operation.model_dump(mode="json")))
    raise GibbonError(f"“{operation.title}” is in no catalogue of the engine, so a study could not make it again. Add it there first.")


def can_keep(operation: Operation) -> bool:
    """Return whether a study can hold runs of an operation: it is in a catalogue."""
    return any(_catalogue(room).get(operation.slug) is type(operation) for room in _ROOMS)


def operation_of(entry: OperationEntry, version: int) -> Operation:
    """Make the operation of an entry whose parameters are of a version of the records.

    Raises
    ------
    UnknownOperation
        The catalogue has no such operation, or it has other parameters here.
    """
    known = _catalogue(entry.room).get(entry.slug)
    if known is None:
        raise UnknownOperation(f"there is no “{entry.slug}” among this Gibbon's {entry.room}")
    parameters = migrated_parameters(entry.slug, entry.parameters, version) if entry.room == "attacks" else dict(entry.parameters)
    try:
        return known.build(**parameters)
    except GibbonError as error:
        raise UnknownOperation(f"“{known.title}” does not take its parameters: {error}") from None


def _catalogue(room: Room) -> Mapping[str, type[Operation]]:
    from engine import attacks, defenses, explain, reproduce

    rooms: dict[Room, Mapping[str, type[Operation]]] = {
        "attacks": attacks.CATALOGUE,
        "defenses": defenses.CATALOGUE,
        "explain": explain.CATALOGUE,
        "reproduce": reproduce.CATALOGUE,
    }
    return rooms[room]
