"""A classifier in a notebook: what it is, what it takes, how good it is, and what was noticed when it was loaded."""

from __future__ import annotations

from engine.notebook import markup
from engine.notebook.shown import ShownClassifier
from engine.text.formatting import counted, format_share

_NAMED = 12
"""Class names that are shown without a click."""


def classifier_html(classifier: ShownClassifier) -> str:
    """Return HTML with the classifier's name, shape, device, accuracy, bounds, remarks and class names."""
    card = classifier.card
    channels, height, width = classifier.input_shape
    pairs: list[tuple[str, object]] = [
        ("images", f"{channels} × {height} × {width} in [0, 1]"),
        ("classes", _names(classifier.labels)),
        ("device", classifier.device),
        ("fingerprint", classifier.fingerprint),
    ]
    if isinstance(card.get("accuracy"), float):
        on = f" on {card['tested_on']}" if card.get("tested_on") else ""
        pairs.insert(2, ("accuracy", format_share(card["accuracy"]) + on))
    if classifier.source is not None:
        pairs.append(("source", classifier.source))
    pairs += [("bound", f"{site} at most {bound:.4g}") for site, bound in classifier.bounds.items()]
    pairs += [("changed", change) for change in classifier.changes]
    pairs += [("note", note) for note in classifier.contract.notes]
    all_names = markup.facts([(str(number), name) for number, name in enumerate(classifier.labels)])
    more = markup.folded(f"all {len(classifier.labels):,} classes", all_names) if len(classifier.labels) > _NAMED else ""
    return markup.block(markup.strong(classifier.name), markup.facts(pairs), more)


def _names(labels: tuple[str, ...]) -> str:
    shown = ", ".join(labels[:_NAMED])
    return f"{counted(len(labels), 'class', 'classes')}: {shown}{', …' if len(labels) > _NAMED else ''}"
