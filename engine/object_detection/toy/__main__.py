"""Command ``python -m engine.object_detection.toy OUT_DIR``, which trains the shipped toy detector again: weights and card."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from engine.errors import GibbonError
from engine.files import file_digest, make_folder, replacing
from engine.object_detection.toy.card import NAME, card_of
from engine.object_detection.toy.training import Recipe, train, untrained


def main(arguments: list[str]) -> int:
    """Train the toy detector into the folder given as argument, and return the exit code. A second call resumes an interrupted one."""
    parser = argparse.ArgumentParser(prog="python -m engine.object_detection.toy", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the weights, the card and the state of the training")
    for name, default in asdict(Recipe()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default, help=f"default: {default}")
    given = vars(parser.parse_args(arguments))
    out: Path = given.pop("out")
    try:
        make_folder(out, "Choose another folder.")
        write(out, Recipe(**given))
    except GibbonError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def write(out: Path, recipe: Recipe) -> None:
    """Train with ``recipe`` on one processor core, and write ``toy-signs.safetensors`` and its card."""
    from safetensors.torch import save_file

    torch.set_num_threads(1)  # the number decides the last digits
    network = untrained(recipe.seed)
    for progress in train(network, recipe, out / f"{NAME}.training.pt"):
        print(f"epoch {progress.epoch} of {progress.epochs}: loss {progress.loss:.3f}", flush=True)
    weights = out / f"{NAME}.safetensors"
    with replacing(weights) as staged:
        save_file(network.state_dict(), staged)
    card = card_of(network, recipe, file_digest(weights))
    with replacing(weights.with_suffix(".json")) as staged:
        staged.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{weights}: AP at IoU 0.5 is {card['ap']['mean']:.3f} on {card['held_out_scenes']} scenes that it was not trained on")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
