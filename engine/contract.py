"""The contract of a classifier: one row of finite logits per image, which the image alone decides, and which passes gradients."""

from __future__ import annotations

from dataclasses import dataclass, replace


def no_gradient(name: str) -> str:
    """The sentence where a gradient is asked of a model that has none."""
    return (
        f"The model “{name}” passes no gradient to its input, so attacks that need gradients cannot work on it. "
        "Use one that knows scores only (Square, One pixel) or labels only (HopSkipJump, Substitute)."
    )


@dataclass(frozen=True)
class Contract:
    """In which ways a network departs from the contract. One that departs in any of these is loaded, and said to do so."""

    random: bool = False
    """The same image asked about twice gives other logits."""
    mixes_rows: bool = False
    """An image's logits depend on the images beside it, or on their number."""
    squashed: bool = False
    """All outputs lie in [0, 1] whatever the image, and do not sum to 1: probably a sigmoid's."""
    differentiable: bool = True
    """Gradients of the logits reach the image."""
    computes_again: bool = False
    """Layers are called again while gradients are computed, where no bound or replaced activation can follow them."""
    sites_vary: bool = False
    """The number or order of rectifier calls differs between two passes, so that a call cannot be told from another."""

    def joined(self, other: Contract) -> Contract:
        """The contract of a network with a function before or inside it, of which ``other`` is known."""
        return replace(self, random=self.random or other.random, mixes_rows=self.mixes_rows or other.mixes_rows)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What every result on this classifier should say, a sentence each."""
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
        """What the model's card should say: the remarks, and what it cannot be used for."""
        said = {
            "The model passes no gradient to its input: only attacks that know scores or labels work on it.": not self.differentiable,
            "The model computes layers again in the backward pass, so they cannot be bounded. Turn checkpointing off.": self.computes_again,
            "The model calls other rectifiers from pass to pass, so its activations are not shown.": self.sites_vary,
        }
        return (*self.remarks, *(sentence for sentence, holds in said.items() if holds))
