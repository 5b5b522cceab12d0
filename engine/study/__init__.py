"""Studies: everything that a window holds of a piece of work, as a frozen value and as one file.

>>> from engine import study
>>> kept = study.Study.of(result)
>>> study.write(kept, "stop sign.gibbon")
>>> study.read("stop sign.gibbon").runs[0].attack.success
"""

from engine.files import STUDY_SUFFIX as SUFFIX
from engine.files import is_study
from engine.record.recorded import Answer, is_recorded
from engine.study.models import load, trained
from engine.study.operations import can_keep
from engine.study.reading import read
from engine.study.showing import show
from engine.study.values import Canvas, DataChoice, Inputs, Plan, Replayed, Settings, StartPicture, Study, StudyRun, on_classifier
from engine.study.writing import unwritable, write

__all__ = [
    "SUFFIX",
    "Answer",
    "Canvas",
    "DataChoice",
    "Inputs",
    "Plan",
    "Replayed",
    "Settings",
    "StartPicture",
    "Study",
    "StudyRun",
    "can_keep",
    "is_recorded",
    "is_study",
    "load",
    "on_classifier",
    "read",
    "show",
    "trained",
    "unwritable",
    "write",
]
