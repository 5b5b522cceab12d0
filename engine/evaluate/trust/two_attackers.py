"""Trust lights of a defense that need no further pass, where two attackers have been compared."""

from __future__ import annotations

from engine.evaluate.knowing import Both
from engine.evaluate.trust.light import Light, compared, frequent, unmeasured
from engine.evaluate.trust.measuring import of_the_attack


def lights_of(both: Both) -> tuple[Light, ...]:
    """Return the lights that an attacker who knows a defense and one who does not decide together.

    The latter's images are a transfer from the model without the defense, which no white-box attack may fall behind; and he is one whose
    gradient is that of a surrogate.
    """
    fresh = ~both.aware.reached_before
    falls = fresh & both.plain.success
    transfer = compared(
        "transfer-beats-white-box", ("attacker who does not know", both.unaware_success[fresh]), ("who knows", both.aware.success[fresh])
    )
    if bool(falls.any()):
        surrogate = frequent("surrogate", "images that fool the model without the defense alone", ~both.unaware_success[falls])
    else:
        surrogate = unmeasured("surrogate", "The attack does not fool the model without the defense either.")
    return (transfer, surrogate, *of_the_attack(both.aware))
