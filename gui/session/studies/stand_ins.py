"""StandIns: finds the models of a study that was opened, and replaces the stand-in of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from gui.session.history import AttackRun
from gui.session.stand_in import is_stand_in
from gui.session.studies.restoring import same, with_classifier

if TYPE_CHECKING:
    from engine import Classifier
    from gui.session.history import FinishedRun
    from gui.session.studies.host import Host


class StandIns(QObject):
    """Replaces a stand-in by its classifier as soon as that is there: loaded earlier, loaded now from its source, or by the user."""

    def __init__(self, session: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._tried: set[str] = set()
        """Fingerprints of the models that could not be loaded, so that each is logged once."""
        self.folder: Path | None = None
        """The folder of the study, beside which models are looked for."""
        session.classifierChanged.connect(self._follow)

    def forget(self, folder: Path | None, tried: Classifier | None = None) -> None:
        """Try all models again but that of the stand-in ``tried``, since another study was opened."""
        self._tried = set() if tried is None else {tried.fingerprint}
        self.folder = folder

    @Slot()
    def _follow(self) -> None:
        session, classifier = self._session, self._session.state.classifier
        if classifier is None or not session.state.ready:
            return
        if not is_stand_in(classifier):
            self.replace(classifier)
            return
        loaded = next((model for model in session.loaded.models if same(model, classifier)), None)
        if loaded is not None:
            self.replace(loaded)
        elif classifier.fingerprint not in self._tried:
            self._load(classifier)

    def _load(self, stand_in: Classifier) -> None:
        from engine.artifacts import Model
        from engine.study import load, trained

        artifacts = (artifact for run in self._session.history.every for artifact in run.result.artifacts.values())
        networks = [artifact for artifact in artifacts if isinstance(artifact, Model)]
        self._tried.add(stand_in.fingerprint)
        folder = self.folder
        self._session.ask(
            "stand-in",
            lambda: trained(stand_in, networks) or load(stand_in, folder),
            self.replace,
            what="Loading the study's model",
            failed=self.tell,
            busy=f"Loading {stand_in.name}…",
            quiet=True,
        )

    def tell(self, sentence: str) -> None:
        """Say why a model is not loaded."""
        self._session.log("warning", sentence)

    def replace(self, classifier: Classifier) -> None:
        """Replace the stand-in of a classifier, on the canvas and in all finished runs."""
        session = self._session

        def replaced(run: FinishedRun) -> FinishedRun:
            stands = isinstance(run, AttackRun) and is_stand_in(run.before.classifier) and same(run.before.classifier, classifier)
            return with_classifier(run, classifier) if stands and isinstance(run, AttackRun) else run

        if session.history.substitute(replaced):
            session.history.follow(session.state)
        present = session.state.classifier
        if present is not None and is_stand_in(present) and same(present, classifier):
            session.change(classifier=classifier)
