"""Tables of models x attacks x eps x data, white box and by transfer, resumable and shared among processes."""

from engine.evaluate.tables.budgets import budget_of
from engine.evaluate.tables.cells import Cell, Verdicts
from engine.evaluate.tables.names import check_names
from engine.evaluate.tables.plan import CellKey, Column
from engine.evaluate.tables.posing import CellRun
from engine.evaluate.tables.results import Group, TableResults, Worst
from engine.evaluate.tables.running import TableRun, TableStep
from engine.evaluate.tables.spec import TableAttack, TableData, TableModel, TableSpec, read_spec, spec_toml
from engine.evaluate.tables.start import evaluate_table, forget_cells

__all__ = [
    "Cell",
    "CellKey",
    "CellRun",
    "Column",
    "Group",
    "TableAttack",
    "TableData",
    "TableModel",
    "TableResults",
    "TableRun",
    "TableSpec",
    "TableStep",
    "Verdicts",
    "Worst",
    "budget_of",
    "check_names",
    "evaluate_table",
    "forget_cells",
    "read_spec",
    "spec_toml",
]
