"""Every figure that is asked for, measured: ``python -m tests.acceptance --data DIR``."""
