"""The guided tours: the first minute, and one for each lecture that the project implements."""

from __future__ import annotations

from gui.shell.guides.guide import (
    Guide,
    Step,
    aimed,
    bounded,
    chosen,
    drew_sticker,
    explained,
    loaded,
    moved_sticker,
    on_canvas,
    opened,
    ran,
    ran_with_bound,
    ran_with_target,
    scrubbed,
)

_DIGITS = ("digits", "digits-lecture")
_LOAD_DIGITS = Step(
    "Load the model “digits”: press Ctrl+M, type “digits”, press Enter. It reads handwritten digits.",
    loaded(*_DIGITS),
    "Model",
    prepares=True,
)
_FETCH_STOP = (
    Step(
        "Load the model “signs”: press Ctrl+M, type “signs”, press Enter. It reads traffic signs.", loaded("signs"), "Model", prepares=True
    ),
    Step(
        "Open the stop sign: press Ctrl+I, type “stop”, press Enter.",
        on_canvas("sign-stop-32.png", "sign-stop-256.png"),
        "Image",
        prepares=True,
    ),
)

FIRST_MINUTE = Guide(
    "first-minute",
    "The first minute",
    "Attack a stop sign, scrub through the attack, draw a sticker, and make a figure.",
    (
        *_FETCH_STOP,
        Step("Choose the attack “PGD”: press Ctrl+Shift+A, type “PGD”, press Enter.", chosen("pgd"), "Attack", prepares=True),
        Step("Press F5, or Run. PGD changes each value by at most 8/255, so that the stop sign is read as another sign.", ran(), "Run"),
        Step(
            "Drag along the timeline below the images. Every panel shows that iteration; the flip is marked. The right end is the result.",
            scrubbed,
            "Iteration",
        ),
        Step("Press R, and draw a rectangle on one of the images: a sticker.", drew_sticker),
        Step("Choose the attack “Sticker content”: press Ctrl+Shift+A, type “sticker”, press Enter.", chosen("sticker"), "Attack"),
        Step("Press F5. The attack paints the sticker; the rest of the image stays as it is.", ran("sticker"), "Run"),
        Step("Drag the sticker to another place. The prediction follows while you drag.", moved_sticker),
        Step("Press Ctrl+E whenever you want a figure for a paper, with every parameter inside the file. Ctrl+Z takes back any step."),
    ),
)

MOU_JAINI = Guide(
    "mou-jaini",
    "Mou & Jaini 2017: digits that are read as others",
    "The lecture's mini-projects: a targeted image, and an image grown from noise.",
    (
        _LOAD_DIGITS,
        Step("Choose a target other than the digit that you see: press Ctrl+L, and pick a class under “target”.", aimed, "Goal"),
        Step(
            "Press Ctrl+Shift+P, type “gallery of targets”, press Enter, then F5: 50 sign steps of 0.02 towards the target.",
            ran_with_target,
            "Run",
        ),
        Step(
            "Choose the attack “Fooling image” (Ctrl+Shift+A), and press F5: the image is grown from noise, and no digit is in it.",
            ran("fooling"),
            "Run",
        ),
        Step("The menu Reproduce has both galleries with the lecture's numbers beside ours."),
    ),
)

NICOLAE_RAWAT = Guide(
    "nicolae-rawat",
    "Nicolae & Rawat 2017: bounded activations",
    "An upper bound on the activations limits how errors grow from layer to layer.",
    (
        *_FETCH_STOP,
        Step("Press F5 for an attack without any defense.", ran(), "Run"),
        Step(
            "Open Activations, and drag the line at the right edge of a histogram to the left: activations above it are clamped. "
            "The sentence below says what that costs on the clean image, and what it undoes.",
            bounded,
            "activations",
        ),
        Step(
            "Press F5 again: the attack works on the model without the bound, and the sentence says what the bound undoes of it. An attack "
            "that knows the bound needs a model that has it.",
            ran_with_bound,
            "Run",
        ),
        Step("Load “signs-bounded”, which was trained with the bound (Ctrl+M).", loaded("signs-bounded", "signs-bounded-leaky"), "Model"),
        Step("Attack it too (F5), and compare the runs in Runs: how many steps did each one need?", ran(), "Run"),
    ),
)

YOU = Guide(
    "you",
    "You (lecturer): how to attack, and why it works",
    "One step along the gradient, the linear explanation, and transfer to other models.",
    (
        Step("Choose the attack “FGSM” (Ctrl+Shift+A): one step of length eps along the sign of the gradient.", chosen("fgsm"), "Attack"),
        Step("Press F5. The curve below the form shows the probabilities for every eps.", ran("fgsm"), "Run"),
        Step("Drag the slider “move eps”, and watch where the prediction flips. Each release keeps a run.", ran("fgsm"), "attack"),
        Step(
            "Open Transfer, and add another model. An image that fools one model often fools the next; the column of random noise of the "
            "same size is the control.",
            None,
            "transfer",
        ),
        Step("The menu Reproduce has “The linear explanation” and “Logistic regression, 3 against 7”, with the theory's numbers."),
    ),
)

HORVATH = Guide(
    "horvath",
    "Horváth 2020: one pixel, and stickers",
    "Attacks that change very little of the image, by a lot.",
    (
        *_FETCH_STOP,
        Step(
            "Choose the attack “One pixel” (Ctrl+Shift+A), and press F5. It needs only the model's scores: each candidate is one query.",
            ran("one-pixel"),
            "Run",
        ),
        Step("Open another image (Ctrl+I), and try again: some images are harder than others.", opened, "Image"),
        Step("Press R, and draw a small sticker on the sign.", drew_sticker),
        Step("Choose “Sticker content”, and press F5.", ran("sticker"), "Run"),
        Step("Look at the explanation in the right-hand panel: what the model looks at now is the sticker.", explained, "perturbation"),
    ),
)

WANG = Guide(
    "wang",
    "Wang: data evasion, with as little change as possible",
    "Untargeted and targeted images, with a penalty on the distance.",
    (
        _LOAD_DIGITS,
        Step(
            "Press Ctrl+Shift+P, type “loop of the lectures”, press Enter, then F5: steps along the gradient over its largest magnitude.",
            ran("pgd"),
            "Run",
        ),
        Step("Choose a target (Ctrl+L).", aimed, "Goal"),
        Step(
            "Choose the attack “Targeted with proximity”, and press F5: the loss also holds the distance to the original.",
            ran("proximity"),
            "Run",
        ),
        Step(
            "Compare both runs in Runs: which one changed less, and which one is more certain? The menu Reproduce has the lecture's tables."
        ),
    ),
)

GUIDES: tuple[Guide, ...] = (FIRST_MINUTE, MOU_JAINI, NICOLAE_RAWAT, YOU, HORVATH, WANG)
