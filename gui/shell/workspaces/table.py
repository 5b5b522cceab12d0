"""The table of the workspaces, in the order of the rail."""

from __future__ import annotations

from gui.shell.workspaces.spec import Column, WorkspaceSpec

WORKSPACES: tuple[WorkspaceSpec, ...] = (
    WorkspaceSpec(
        "attack",
        "Attack",
        "mdi6.bullseye-arrow",
        "Set up an attack, run it, and see what it does to the prediction",
        left=Column((("attack", "image", "model", "stickers"),)),
        right=Column((("prediction",), ("perturbation", "trust")), share=0.21, shares=(48, 52)),
        bottom=Column((("results", "activations", "runs", "messages"),), 0.21),
    ),
    WorkspaceSpec(
        "stickers",
        "Stickers",
        "mdi6.sticker-outline",
        "Draw stickers, order them and edit them",
        left=Column((("stickers", "attack", "image", "distortion"),)),
        right=Column((("prediction",), ("perturbation",)), share=0.21, shares=(48, 52)),
        bottom=Column((("runs", "results", "messages"),), 0.21),
    ),
    WorkspaceSpec(
        "explain",
        "Explain",
        "mdi6.lightbulb-on-outline",
        "See what the model looks at, which neurons spike, and what a bound changes",
        left=Column((("activations",),)),
        right=Column((("perturbation",), ("prediction",)), share=0.21, shares=(52, 48)),
        bottom=Column((("results", "runs", "messages"),), 0.21),
    ),
    WorkspaceSpec(
        "compare",
        "Compare",
        "mdi6.compare",
        "Hold runs against each other, and try the image on other models",
        left=Column((("runs",),), least=264, share=0.2),
        right=Column((("comparison",), ("prediction", "perturbation")), share=0.265, shares=(50, 50), most=560),
        bottom=Column((("transfer", "results", "messages"),), 0.21),
    ),
    WorkspaceSpec(
        "defend",
        "Defend",
        "mdi6.shield-outline",
        "Bound activations, train a model, and choose the one under study",
        left=Column((("training", "defense", "model"),), 0.28),
        right=Column((("curves", "activations"), ("wall",)), 0.72, shares=(76, 24)),
        bottom=Column((("messages", "runs"),), 0.21),
        canvas=False,
    ),
    WorkspaceSpec(
        "test",
        "Test",
        "mdi6.table-check",
        "Measure attacks and models in tables",
        left=Column((("batch", "tables", "robustness", "experiments", "transfer", "hardness", "distortion"),), 1.0),
        bottom=Column((("messages", "runs", "results"),), 0.21),
        canvas=False,
    ),
)
