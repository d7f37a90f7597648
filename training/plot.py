"""Draw the logs of trainings: python training/plot.py training/runs docs/images/instant-training.png."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import matplotlib.pyplot as plt

KINDS = ("grey", "volume")


def main() -> None:
    """One panel a network: PSNR of the held-out crops over the steps, a line for each level of noise."""
    folder, out = map(Path, sys.argv[1:3])
    figure, panels = plt.subplots(1, len(KINDS), figsize=(8, 3.2), layout="constrained")
    for panel, kind in zip(panels, KINDS, strict=True):
        with (folder / f"{kind}.csv").open() as file:
            rows = list(csv.DictReader(file))
        for name in (name for name in rows[0] if name.startswith("psnr")):
            panel.plot(
                [int(row["step"]) for row in rows], [float(row[name]) for row in rows], label=f"noise {name[5:]}"
            )
        panel.set(title=kind, xlabel="step")
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("held-out PSNR (dB)")
    panels[0].legend()
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    main()
