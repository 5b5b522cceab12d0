"""The contract of a classifier: one row of finite logits per image, which the image alone decides, and which passes gradients."""

from __future__ import annotations

from dataclasses import dataclass, replace


def no_gradient(name: str) -> str:
    """Return the error message for a gradient of a model that has none."""
    return (
        f"The model “{name}” passes no gradient to its input, so attacks that need gradients cannot work on it. "
        "Use one that knows scores only (Square, One pixel) or labels only (HopSkipJump, Substitute)."
    )


@dataclass(frozen=True)
class Contract:
    """Departures of a network from the contract. A network with any of these is loaded, and its card and results report them."""

    random: bool = False
    """The same image gives other logits when it is passed again."""
    mixes_rows: bool = False
    """An image's logits depend on the images beside it, or on their number."""
    squashed: bool = False
    """All outputs lie in [0, 1] for every image and do not sum to 1, as those of a sigmoid."""
    differentiable: bool = True
    """Gradients of the logits reach the image."""
    computes_again: bool = False
    """Layers are called again while gradients are computed (checkpointing), where bounds and replaced activations cannot act."""
    sites_vary: bool = False
    """The number or order of rectifier calls differs between two passes, so that calls cannot be matched to sites."""

    def joined(self, other: Contract) -> Contract:
        """Return the contract of this network with a function before or inside it whose contract is ``other``."""
        return replace(self, random=self.random or other.random, mixes_rows=self.mixes_rows or other.mixes_rows)

    @property
    def remarks(self) -> tuple[str, ...]:
        """The sentences that every result on this classifier should show."""
        said = {
            "The model is random: the same image gives other logits when asked about again, so a verdict holds for one pass only. "
            "Judge it over several passes.": self.random,
            "The model does not judge an image alone: its logits change with the other images in a batch, so rows of a batch and single "
            "images differ. Attack images one by one for verdicts that hold by themselves.": self.mixes_rows,
            "The model's outputs all lie between 0 and 1 without summing to 1, as after a sigmoid. Attacks take them for logits and are "
            "weaker for it: return the values that go into the sigmoid.": self.squashed,
        }
        return tuple(sentence for sentence, holds in said.items() if holds)

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentences for the model's card: the remarks, and the uses that are ruled out."""
        said = {
            "The model passes no gradient to its input: only attacks that know scores or labels work on it.": not self.differentiable,
            "The model computes layers again in the backward pass, so they cannot be bounded. Turn checkpointing off.": self.computes_again,
            "The model calls other rectifiers from pass to pass, so its activations are not shown.": self.sites_vary,
        }
        return (*self.remarks, *(sentence for sentence, holds in said.items() if holds))
