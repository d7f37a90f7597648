"""Draw the layers of the package from its import contract: python docs/draw_layers.py docs/images/layers.svg."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from matplotlib.figure import Figure

#: Rooms that only a user of the GUI needs, and those that import no torch by themselves.
GUI = {"_qt"}
PLAIN = {"errors", "contract", "recipe", "samples", "compute", "_lazy", "image", "io", "metrics", "noise", "residual", "result",
         "events", "options", "api", "cli", "comparison"}  # fmt: skip


def main() -> None:
    """Write the drawing."""
    settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["id"] == "layers")
    layers = [[room.strip() for room in layer.replace("|", ":").split(":")] for layer in contract["layers"]]
    figure = Figure(figsize=(7.2, 0.42 * len(layers) + 0.4))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 10), ylim=(-len(layers), 0.6))
    axes.axis("off")
    for row, rooms in enumerate(layers):
        width = 9.0 / len(rooms)
        for column, room in enumerate(rooms):
            colour = "#f6d7b0" if room in GUI else "#dfeaf5" if room in PLAIN else "#cfe8cf"
            left = 0.5 + column * width
            axes.add_patch(_box(left, -row - 0.78, width - 0.12, 0.78, colour))
            axes.text(
                left + width / 2 - 0.06, -row - 0.39, room, ha="center", va="center", fontsize=9, family="monospace"
            )
    axes.text(0.5, 0.25, "imports point down", fontsize=8, color="#555555")
    axes.text(9.4, 0.25, "orange: GUI, green: needs torch", fontsize=8, color="#555555", ha="right")
    figure.savefig(sys.argv[1], metadata={"Date": None})


def _box(left: float, bottom: float, width: float, height: float, colour: str) -> object:
    from matplotlib.patches import FancyBboxPatch

    return FancyBboxPatch(
        (left, bottom), width, height, boxstyle="round,pad=0,rounding_size=0.12", facecolor=colour, edgecolor="#888888"
    )


if __name__ == "__main__":
    main()
