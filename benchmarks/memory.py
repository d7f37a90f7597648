"""Peak memory of a comparison of one and of ten methods: no more may be kept than the ten results.

    python benchmarks/memory.py --side 2048

Prints peak resident memory in MB, and by how many pictures (float32) nine more methods have raised it. Each number runs
in a process of its own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys

import numpy as np


def main() -> None:
    options = _parse()
    if options.count:
        print(_peak(options.count, options.side, options.method))
        return
    picture = 4 * options.side**2 / 1e6
    peaks = {count: _measured(count, options) for count in (1, 10)}
    for count, peak in peaks.items():
        print(f"{count:3} of {options.method}: {peak:.0f} MB")
    print(f"nine more methods: {(peaks[10] - peaks[1]) / picture:.1f} pictures of {picture:.0f} MB")


def _measured(count: int, options: argparse.Namespace) -> float:
    command = [sys.executable, __file__, "--count", str(count), "--side", str(options.side), "--method", options.method]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _peak(count: int, side: int, method: str) -> float:
    from napari_lotadenoise import compare
    from napari_lotadenoise.comparison import Candidate

    image = np.random.default_rng(0).normal(100, 10, (side, side)).astype(np.float32)
    entries = [Candidate(method, {"steps": 20 + number}) for number in range(count)]
    found = compare(image, entries, threads=1)
    assert all(outcome.result is not None for outcome in found.outcomes)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--method", default="zs-n2n", help="one that is trained")
    parser.add_argument("--count", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
