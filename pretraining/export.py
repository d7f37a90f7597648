"""Write trained weights as the package carries them: python pretraining/export.py pretraining/runs/grey.pt ...

Half precision, which is far finer than what differs between two trainings, and safetensors, which hold no code. Prints
the lines for `napari_lotadenoise.nets.shipped.SHIPPED`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save

from napari_lotadenoise.nets import shipped


def main() -> None:
    """Export each checkpoint that is named."""
    folder = Path(shipped.__file__).parents[1] / "weights"
    for path in map(Path, sys.argv[1:]):
        state = torch.load(path, weights_only=True, map_location="cpu")
        weights = {name: tensor.half().contiguous() for name, tensor in state["average"].items()}
        told = {"kind": path.stem, "steps": str(state["step"]), "card": "docs/instant.md", "licence": "BSD-3-Clause"}
        content = save(weights, {key: json.dumps(value).strip('"') for key, value in told.items()})
        known = shipped.SHIPPED[path.stem]
        (folder / known.file).write_bytes(content)
        new = known._replace(sha256=hashlib.sha256(content).hexdigest())
        print(f'"{path.stem}": {new!r}, {len(content) / 1e6:.2f} MB')


if __name__ == "__main__":
    main()
