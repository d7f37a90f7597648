"""Train the network of the method `instant`: python pretraining/train.py --kind grey --photographs FOLDER ...

Everything is drawn from the seed and the number of the step, so that a run that was interrupted goes on as if nothing had
happened; only the processor's own rounding differs between machines.
"""

from __future__ import annotations

import argparse
import copy
import csv
import math
import time
from pathlib import Path

import numpy as np
import torch
from coloured import coloured_pairs
from crops import Source, draw, source_for
from muon import Muon
from noise import BLEED, CORRELATED, correlated, noisy_pairs, seen_at_ends
from safetensors.torch import load_file
from scipy import ndimage
from torch import Tensor

from napari_lotadenoise.compute.process_settings import fast_bfloat16
from napari_lotadenoise.nets import InstantNet, shipped

#: Planes that the networks see at a time.
PLANES = {"grey": 1, "volume": shipped.PLANES, "coloured": 1}
#: Share of the steps in which the rate rises, and the last ones, which see crops twice as large, in fewer numbers.
WARM, LARGE = 0.03, 0.15
DECAY = 0.999
#: Seed of the held-out images, the same for all trainings, so that their logs can be compared.
JUDGES = 0
#: Side of the blocks whose means count as well where noise is coloured, since it is coarse, and their weight in the loss.
COARSE, COARSE_WEIGHT = 4, 0.3
#: Width of the Gaussian kernel of the coloured noise of held-out images, pixels.
SOFT = 1.0
#: Deviations (of 255) at which held-out images are denoised for the log.
LEVELS = (15, 25, 50)


