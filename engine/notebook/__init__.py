"""Display in notebooks: results and classifiers as plain HTML with inline pictures, which needs neither scripts nor a widget."""

from engine.notebook.classifiers import classifier_html
from engine.notebook.results import result_html

__all__ = ["classifier_html", "result_html"]
