"""Carlini and Wagner's attacks in L2, Linf and L0, and their shared parts."""
