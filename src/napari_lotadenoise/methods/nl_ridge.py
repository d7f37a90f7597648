"""NL-Ridge: each patch becomes the best linear combination of the noisy patches that look like it."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from napari_lotadenoise import nets
from napari_lotadenoise._lazy import torch
from napari_lotadenoise.contract.capabilities import Cost, Footprint, Tiling
from napari_lotadenoise.contract.method import Info
from napari_lotadenoise.contract.params import knob
from napari_lotadenoise.methods._noise_aware import NoiseAware

if TYPE_CHECKING:
    from torch import Tensor

    from napari_lotadenoise.nets import Network


class Step(NamedTuple):
    """Side of the patches and how many make a group, in one of the two steps."""

    side: int
    group: int


#: Both steps up to a noise deviation on the scale of 0 to 255 (section 4 of the paper).
STEPS = {15.0: (Step(7, 18), Step(7, 55)), 35.0: (Step(9, 18), Step(9, 90)), float("inf"): (Step(11, 20), Step(9, 120))}
#: Noise that is added on paper in the first step, as a share of the variance: the energy of few patches is not well known.
EXTRA = 0.05
#: Of the patches, by which their borders count less (as in BM3D).
TAPER = 2.0


@dataclass(frozen=True)
class NLRidge(NoiseAware):
    """NL-Ridge (Herbreteau & Kervrann, ICIP 2022 and SIAM J. Imaging Sci. 2025); nothing is trained.

    The k patches that look most like one are the rows of Y, and their clean versions are estimated as T Y. With E the
    energy of the noise in a patch, the T of least expected error is

        step 1:  T = I - (1 + a) E (Y Y' + a E)^-1          (from an unbiased estimate of the risk; a = 0.05)
        step 2:  T = I - E (X X' + E)^-1                    (X: the result of step 1, in which patches are also matched)

    Here the rows of T add up to 1, so that a constant stays what it is. Noise that depends on the signal is made equally
    strong first, by the generalised Anscombe transform: that finds better matches than the variances of the paper.
    Patches are put back with the weight 1 / |row of T|^2, in step 2 squared and tapered in both (0.03 dB on Set12 each).

    The grid of reference patches is that of the image, whatever the tile, and the surroundings hold all that a pixel
    depends on: tiles agree up to rounding, but where copies of one patch, mirrored beyond the border of a very small
    image, are exactly as good as each other.
    """

    id: ClassVar = "nl-ridge"
    info: ClassVar = Info(
        title="NL-Ridge",
        idea="Replaces each patch by the best linear combination of the patches that look like it, known in closed form.",
        assumes="noise that is independent between pixels and about normal; content that repeats itself within 37 pixels",
        fails="on correlated noise (it is matched and kept), where noise drowns the patches (streaks), on wrong noise levels",
        source="Herbreteau & Kervrann, Towards a Unified View of Unsupervised Non-Local Methods for Image Denoising: "
        "the NL-Ridge Approach, ICIP 2022",
        url="https://arxiv.org/abs/2203.00570",
        dimensions=(2,),
    )
    tiling: ClassVar = Tiling(smallest=256)
    cost: ClassVar = Cost(step=0.0, predict=4.2, start=0.2, prepare=0.3, each_channel=True, nominal=35.0)

    patch: int = knob(0, "Side of the patches; 0 chooses it by the noise, 7 to 11.", ge=0, le=21, step=1, unit="px")
    group: int = knob(
        0, "Patches in a group of the second step; 0 chooses by the noise, 55 to 120.", ge=0, le=400, step=5
    )
    window: int = knob(
        37, "Side of the window in which similar patches are looked for.", ge=9, le=99, step=2, unit="px"
    )
    spacing: int = knob(4, "Distance of the reference patches.", ge=1, le=7, step=1, unit="px")

    @property
    def footprint(self) -> Footprint:
        """Describe what it sees around a tile."""
        return Footprint(halo=self._halo, multiple=self.spacing)

    @property
    def expected_cost(self) -> Cost:
        """Return the cost: each reference patch is compared with all in its window."""
        usual = NLRidge()
        return self.cost.times(1.0, (self.window / usual.window * usual.spacing / self.spacing) ** 2)

    def network(self, channels: int, ndim: int) -> Network:
        """Return a stand-in for a network: its tiles begin on the grid of reference patches and hold all they depend on."""
        net = nets.Unchanged()
        net.multiple = self.spacing
        net.halo = self._halo
        return net

    def prepare(self, training_images: Tensor, unit: float = 1.0) -> SimpleNamespace:
        """Measure the noise, and choose the patches by it."""
        from napari_lotadenoise.normalisation.noise_normalisation import grey_levels

        state = super().prepare(training_images, unit)
        level = grey_levels(training_images, state.sigma)
        state.steps = next(self._sized(steps) for top, steps in STEPS.items() if level <= top)
        return state

    def for_prediction(self, state: SimpleNamespace) -> SimpleNamespace:
        """Keep the normalisation and the sizes of the patches."""
        return SimpleNamespace(whitening=state.whitening, steps=tuple(tuple(step) for step in state.steps))

    def predict(self, net: Network, image: Tensor, state: SimpleNamespace) -> Tensor:
        """Take both steps; the outer `halo` pixels are surroundings, of which no result is given."""
        if min(image.shape[-2:]) <= 2 * net.halo:
            return image
        with torch.autocast(image.device.type, enabled=False):
            return torch.stack([self._denoised(sample, net.halo, state) for sample in image.float()])

    def _denoised(self, image: Tensor, margin: int, state: SimpleNamespace) -> Tensor:
        first, second = (Step(*step) for step in state.steps)
        noisy = state.whitening.forward(image)
        # The second step asks for a result of the first as far around its own as it looks.
        pilot = self._stepped(noisy, noisy, margin - self._reach(second.side), first, state, EXTRA)
        return state.whitening.inverse(self._stepped(noisy, pilot, margin, second, state, 0.0))

    def _stepped(
        self, noisy: Tensor, pilot: Tensor, margin: int, step: Step, state: SimpleNamespace, extra: float
    ) -> Tensor:
        """Take one step: estimate (C, Y, X) without `margin`, by groups that are matched in the first channel of the pilot."""
        from napari_lotadenoise.ops import patches

        reach, side = self.window // 2, step.side
        # The patch of the grid may lie a window away from the pixel that one of its group is put back on.
        rows, columns = (self._grid(size, margin - reach, side) for size in noisy.shape[-2:])
        result = patches.Mosaic(pilot, side, TAPER)
        for part in patches.row_blocks(rows, columns, reach, side):
            places = patches.similar(pilot[:1], part, columns, side, reach, step.group)
            known, seen = patches.take(pilot, places, side), patches.take(noisy, places, side)
            weights = combination(known, side**2, extra)
            size = weights.square().sum(-1).clamp(1 / weights.shape[-1], 1)
            result.put(weights @ seen, 1 / size if extra else size**-2, places)
        return result.image()

    def _grid(self, size: int, margin: int, side: int) -> range:
        """Return where reference patches begin that touch what lies within the margins: on multiples of the spacing."""
        return range(-(-(margin - side + 1) // self.spacing) * self.spacing, size - margin, self.spacing)

    @property
    def _halo(self) -> int:
        """Return the pixels around a tile that both steps look at, with the largest patches that may be chosen."""
        largest = [max(self._sized(steps)[index].side for steps in STEPS.values()) for index in (0, 1)]
        return sum(self._reach(side) for side in largest)

    def _reach(self, side: int) -> int:
        """Return the pixels around one that a step looks at.

        To its farthest reference patch, and to the farthest of its group.
        """
        return 2 * (self.window // 2 + side - 1)

    def _sized(self, steps: tuple[Step, Step]) -> tuple[Step, ...]:
        """Return the steps with what was given in place of the published numbers."""
        sides, groups = (self.patch or step.side for step in steps), (steps[0].group, self.group or steps[1].group)
        return tuple(Step(side, min(group, self.window**2)) for side, group in zip(sides, groups, strict=True))


def combination(group: Tensor, energy: float, extra: float = 0.0) -> Tensor:
    """Return the matrix T that turns a group of noisy patches into clean ones.

    I - (1 + a) E (Y Y' + a E)^-1, rows adding up to 1.

    Parameters
    ----------
    group : tensor (..., patches, pixels)
        Y: the noisy patches themselves with a > 0, their pilots X with a = 0, where the inverse is of X X' + E.
    energy : float
        E: of the noise in a patch, its pixels times the variance.
    extra : float
        a.

    Returns
    -------
    tensor (..., patches, patches)
    """
    gram = group @ group.mT
    # The last part is what rounding needs where there is next to no noise.
    ridge = (extra or 1.0) * energy + 1e-6 * gram.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True)
    factor = torch.linalg.cholesky_ex(gram + torch.diag_embed(ridge.expand(gram.shape[:-1])))[0]
    inverse = torch.cholesky_inverse(factor)
    sums = inverse.sum(-1)
    inverse = inverse - sums[..., :, None] * sums[..., None, :] / sums.sum(-1)[..., None, None]
    result = -(1 + extra) * energy * inverse
    result.diagonal(dim1=-2, dim2=-1).add_(1)
    return result
