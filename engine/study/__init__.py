"""Studies: everything that a window holds of a piece of work, as a frozen value and as one file.

>>> from engine import study
>>> kept = study.Study.of(result)
>>> study.write(kept, "stop sign.gibbon")
>>> study.read("stop sign.gibbon").runs[0].attack.success
"""

from engine.study.archive import SUFFIX, is_study
from engine.study.file import read, write
from engine.study.models import load
from engine.study.recorded import is_recorded
from engine.study.values import Answer, Canvas, DataChoice, Inputs, Plan, Settings, StartPicture, Study, StudyRun

__all__ = [
    "SUFFIX",
    "Answer",
    "Canvas",
    "DataChoice",
    "Inputs",
    "Plan",
    "Settings",
    "StartPicture",
    "Study",
    "StudyRun",
    "is_recorded",
    "is_study",
    "load",
    "read",
    "write",
]
