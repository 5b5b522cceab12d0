"""Files of other tools in the place of weights: each is told for what it is, and what to do is said."""

from __future__ import annotations

import gzip
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from engine import models
from engine.errors import GibbonError
from engine.models.architectures import ARCHITECTURES
from engine.models.foreign import refusal_of


def field(number: int, value: bytes | int) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


GRAPH = field(1, field(1, b"node") + field(4, b"Conv")) * 40
ONNX = field(1, 8) + field(2, b"pytorch") + field(3, b"2.3.0") + field(7, GRAPH)
ONNX_WITHOUT_PRODUCER = field(1, 10) + field(7, GRAPH)
ONNX_OPSET_FIRST = field(1, 10) + field(8, field(2, 17)) + field(7, GRAPH)
SAVED_MODEL = field(1, 1) + field(2, field(1, field(2, field(1, field(1, b"Add"))) + field(4, b"serve")) + field(2, GRAPH))
FROZEN = field(1, field(1, b"input") + field(2, b"Placeholder")) + field(1, field(1, b"conv/weights") + field(2, b"Const"))
CORE_ML = field(1, 4) + field(2, field(1, field(1, b"image") + field(3, field(4, b"x" * 200)))) + field(500, GRAPH)
CAFFE = field(1, b"AlexNet") + field(100, field(1, b"data") + field(2, b"Data"))
JSON = json.dumps({"format": "layers-model", "weightsManifest": [{"paths": ["group1-shard1of1.bin"]}]}).encode()
INDEX = json.dumps({"metadata": {}, "weight_map": {"conv.weight": "model-00001-of-00002.safetensors"}}).encode()

HEADS = {
    "m.onnx": (ONNX, "is an ONNX model"),
    "n.onnx": (ONNX_WITHOUT_PRODUCER, "is an ONNX model"),
    "o.onnx": (ONNX_OPSET_FIRST, "is an ONNX model"),
    "saved_model.pb": (SAVED_MODEL, "SavedModel of TensorFlow"),
    "frozen.pb": (FROZEN, "frozen graph of TensorFlow"),
    "m.mlmodel": (CORE_ML, "model of Core ML"),
    "m.caffemodel": (CAFFE, "network of Caffe"),
    "m.h5": (b"\x89HDF\r\n\x1a\n" + bytes(500), "HDF5 file, as Keras"),
    "m.pth": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS pointer.*git lfs pull"),
    "m.safetensors": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "Git LFS pointer"),
    "m.gguf": (b"GGUF\x03\0\0\0" + bytes(100), "GGUF file"),
    "m.tflite": (b"\x1c\0\0\0TFL3" + bytes(100), "TensorFlow Lite"),
    "m.pte": (b"\x1c\0\0\0ET12" + bytes(100), "ExecuTorch"),
    "m.engine": (b"ftrt\0\0\0\0" + bytes(100), "TensorRT engine"),
    "m.params": (b"\x12\x01\0\0\0\0\0\0" + bytes(100), "MXNet"),
    "m.msgpack": (b"\x81\xa6params\x82\xa4conv" + bytes(100), "msgpack file, as Flax"),
    "m.mat": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(100), "MATLAB"),
    "model.json": (JSON, "JSON text"),
    "model.safetensors.index.json": (INDEX, "index of a checkpoint in several files"),
    "m.xml": (b'<?xml version="1.0"?>\n<net name="resnet" version="11">\n', "network of OpenVINO"),
    "page.xml": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', "is a web page"),
    "train.yaml": (b"model: resnet18\nepochs: 90\nlr: 0.1\n", "is a text, not weights"),
    "image.pth": (b"\x89PNG\r\n\x1a\n" + bytes(100), "is an image"),
}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("renamed", [False, True])
def test_a_file_of_another_tool_is_named(tmp_path: Path, name: str, renamed: bool) -> None:
    content, words = HEADS[name]
    path = tmp_path / ("weights.pth" if renamed else name)
    path.write_bytes(content)
    assert_refused(path, words)


def assert_refused(path: Path, words: str) -> None:
    with pytest.raises(GibbonError, match=words) as error:
        models.load(path, architecture="digits", device="cpu")
    sentence = str(error.value)
    assert path.name in sentence
    assert "damaged" not in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


