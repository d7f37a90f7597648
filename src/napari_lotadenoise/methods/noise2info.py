"""Noise2Info: Noise2Same with a noise level that is learnt from the noise that has been removed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_lotadenoise import ops
from napari_lotadenoise._lazy import torch
from napari_lotadenoise.contract.method import Info, Preset, StepContext, StepOutput
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods.noise2same import REFERENCE, Noise2Same, noise_bound

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network

#: Side of the crops that the noise level is estimated on, and how many of them go through the network at once.
SIDE, BATCH = 64, 16
#: Parts of 1 that the measured noise is told in: means of such a number over some thousand steps are the number itself.
_EXACT = 4096


@dataclass(frozen=True)
class Noise2Info(Noise2Same):
    """Noise2Info (Wang, Di, Chen & Ng, ICCV 2023), on one image.

    The loss of Noise2Same with sigma from a bound that gets tighter as the network learns (eq. 6, algorithm 2). Every
    `every` steps, with R and I as there and E from `removed_noise_spread` (algorithm 1),

        sigma* = sqrt(I) + sqrt(max(I + R - E, 0)),

    per pixel. Sigma starts at 1 (the deviation of the image) in the paper and never rises. One unlucky low estimate would be
    for ever, so that by default two in a row must be lower, and the higher of both is taken.

    Where there is texture, R holds what was removed of it, and the bound ends 10 to 25 % above the noise. Here sigma starts at
    the noise that is measured in the flattest parts of the image instead, and the bound may only lower it.
    """

    id: ClassVar = "noise2info"
    info: ClassVar = Info(
        title="Noise2Info",
        idea="Reconstructs the image while hiding a pixel changes little, and learns the noise level from what it removes.",
        assumes="noise that is independent between pixels, zero on average and of one distribution everywhere",
        fails="on correlated noise (it is kept), on clipped noise; sigma is a mean where noise depends on the signal",
        source="Wang, Di, Chen & Ng, Noise2Info: Noisy Image to Information of Noise for Self-Supervised Image Denoising, "
        "ICCV 2023",
        url="https://openaccess.thecvf.com/content/ICCV2023/html/"
        "Wang_Noise2Info_Noisy_Image_to_Information_of_Noise_for_Self-Supervised_Image_Denoising_ICCV_2023_paper.html",
    )
    presets: ClassVar = {
        "fast": dataclasses.replace(Noise2Same.presets["fast"], parameters={"start": "measured"}),
        "paper": Preset(
            REFERENCE,
            {
                "architecture": "residual", "width": 96, "box": 14, "every": 900, "patches": 6400, "confirm": "none",
            },
        ),
    }  # fmt: skip

    # Estimates of sigma, every so many steps, are a part of the mean step.
    cost: ClassVar = Noise2Same.cost._replace(step=3.2)

    every: int = knob(50, "Training steps between two estimates of the noise level.", ge=1, le=10_000, step=50)
    patches: int = knob(32, "Crops that an estimate looks at.", ge=1, le=100_000, step=8)
    draws: int = knob(10, "Random draws from the removed noise in an estimate (k_mc).", ge=1, le=1000, step=1)
    confirm: str = knob(
        "two",
        "What lowers sigma: any lower estimate, the higher of two in a row, or the median of three.",
        choices=("none", "two", "median"),
    )

    start: str = knob(
        "deviation",
        "What sigma begins with: the noise measured in the flattest parts of the image, or the deviation of the whole image.",
        choices=("measured", "deviation"),
    )

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Remember sigma, the estimates so far, and what they are made from."""
        state = super().prepare(training_images, unit)
        nothing = torch.zeros((), device=training_images.device)
        if self.start == "measured" and not self.sigma:
            state.sigma = torch.minimum(state.sigma, nothing + _measured(training_images))
        state.training_images, state.raw, state.spread, state.estimates = training_images, state.sigma, nothing, []
        return state

    def before_step(self, net: Network, state: SimpleNamespace, context: StepContext) -> None:
        """Estimate the noise level where it is due (algorithm 2)."""
        if context.step == 0 or context.step % self.every or self.sigma:
            return
        net.eval()
        with torch.no_grad():
            state.raw = self._estimate(net, state, context)
        net.train()
        state.estimates = [*state.estimates[-2:], state.raw]
        proposed = self._confirmed(state.estimates)
        # An estimate that is not a number fails the comparison, and with it the proposal.
        state.sigma = torch.where(proposed < state.sigma, proposed, state.sigma)

    def step(self, net: Network, crops: Tensor, state: SimpleNamespace, context: StepContext) -> StepOutput:
        """Return the bound of Noise2Same with the present sigma."""
        step_output = super().step(net, crops, state, context)
        values = {name: value for name, value in step_output.values.items() if name != "sigma assumed"}
        more = {
            "sigma": state.sigma,
            "sigma raw": state.raw,
            "E": state.spread,
            "signal dependence": state.spread / step_output.values["R"].detach(),
        }
        return step_output._replace(values={**values, **more})

    def _estimate(self, net: Network, state: SimpleNamespace, context: StepContext) -> Tensor:
        """Estimate sigma* from crops all over the training images."""
        reconstruction, invariance, removed = [], [], []
        for _ in range(-(-self.patches // BATCH)):
            crops = ops.random_crops(state.training_images, SIDE, min(self.patches, BATCH), context.rng)
            parts = self.parts(net, crops, context.rng)
            reconstruction.append(parts.reconstruction)
            invariance.append(parts.invariance)
            removed.append((parts.seen - crops).flatten(1))
        state.spread = removed_noise_spread(torch.cat(removed), self.draws, context.rng)
        return noise_bound(torch.stack(reconstruction).mean(), torch.stack(invariance).mean(), state.spread)

    def _confirmed(self, estimates: list[Tensor]) -> Tensor:
        if self.confirm == "none":
            return estimates[-1]
        needed = {"two": 2, "median": 3}[self.confirm]
        if len(estimates) < needed:
            return torch.full_like(estimates[-1], float("inf"))
        last = torch.stack(estimates[-needed:])
        return last.max() if self.confirm == "two" else last.median()


def _measured(training_images: Tensor) -> float:
    """Return the deviation of the noise by the flattest parts of images (N, C, [Z], Y, X), in their units."""
    from napari_lotadenoise.noise import measure_images

    images = training_images.cpu().numpy()
    found = float(np.sqrt(measure_images(images).fit.typical_variance(images).mean()))
    return round(found * _EXACT) / _EXACT


def removed_noise_spread(removed: Tensor, draws: int, rng: torch.Generator) -> Tensor:
    """Return how far the noise removed from single patches is from the noise removed from all of them (Noise2Info, algorithm 1).

    The squared Wasserstein distance between the values of a patch and as many values drawn from those of all patches,
    in both of which the k-th smallest are matched; the mean over patches and draws, per pixel. About 0 where all patches
    lose the same kind of noise, larger where noise depends on the signal.

    Parameters
    ----------
    removed : tensor (patches, pixels)
        Output minus input of each patch.
    draws : int
        Random draws from all removed noise (k_mc).
    rng : torch.Generator
    """
    rows = removed.float().sort(1).values
    everything = removed.float().flatten()
    total = torch.zeros((), device=removed.device)
    for _ in range(draws):
        chosen = torch.randint(len(everything), (rows.shape[1],), generator=rng, device=removed.device)
        total = total + (rows - everything[chosen].sort().values).square().mean()
    return total / draws
