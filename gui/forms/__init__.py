"""Forms: the parameters of an operation as rows of a pyqtgraph ParameterTree, to be edited.

Import this after the window was painted, since importing pyqtgraph takes a while.
"""

from gui.forms.fields import read_fields
from gui.forms.form import Form

__all__ = ["Form", "read_fields"]
