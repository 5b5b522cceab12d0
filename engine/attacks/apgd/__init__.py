"""APGD: the attack, and the state of its step-size rule."""
