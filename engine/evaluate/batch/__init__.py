"""Batches: one attack on many images, with a row for each."""

from engine.evaluate.batch.aims import RULES, Aim
from engine.evaluate.batch.attacking import ImageRun, ImageStep, attack_images
from engine.evaluate.batch.both import BothAttackers
from engine.evaluate.batch.judged import judged_by
from engine.evaluate.batch.late import LateData, late_subjects
from engine.evaluate.batch.results import ImageResults
from engine.evaluate.batch.rows import COLUMNS, ImageRow, table_of
from engine.evaluate.batch.single import RowAgain, RowRun
from engine.evaluate.batch.subjects import Subject, Subjects, from_data, from_files, has_images
from engine.evaluate.batch.summary import Share, Summary, summary_of

__all__ = [
    "COLUMNS",
    "RULES",
    "Aim",
    "BothAttackers",
    "ImageResults",
    "ImageRow",
    "ImageRun",
    "ImageStep",
    "LateData",
    "RowAgain",
    "RowRun",
    "Share",
    "Subject",
    "Subjects",
    "Summary",
    "attack_images",
    "from_data",
    "from_files",
    "has_images",
    "judged_by",
    "late_subjects",
    "summary_of",
    "table_of",
]
