"""The fast gradient sign method, and a finished run of it at another eps."""