def test_files_that_numpy_and_the_standard_library_write(tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", **{"conv.weight": np.zeros((2, 2)), "conv.bias": np.zeros(2)})
    np.save(tmp_path / "array.npy", np.zeros(9))
    (tmp_path / "weights.gz").write_bytes(gzip.compress(bytes(5000)))
    torch.save({"a": torch.zeros(2)}, tmp_path / "a.pth")
    with tarfile.open(tmp_path / "weights.tar", "w") as archive:
        archive.add(tmp_path / "a.pth", "a.pth")
    with zipfile.ZipFile(tmp_path / "weights.zip", "w") as packed:
        packed.write(tmp_path / "a.pth", "a.pth")
    for name, members in {
        "m.keras": ("metadata.json", "config.json", "model.weights.h5"),
        "m.mar": ("MAR-INF/MANIFEST.json", "model.pth"),
    }.items():
        with zipfile.ZipFile(tmp_path / name, "w") as packed:
            for member in members:
                packed.writestr(member, "{}")
    for name, words in {
        "arrays.npz": "arrays of NumPy",
        "array.npy": "one NumPy array",
        "weights.gz": "compressed with gzip",
        "weights.tar": "tar archive",
        "weights.zip": "ZIP archive that torch.save did not write.*Unpack it",
        "m.keras": "model of Keras",
        "m.mar": "model archive of TorchServe",
    }.items():
        assert_refused(tmp_path / name, words)


@pytest.mark.parametrize(("zeros", "words"), [(1 << 24, "would unpack to 67 MB, 50 times its size and more"), (64, None)])
def test_a_small_archive_that_would_fill_the_memory_is_not_unpacked(tmp_path: Path, zeros: int, words: str | None) -> None:
    state = ARCHITECTURES["digits"].build().state_dict() if words is None else {}
    torch.save({**state, "extra": torch.zeros(zeros)}, tmp_path / "plain.pth")
    with zipfile.ZipFile(tmp_path / "plain.pth") as plain, zipfile.ZipFile(tmp_path / "c.pth", "w", zipfile.ZIP_DEFLATED) as packed:
        for member in plain.namelist():
            packed.writestr(member, plain.read(member))
    if words is None:  # compressed by another tool, and whole
        assert models.load(tmp_path / "c.pth", architecture="digits", device="cpu").num_classes == 10
    else:
        assert_refused(tmp_path / "c.pth", words)


@pytest.mark.filterwarnings("ignore")
def test_programs_of_torch_are_no_weights(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(4, 2), nn.ReLU())
    torch.export.save(torch.export.export(module, (torch.rand(1, 4),)), tmp_path / "program.pt2")
    torch.jit.trace(module, torch.rand(1, 4)).save(str(tmp_path / "traced.pt"))
    assert_refused(tmp_path / "program.pt2", "program of torch.export.*torch.save")
    assert_refused(tmp_path / "traced.pt", "TorchScript archive, which is code")


def test_folders_that_tools_write_in_the_place_of_a_file(tmp_path: Path) -> None:
    for folder, file, words in (
        ("saved", "saved_model.pb", "SavedModel of TensorFlow"),
        ("m.mlpackage", "Manifest.json", "package of Core ML"),
        ("unpacked", "data.pkl", "checkpoint that was unpacked"),
        ("other", "a.txt", "is a folder. Choose a file of weights"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).touch()
        with pytest.raises(GibbonError, match=words):
            models.load(tmp_path / folder, architecture="digits")


def test_what_pytorch_writes_is_never_taken_for_another_tools(tmp_path: Path) -> None:
    """Names and sizes of many kinds: the length of a safetensors header is its first byte, whatever that happens to be."""
    path = tmp_path / "weights"
    for count in range(1, 60):
        state = {f"layer{k}.{'x' * k}": torch.full((k + 1,), float(k)) for k in range(count)}
        save_file(state, path)
        assert refusal_of(path, path.read_bytes()[:4096]) is None
    for new in (True, False):
        torch.save(state, path, _use_new_zipfile_serialization=new)
        assert refusal_of(path, path.read_bytes()[:4096]) is None


def test_a_file_cut_anywhere_is_one_sentence(tmp_path: Path) -> None:
    torch.save({"conv.weight": torch.rand(8, 8)}, tmp_path / "whole.pth")
    save_file({"conv.weight": torch.rand(8, 8)}, tmp_path / "whole.safetensors")
    for name in ("whole.pth", "whole.safetensors"):
        content = (tmp_path / name).read_bytes()
        for length in (*range(1, 40), 100, 300, len(content) - 1):
            (tmp_path / f"cut-{name}").write_bytes(content[:length])
            with pytest.raises(GibbonError, match="cut-whole"):
                models.load(tmp_path / f"cut-{name}", architecture="digits", device="cpu")
