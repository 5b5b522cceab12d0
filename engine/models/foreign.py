"""Files of other tools, recognised by their first bytes: the kind of such a file, and how its model can be brought here."""

from __future__ import annotations

import contextlib
import re
import zipfile
from pathlib import Path

from engine.download import is_web_page

_SAVE = "Save its weights alone: torch.save(model.state_dict(), FILE)."
_OWN_CODE = "and load it by a function of your own, as FILE.py:FACTORY"
_CONVERT = f"Convert it to a PyTorch module {_OWN_CODE}."
_UNPACK = "Unpack it and choose the file of weights inside."
_BLOWN_UP = 50
"""Ratio of unpacked to packed size above which an archive is refused, since it would fill the memory; torch.save never compresses."""
_TOKEN = re.compile(rb"[\x20-\x7e]{1,127}")

_MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    (
        0,
        b"version https://git-lfs",
        "is a Git LFS pointer, a few lines of text instead of the weights",
        "Fetch the file itself: git lfs pull.",
    ),
    (0, b"\x89HDF\r\n\x1a\n", "is an HDF5 file, as Keras and MATLAB write", f"Copy its arrays into a PyTorch module {_OWN_CODE}."),
    (0, b"\x93NUMPY", "is one NumPy array", f"Copy it into a PyTorch module {_OWN_CODE}."),
    (0, b"GGUF", "is a GGUF file of llama.cpp, whose weights are quantised", "Choose the model's .safetensors or .pth file instead."),
    (4, b"TFL3", "is a TensorFlow Lite model", f"Build the network in PyTorch, copy its weights, {_OWN_CODE}."),
    (4, b"ET12", "is an ExecuTorch program", _SAVE),
    (0, b"ftrt", "is a TensorRT engine, compiled for one kind of GPU", "Load the PyTorch weights that it was built from."),
    (0, b"ptrt", "is a TensorRT engine, compiled for one kind of GPU", "Load the PyTorch weights that it was built from."),
    (0, b"\x12\x01\0\0\0\0\0\0", "is a parameter file of MXNet", _CONVERT),
    (0, b"MATLAB 5.0 MAT-file", "is a MATLAB file", f"Copy its arrays into a PyTorch module {_OWN_CODE}."),
    (0, b"MATLAB 7.3 MAT-file", "is a MATLAB file", f"Copy its arrays into a PyTorch module {_OWN_CODE}."),
    (0, b"\x1f\x8b", "is compressed with gzip", _UNPACK),
    (0, b"\xfd7zXZ\0", "is compressed with xz", _UNPACK),
    (0, b"BZh", "is compressed with bzip2", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "is compressed with zstd", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "is a 7z archive", _UNPACK),
    (0, b"Rar!", "is a RAR archive", _UNPACK),
    (257, b"ustar", "is a tar archive", _UNPACK),
    (0, b"\x89PNG", "is an image", "Open it as the image, and choose a file of weights here."),
    (0, b"\xff\xd8\xff", "is an image", "Open it as the image, and choose a file of weights here."),
    (0, b"%PDF", "is a PDF document", "Choose a file of weights (.safetensors, .pt or .pth)."),
)
"""Offset of the bytes, the bytes, the kind of the file, and advice."""


def refusal_of(path: Path, head: bytes) -> str | None:
    """Return the refusal of a file of another tool; None where the file may hold PyTorch's weights.

    Parameters
    ----------
    path
        The file; read beyond ``head`` only if it is a ZIP archive.
    head
        Its first bytes, some hundreds at least where the file has them.
    """
    found = _of_magic(head) or _of_text(head) or _of_protobuf(head) or _of_msgpack(head)
    if found is None and head.startswith(b"PK\x03\x04"):
        found = _of_archive(path)
    return None if found is None else f"“{path.name}” {found[0]}, so it was not loaded. {found[1]}"


def folder_refusal(path: Path) -> str:
    """Return the refusal of a folder, which some tools write instead of a file."""
    names: set[str] = set()
    with contextlib.suppress(OSError):  # a folder that may not be listed is still a folder
        names = {entry.name for entry in path.iterdir()}
    if {"saved_model.pb", "saved_model.pbtxt"} & names:
        return f"“{path}” is a SavedModel of TensorFlow. {_CONVERT}"
    if path.suffix == ".mlpackage":
        return f"“{path}” is a package of Core ML. {_CONVERT}"
    if "data.pkl" in names:
        return f"“{path}” is a checkpoint that was unpacked. Choose the file that it was unpacked from."
    return f"“{path}” is a folder. Choose a file of weights in it (.safetensors, .pt or .pth)."


def _of_magic(head: bytes) -> tuple[str, str] | None:
    return next(((what, cure) for at, magic, what, cure in _MAGIC if head[at:].startswith(magic)), None)


def _of_text(head: bytes) -> tuple[str, str] | None:
    """Recognise JSON, XML and plain text; a weights file has a control byte within its first hundred."""
    try:
        text = head.decode("utf-8-sig", errors="strict" if len(head) < 512 else "ignore").lstrip()
    except UnicodeDecodeError:
        return None
    if not text or any(ord(letter) < 32 and letter not in "\t\r\n\f" for letter in text):
        return None
    if "<net " in text and text.startswith("<"):
        return "is a network of OpenVINO", _CONVERT
    if is_web_page(head):
        return None  # the caller has its own sentence for this
    if text.startswith("{") and '"weight_map"' in text:
        return (
            "is the index of a checkpoint in several files",
            "Join them: load each, put their tensors into one dict, and save that with torch.save.",
        )
    if text.startswith(("{", "[")):
        return "is a JSON text, not weights", "Choose the file of weights that it belongs to (.safetensors, .pt or .pth)."
    if len(head) < 16:
        return None  # too short to be distinguished from a damaged file
    return "is a text, not weights", "Choose a file of weights (.safetensors, .pt or .pth)."