def main() -> None:
    """Train, or go on training, and write the weights."""
    told = arguments()
    torch.set_num_threads(told.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    crops = "volume" if told.kind == "volume" else "grey"
    source = source_for(crops, PLANES[told.kind], told.photographs, told.seed)
    unseen = source_for(crops, PLANES[told.kind], told.photographs, JUDGES, held_out=True)
    held_out = draw(unseen, np.random.default_rng(JUDGES), 48, 128)
    run = Run(told, device)
    run.resume()
    begun = time.monotonic() - run.seconds
    while run.step < told.steps:
        run.learn(source)
        run.seconds = time.monotonic() - begun
        if run.step % told.every == 0 or run.step == told.steps:
            run.report(held_out)
            run.save()


def arguments() -> argparse.Namespace:
    """Return what to train, and how long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=PLANES, default="grey")
    parser.add_argument("--photographs", type=Path, nargs="*", default=[], help="folders of JPEG files")
    parser.add_argument("--folder", type=Path, default=Path("pretraining/runs"), help="of the checkpoint and the log")
    parser.add_argument(
        "--begin-from", type=Path, help="checkpoint, or shipped file, of a network of this kind, or of the grey one"
    )
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--correlated", type=float, default=CORRELATED, help="share of crops with correlated noise")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=1000, help="steps between two checkpoints")
    return parser.parse_args()


class Run:
    """A training: the network, its optimiser, its average, and where it is."""

    def __init__(self, told: argparse.Namespace, device: torch.device) -> None:
        self.told, self.device = told, device
        torch.manual_seed(told.seed)
        net = InstantNet(PLANES[told.kind])
        if told.begin_from:
            begin_from(net, weights_in(told.begin_from))
        self.net = net.to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).requires_grad_(False)
        self.optimiser = Muon(self.net)
        self.bfloat16 = device.type == "cuda" or fast_bfloat16()
        self.coloured = told.kind == "coloured"
        self.step, self.seconds, self.losses = 0, 0.0, []
        told.folder.mkdir(parents=True, exist_ok=True)
        self.path, self.log = told.folder / f"{told.kind}.pt", told.folder / f"{told.kind}.csv"

    def learn(self, source: Source) -> None:
        """Take one step."""
        rng = np.random.default_rng([self.told.seed, self.step])
        chance = torch.Generator().manual_seed(self.told.seed * 1_000_003 + self.step)
        large = self.step >= (1 - LARGE) * self.told.steps and self.told.kind != "volume"
        count, side = (max(1, self.told.batch // 4), 2 * self.told.side) if large else (self.told.batch, self.told.side)
        crops = draw(source, rng, count, side)
        noisy, target = (part.to(self.device) for part in self._pairs(crops, rng, chance))
        noisy = seen_at_ends(noisy, rng)
        keep = slice(self.net.depth_halo, self.net.depth_halo + 1)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            found = self.net(noisy.contiguous(memory_format=torch.channels_last))
        error = noisy[:, keep] - found - target[:, keep]
        # The root of each crop's own error: between decibels, which flat crops would rule, and squares, which noise would.
        loss = _roots(error)
        if self.coloured:
            loss = loss + COARSE_WEIGHT * _roots(torch.nn.functional.avg_pool2d(error, COARSE))
        self.optimiser.step(loss, self.rate())
        with torch.no_grad():
            weight = 1 - min(DECAY, (1 + self.step) / (10 + self.step))
            torch._foreach_lerp_(list(self.average.parameters()), list(self.net.parameters()), weight)
        self.step += 1
        self.losses.append(float(loss.detach()))

    def _pairs(self, crops: Tensor, rng: np.random.Generator, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        if self.coloured:
            return coloured_pairs(crops, rng, chance)
        return noisy_pairs(crops, rng, chance, self.told.correlated)

    def rate(self) -> float:
        """Return one rise and a cosine down to nothing."""
        done = self.step / self.told.steps
        if done < WARM:
            return self.told.rate * (done / WARM + 1e-3)
        return self.told.rate * (0.5 + 0.5 * math.cos(math.pi * (done - WARM) / (1 - WARM)))

    @torch.inference_mode()
    def report(self, held_out: Tensor) -> None:
        """Add a line to the log: the loss, and PSNR (peak 1) of held-out crops with Gaussian noise."""
        row: dict[str, float] = {"step": self.step, "seconds": round(self.seconds), "rate": round(self.rate(), 7)}
        row["loss"] = round(float(np.mean(self.losses)), 4)
        for level in LEVELS:
            row[f"psnr {level}"] = self._psnr(held_out, level)
        row[f"correlated {LEVELS[1]}"] = self._psnr(held_out, LEVELS[1], bleed=BLEED / 2)
        if self.coloured:
            row.update({f"coloured {level}": self._psnr(held_out, level, soft=SOFT) for level in LEVELS})
        if self.average.depth_halo:
            row[f"ends {LEVELS[1]}"] = self._psnr(held_out, LEVELS[1], ends=1)
        print(row, flush=True)
        new = not self.log.exists()
        with self.log.open("a", newline="") as file:
            writer = csv.DictWriter(file, row)
            if new:
                writer.writeheader()
            writer.writerow(row)
        self.losses = []

    def _psnr(self, held_out: Tensor, level: int, *, bleed: float = 0, soft: float = 0, ends: float = 0) -> float:
        chance = torch.Generator().manual_seed(level)
        noise = torch.randn(held_out.shape, generator=chance)
        if bleed:
            noise = correlated(noise.flatten(0, 1), torch.full((3, 3), bleed)).view_as(noise)
        if soft:
            noise = torch.from_numpy(ndimage.gaussian_filter(noise.numpy(), (0, 0, soft, soft), mode="wrap"))
            noise /= noise.std()
        noisy = (held_out * (255 / level) + noise - 127 / level).to(self.device)
        noisy = seen_at_ends(noisy, np.random.default_rng(JUDGES), ends)
        keep = slice(self.average.depth_halo, self.average.depth_halo + 1)
        clean = noisy[:, keep] - self.average(noisy)
        error = (clean.cpu() + 127 / level) * (level / 255) - held_out[:, keep]
        return round(float(-10 * error.square().mean((1, 2, 3)).clamp_min(1e-6).log10().mean()), 3)

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        state = {
            "step": self.step, "seconds": self.seconds, "net": self.net.state_dict(),
            "average": self.average.state_dict(), "optimiser": self.optimiser.state(),
        }  # fmt: skip
        torch.save(state, self.path.with_suffix(".new"))
        self.path.with_suffix(".new").replace(self.path)

    def resume(self) -> None:
        """Go on from the checkpoint, where there is one."""
        if not self.path.exists():
            return
        state = torch.load(self.path, weights_only=True, map_location=self.device)
        self.step, self.seconds = state["step"], state["seconds"]
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.resume(state["optimiser"])


def weights_in(path: Path) -> dict[str, Tensor]:
    """Read weights from a checkpoint, or from a file as the package carries it."""
    if path.suffix == ".safetensors":
        return {name: tensor.float() for name, tensor in load_file(path).items()}
    return torch.load(path, weights_only=True)["average"]


def _roots(error: Tensor) -> Tensor:
    return (error.square().mean((1, 2, 3)) + 1e-4).sqrt().mean()


def begin_from(net: InstantNet, weights: dict[str, Tensor]) -> None:
    """Give a network the weights of another; one for volumes begins as a grey one on its middle plane."""
    stem = weights["stem.weight"]
    if stem.shape != net.stem.weight.shape:
        first = 4 * net.depth_halo
        around = torch.zeros_like(net.stem.weight)
        around[:, first : first + 4] = stem
        stem = around
    net.load_state_dict({**weights, "stem.weight": stem})


if __name__ == "__main__":
    main()
