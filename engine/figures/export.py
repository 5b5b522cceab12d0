"""Export of figures and arrays to disk, with their provenance inside the file and in a JSON sidecar."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from engine.errors import GibbonError
from engine.figures.style import DPI, settings
from engine.figures.subject import array
from engine.files import replacing
from engine.record.carrying import BESIDE
from engine.result import AttackResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("pdf", "svg", "png")
_LONGEST = 500_000
"""Characters of one value that are kept inside the figure's file; longer ones (pixels of large images) are in the sidecar only."""


def export(figure: Figure, path: Path | str, provenance: Mapping[str, Any]) -> tuple[Path, Path]:
    """Write ``figure`` as PDF, SVG or PNG (the suffix decides) and ``provenance`` beside it as ``NAME.json``.

    Text stays text in PDF and SVG; PNG has 300 dots per inch. The file contains the same provenance: under Keywords in a PDF, as the Dublin
    Core description in an SVG, in the text chunk ``gibbon`` in a PNG.

    Returns
    -------
    tuple
        The paths of the figure and of the sidecar.

    Raises
    ------
    GibbonError
        The suffix is not supported, or the folder cannot be written to.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise GibbonError(f"“{path.name}” does not end in .pdf, .svg or .png. Choose one of these.")
    sidecar = path.with_name(path.name + ".json")
    drawn = io.BytesIO()  # draw to memory first, since matplotlib's writers raise unclear errors on a full disk
    with settings():
        figure.savefig(drawn, format=kind, dpi=DPI, metadata=_metadata(kind, provenance, sidecar.name), facecolor=figure.get_facecolor())
    return _written(path, sidecar, drawn.getvalue(), provenance)


def export_pages(figures: Sequence[Figure], path: Path | str, provenance: Mapping[str, Any]) -> tuple[Path, Path]:
    """Write figures as the pages of one PDF, which carries ``provenance`` as that of `export` does, and the sidecar beside it.

    Raises
    ------
    GibbonError
        The suffix is not .pdf, or the folder cannot be written to.
    """
    from matplotlib.backends.backend_pdf import PdfPages

    path = Path(path)
    if path.suffix.lower() != ".pdf":
        raise GibbonError(f"“{path.name}” does not end in .pdf. Sheets at their true size are written in that format.")
    sidecar = path.with_name(path.name + ".json")
    drawn = io.BytesIO()
    with settings(), PdfPages(cast(Any, drawn), metadata=_metadata("pdf", provenance, sidecar.name)) as pages:
        for figure in figures:
            pages.savefig(figure, dpi=DPI, facecolor=figure.get_facecolor())
    return _written(path, sidecar, drawn.getvalue(), provenance)


def _written(path: Path, sidecar: Path, drawn: bytes, provenance: Mapping[str, Any]) -> tuple[Path, Path]:
    with replacing(path) as staged:
        staged.write_bytes(drawn)
    with replacing(sidecar) as staged:
        staged.write_text(json.dumps(provenance, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path, sidecar


def export_arrays(path: Path | str, result: AttackResult, row: int = 0, mask: np.ndarray[Any, Any] | None = None) -> Path:
    """Write a row as ``.npz``: clean, adversarial, perturbation ``(C, H, W)``, clean_logits, adversarial_logits ``(K,)``, mask ``(H, W)``.

    Without ``mask`` every pixel could change, and the array is 1 everywhere. ``numpy.load(path)`` reads the file, which contains no pickle.
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise GibbonError(f"“{path.name}” does not end in .npz. Arrays are saved in that format.")
    clean, adversarial = array(result.clean[row]), array(result.adversarial[row])
    arrays = {
        "clean": clean,
        "adversarial": adversarial,
        "perturbation": adversarial - clean,
        "clean_logits": array(result.clean_logits[row]),
        "adversarial_logits": array(result.logits[row]),
        "mask": np.ones(clean.shape[1:], np.float32) if mask is None else np.asarray(mask, np.float32).reshape(clean.shape[1:]),
    }
    with replacing(path) as staged, staged.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)
    return path


def _metadata(kind: str, provenance: Mapping[str, Any], sidecar: str) -> dict[str, Any]:
    title = "Gibbon figure"
    text = carried_text(provenance, sidecar)
    if kind == "pdf":
        return {"Title": title, "Subject": _sentence(provenance), "Keywords": text, "Creator": "Gibbon", "CreationDate": None}
    if kind == "svg":
        return {"Title": title, "Description": text, "Keywords": [_sentence(provenance)], "Creator": "Gibbon", "Date": None}
    return {"Title": title, "Description": _sentence(provenance), "Software": "Gibbon", "gibbon": text}


def _sentence(provenance: Mapping[str, Any]) -> str:
    model, operation = provenance.get("model") or provenance.get("detector") or {}, provenance.get("operation", {})
    return (
        f"model {model.get('name', '?')} {model.get('fingerprint', '')}, {operation.get('slug', '?')}, seed {provenance.get('seed', '?')}"
    )


def carried_text(provenance: Mapping[str, Any], sidecar: str) -> str:
    """Return the provenance as the JSON that a file carries, with a reference to the sidecar in place of every long text, such as pixels.

    An anonymous one does not name the sidecar, since that is often called after the image.
    """
    told = BESIDE if "left_out" in (provenance.get("figure") or {}) else sidecar
    return json.dumps(_slim(provenance, told), ensure_ascii=True)


def _slim(value: Any, sidecar: str) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _slim(inner, sidecar) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_slim(inner, sidecar) for inner in value]
    return f"see {sidecar}" if isinstance(value, str) and len(value) > _LONGEST else value
