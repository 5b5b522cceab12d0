"""Engine threads and what they take: jobs (long) and requests (short). Nothing here imports torch."""
