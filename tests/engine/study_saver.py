"""A process that lets children save one study after another and kills them. It imports the engine once, since that takes seconds.

After each kill it prints the number of the last save that ended and of the last that began, and waits for a line.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path


def main(path: Path, times: int, seed: int) -> None:
    """Kill ``times`` children."""
    from engine import attacks, study
    from tests.engine.study_scenes import a_run

    runs = tuple(a_run(attacks.FGSM(eps=0.01 * number), number) for number in range(1, 9))
    random_ = random.Random(seed)
    for _ in range(times):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            number = 0
            while True:
                number += 1
                os.write(writing, b"b")
                study.write(study.Study(runs=runs[: 1 + number % 8], workspace=str(number)), path)
                os.write(writing, b"e")
        os.close(writing)
        said = os.read(reading, 2)
        time.sleep(random_.uniform(0, 0.12))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while more := os.read(reading, 1 << 16):
            said += more
        os.close(reading)
        print(said.count(b"e"), said.count(b"b"), flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
