"""Models: the models that can be loaded by name, and the loading of one. The Model dock and the spine share the session's instance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from gui.session.fetch import Fetch
from gui.session.model_words import accuracy_forms
from gui.session.recent_models import RecentModel, forget_model, keep_model, recent_models
from gui.session.swap_model import swap_classifier
from gui.settings import Settings

if TYPE_CHECKING:
    from engine import Classifier
    from engine.models import ModelEntry
    from engine.models.torchvision import Published
    from gui.session.host import Host

_LOADED = "fingerprint:"


class Models(QObject):
    """Lists models and loads one. A failed load leaves everything as it was, and says why.

    Questions go out as signals, since their dialogs belong to a window: the Model dock answers them.
    """

    changed = Signal()
    """The lists have changed, or the listing of torchvision's networks has begun."""
    loaded = Signal(object)
    """A classifier was loaded and is the present one."""
    said = Signal(str, str)
    """A sentence about the newest load, and its kind, error or hint; an empty one when a new load begins."""
    headAsked = Signal(str, object)
    """The model of a source, with these options, ends in probabilities: ask how to get logits, then load it again."""
    downloadAsked = Signal(object)
    """The weights are not on this machine: ask whether to `download` the `Published` ones."""
    checkpointAsked = Signal(str)
    """A file of weights is to be opened: ask for its architecture unless it says so itself. Empty: ask for the file first."""
    codeAsked = Signal(str)
    """A model from the user's own code is wanted: ask for consent to run ``FILE.py:FUNCTION``; empty asks for the file, too."""

    def __init__(self, session: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self.shipped: tuple[ModelEntry, ...] = ()
        self.torchvision: tuple[ModelEntry, ...] | None = None
        """torchvision's networks; None until they are listed."""
        self.listing = False
        """Whether torchvision's networks are being listed, which takes seconds."""
        self.fetch = Fetch(self)
        self._fetched = ""
        self._asks_head = False
        self.fetch.ended.connect(self._on_fetched)
        session.engineReady.connect(self._list_shipped)
        session.loaded.changed.connect(self.changed)

    # ------------------------------------------------------------------ the lists

    @property
    def recent(self) -> tuple[RecentModel, ...]:
        """The models that were loaded before and are not among the shipped ones, the newest first."""
        shipped = {entry.source for entry in self.shipped}
        return tuple(model for model in recent_models(Settings()) if model.source not in shipped)

    @property
    def of_session(self) -> Mapping[str, Classifier]:
        """The models of this session that no other list has, such as the epochs of trainings, the newest first, by their source here."""
        listed = {entry.source for entry in self.shipped} | {model.source for model in self.recent}
        newest = reversed(self._session.loaded.models)
        own = (model for model in newest if model.changes != model.changes_of_source or model.source not in listed)
        return {f"{_LOADED}{model.fingerprint}": model for model in own}

    def source_of(self, classifier: Classifier) -> str:
        """Return the source under which a loaded model is listed."""
        own = f"{_LOADED}{classifier.fingerprint}"
        return own if own in self.of_session else classifier.source or classifier.name

    @Slot()
    def _list_shipped(self) -> None:
        from engine.models import catalogue

        def then(entries: list[ModelEntry]) -> None:
            self.shipped = tuple(entries)
            self.changed.emit()

        self._session.ask("shipped", lambda: catalogue(with_torchvision=False), then, what="Listing the shipped models")

    @Slot()
    def list_torchvision(self) -> None:
        """List torchvision's networks, those on this machine first. They are imported for that, which takes seconds."""

        def published() -> list[ModelEntry]:
            from engine.models import catalogue

            entries = [entry for entry in catalogue() if entry.kind == "torchvision"]
            return sorted(entries, key=lambda entry: not entry.available)

        def then(entries: list[ModelEntry]) -> None:
            self.torchvision, self.listing = tuple(entries), False
            self.changed.emit()

        self.listing = True
        what = "Listing torchvision's networks"
        self._session.ask("torchvision", published, then, what=what, busy=f"{what}…", background=True)
        self.changed.emit()

    def entry(self, source: str) -> ModelEntry | None:
        """Return the listed model of a source."""
        return next((entry for entry in (*self.shipped, *(self.torchvision or ())) if entry.source == source), None)

    # ------------------------------------------------------------------ loading

    def choose(self, source: str) -> None:
        """Load a listed or recent model by its source. What is not on this machine, or runs code, is asked about first."""
        entry, here = self.entry(source), self.of_session.get(source)
        recent = next((model for model in self.recent if model.source == source), None)
        if here is not None:
            self.said.emit("", "hint")
            self.swap(lambda: here, f"Loading {here.name}…", self.loaded.emit)
        elif entry is not None:
            self.load_entry(entry)
        elif recent is not None and recent.runs_code:
            self.codeAsked.emit(source)
        elif recent is not None and _is_gone(recent):
            forget_model(Settings(), source)
            self.changed.emit()
            self._say(f"“{source}” is no longer there. It was taken off the recent models.")
        elif recent is not None and recent.source.startswith("torchvision:"):
            self._offer_or_load(source)
        else:
            self.load(source, **({} if recent is None else recent.options))

    def load_entry(self, entry: ModelEntry) -> None:
        """Load a model of the list; one that is not on this machine is offered for download first."""
        if entry.available:
            self.load(entry.source)
        else:
            self._offer_or_load(entry.source)

    def load(self, source: str, **options: Any) -> None:
        """Load a source in the engine thread; ``options`` are those of ``engine.models.load``."""
        device = str(self._session.classifier.device) if self._session.classifier is not None else None

        def make() -> Classifier:
            import engine
            from engine.errors import EndsInProbabilities

            try:
                return engine.models.load(source, device=device, **options)
            except EndsInProbabilities:
                self._asks_head = options.get("head", "logits") == "logits"
                raise

        def failed(sentence: str) -> None:
            self._show(sentence)
            if self._asks_head:
                self.headAsked.emit(source, options)

        def done(classifier: Classifier) -> None:
            self._keep(source, classifier)
            self._session.log("info", f"Loaded “{classifier.name}”, {classifier.num_classes} classes, on {classifier.device}.")
            self.loaded.emit(classifier)

        self._asks_head = False
        self.said.emit("", "hint")
        self.swap(make, f"Loading {Path(source.partition('.py:')[0]).name}…", done, failed)

    def swap(
        self,
        make: Callable[[], Classifier],
        busy: str,
        done: Callable[[Classifier], None] = lambda _: None,
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Make a classifier in the engine thread and let it replace the present one."""
        swap_classifier(self._session, make, busy=busy, done=done, failed=failed or self._show)

    def _show(self, sentence: str) -> None:
        """Say an error that the session has logged already."""
        self.said.emit(sentence, "error")

    def _say(self, sentence: str, kind: str = "error") -> None:
        self.said.emit(sentence, kind)
        self._session.log("error" if kind == "error" else "info", sentence)

    def _keep(self, source: str, classifier: Classifier) -> None:
        from engine.models import options_of

        forms = accuracy_forms(classifier.card)
        keep_model(Settings(), RecentModel(_absolute(source), classifier.name, forms[0] if forms[-1] else "", options_of(classifier)))
        self.changed.emit()

    # ------------------------------------------------------------------ downloads

    def _offer_or_load(self, source: str) -> None:
        def missing() -> Published | None:
            from engine.models import missing_download

            return missing_download(source)

        def then(about: Published | None) -> None:
            if about is None:  # the file has arrived meanwhile
                self.load(source)
            else:
                self.downloadAsked.emit(about)

        self._session.ask("published", missing, then, what="Looking for the weights")

    def download(self, about: Published) -> None:
        """Download published weights, to which the user has agreed, and load them."""
        self.said.emit("", "hint")
        self._fetched = about.name
        self.fetch.start(about)

    @Slot(str)
    def _on_fetched(self, error: str) -> None:
        if error:
            self._say(error, "hint" if self.fetch.cancelled else "error")
            return
        self.load(f"torchvision:{self._fetched}")
        if self.torchvision is not None:
            self.list_torchvision()


def _is_gone(model: RecentModel) -> bool:
    named = ":" not in model.source or Path(model.source).suffix != ""
    return named and not Path(model.source).exists()


def _absolute(source: str) -> str:
    """Return a file's source with its whole path, so that it is found again from another folder."""
    file, code, function = source.partition(".py:")
    path = Path(f"{file}.py" if code else source)
    return f"{path.absolute()}{f':{function}' if code else ''}" if path.exists() else source