def _of_archive(path: Path) -> tuple[str, str] | None:
    """Recognise ZIP archives by the names of their members; None for torch.save's, and for a damaged one."""
    try:
        with zipfile.ZipFile(path) as archive:
            names, unpacked = archive.namelist(), sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    if unpacked > _BLOWN_UP * path.stat().st_size:
        return (
            f"would unpack to {unpacked / 1e6:,.0f} MB, {_BLOWN_UP} times its size and more, as no weights do",
            "Fetch or write it again.",
        )
    ends = {name.rpartition("/")[2] for name in names}
    paths = "\n".join(f"/{name}" for name in names)
    if "model.weights.h5" in ends:
        return "is a model of Keras", f"Copy its arrays into a PyTorch module {_OWN_CODE}."
    if "serialized_exported_program.json" in ends or re.search(r"/(models/[^/]+\.json|archive_format)$", paths, re.MULTILINE):
        return "is a program of torch.export, not weights", "Save its weights alone: torch.save(program.state_dict, FILE)."
    if "constants.pkl" in ends and "/code/" in paths:
        return "is a TorchScript archive, which is code", _SAVE
    if "extern_modules" in ends:
        return "is an archive of torch.package, which holds code", _SAVE
    if "/MAR-INF/" in paths:
        return "is a model archive of TorchServe", _UNPACK
    if names and all(name.endswith(".npy") for name in names):
        return "holds arrays of NumPy (.npz)", f"Copy them into a PyTorch module {_OWN_CODE}."
    if "data.pkl" not in ends:
        return "is a ZIP archive that torch.save did not write", _UNPACK
    return None


def _of_msgpack(head: bytes) -> tuple[str, str] | None:
    """Recognise Flax's files: a map of at most 15 entries (0x81 to 0x8f) whose first key is a short text (0xa0 to 0xbf)."""
    if len(head) < 8 or not 0x81 <= head[0] <= 0x8F or not 0xA1 <= head[1] <= 0xBF:
        return None
    key = head[2 : 2 + (head[1] & 0x1F)]
    return ("is a msgpack file, as Flax writes", _CONVERT) if key.replace(b"_", b"a").isalnum() else None


def _of_protobuf(head: bytes) -> tuple[str, str] | None:
    """Recognise ONNX, TensorFlow, Core ML and Caffe by the first fields of their message.

    A field is a tag (its number times 8, plus 2 for a text or a message inside), a length and its bytes:

    - ONNX ModelProto: 1 the version of the format (a number), then 2 the producer's name, 7 the graph or 8 the operators' version;
    - Core ML Model: 1 the version, then 2 the description, whose field 1 is an input, whose field 1 is its name;
    - TensorFlow SavedModel: 1 the version, then 2 a graph, whose field 1 are facts about it;
    - TensorFlow GraphDef: 1 a node, whose field 1 is its name and field 2 its operation;
    - Caffe NetParameter: 1 the network's name, then 100 or 2 a layer.
    """
    if len(head) < 8:
        return None
    if head[0] == 0x08 and 1 <= head[1] < 0x80:
        tag, inside = head[2], _inside(head, 3)
        if tag == 0x12 and inside is not None:
            length, start = inside
            if head[start] == 0x0A and not _is_text(head[start : start + length]):
                first = _inside(head, start + 1)
                named = first is not None and head[first[1]] == 0x0A and _text_at(head, first[1] + 1)
                return ("is a model of Core ML", _CONVERT) if named else ("is a SavedModel of TensorFlow", _CONVERT)
            return ("is an ONNX model", _CONVERT) if _is_text(head[start : start + length]) else None
        return ("is an ONNX model", _CONVERT) if tag in (0x3A, 0x42, 0x1A) and inside is not None else None
    if head[0] == 0x0A:
        node = _inside(head, 1)
        if node is not None and head[node[1]] == 0x0A and _text_at(head, node[1] + 1):
            return "is a frozen graph of TensorFlow", _CONVERT
        name = _text_at(head, 1)
        if name and head[2 + len(name) : 3 + len(name)] in (b"\x12", b"\xa2", b"\x1a"):
            return "is a network of Caffe", _CONVERT
    return None


def _inside(head: bytes, at: int) -> tuple[int, int] | None:
    """Return length and start of the field whose length is stored at ``at`` (seven bits a byte, least first); None if it is cut off."""
    length = shift = 0
    for index in range(at, min(at + 9, len(head))):
        length |= (head[index] & 0x7F) << shift
        shift += 7
        if head[index] < 0x80:
            return (length, index + 1) if length and index + 1 < len(head) else None
    return None


def _text_at(head: bytes, at: int) -> bytes:
    """Return the printable text whose length, below 128, is stored at ``at``; empty where there is none."""
    text = head[at + 1 : at + 1 + head[at]] if at < len(head) and head[at] < 0x80 else b""
    return text if _is_text(text) else b""


def _is_text(value: bytes) -> bool:
    return _TOKEN.fullmatch(value) is not None
