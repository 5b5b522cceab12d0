"""The engine's threads, and the two kinds of work that they do: jobs (long) and requests (short). Nothing here imports torch."""
