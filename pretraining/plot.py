"""Draw the logs of trainings: python pretraining/plot.py docs/training docs/images/instant-training.png."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

KINDS = ("grey", "volume")
#: What the logs of further rounds are called, in which a network went on from the weights of the round before.
ROUNDS = ("", "-second", "-third")


def main() -> None:
    """Return one panel a network: PSNR of the held-out crops over the steps, a line for each level of noise."""
    folder, out = map(Path, sys.argv[1:3])
    figure, panels = plt.subplots(1, len(KINDS), figsize=(8, 3.2), layout="constrained")
    for panel, kind in zip(panels, KINDS, strict=True):
        begun = 0
        for path in (folder / f"{kind}{name}.csv" for name in ROUNDS):
            if path.exists():
                begun = draw(panel, path, begun)
        panel.set(title=kind, xlabel="step")
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("held-out PSNR (dB)")
    panels[0].legend()
    figure.savefig(out, dpi=110)


def draw(panel: Axes, path: Path, begun: int) -> int:
    """Draw one round that began after some steps; returns the steps at its end."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    steps = [begun + int(row["step"]) for row in rows]
    for number, name in enumerate(name for name in rows[0] if name.startswith("psnr")):
        label = None if begun else f"noise {name[5:]}"
        panel.plot(steps, [float(row[name]) for row in rows], f"C{number}", label=label)
    panel.axvline(steps[-1], color="grey", lw=0.5)
    return steps[-1]


if __name__ == "__main__":
    main()
