"""The U-Net of Noise2Noise with all that its heirs have put into it: partial convolutions, dropout, attention."""

from __future__ import annotations

import itertools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_lotadenoise import ops
from napari_lotadenoise.nets.base import conv_type, in_plane, max_pool, norm_type
from napari_lotadenoise.nets.footprints import reach
from napari_lotadenoise.nets.unet import Hourglass

#: Of the leaky ReLUs.
SLOPE = 0.1


class LehtinenUNet(Hourglass):
    """The U-Net of Noise2Noise (Lehtinen et al. 2018) as its heirs use it: Self2Self, Blind2Unblind, Blind2Grad.

    One convolution a level on the way down, two on the way up, equally wide all along; nearest up-sampling; the input
    itself is the last skip. With width 48 and five levels it is the published one.

    Parameters
    ----------
    channels, ndim : int
    width, levels : int
    norm : "none" or "batch"
        Normalisation in the decoder.
    dropout : float
        Share of the decoder's inputs that are dropped, 0 to 1, where `forward` is given a source of chance.
    attention : bool
        Whether each decoder block weighs its channels (Blind2Grad, eq. 3.12).
    gradient : bool
        Whether the decoder block at half resolution sees the gradient magnitude of its input too (Blind2Grad).
    dilation : int
        Of the first two convolutions; above 1 they pass over the nearest neighbours.
    early : bool
        Whether the last skip holds the features of the first convolution instead of the image itself; learnt in far fewer
        steps.
    """

    def __init__(
        self,
        channels: int,
        ndim: int,
        *,
        width: int = 48,
        levels: int = 5,
        norm: str = "none",
        dropout: float = 0.0,
        attention: bool = False,
        gradient: bool = False,
        dilation: int = 1,
        early: bool = False,
    ) -> None:
        super().__init__()
        # Both ways there are two convolutions before the first pooling.
        self.stem = _Descent([channels, width] if early else [channels], ndim, dilation, training_images=False)
        steps = [_Descent([width, width] if early else [channels, width, width], ndim, dilation)]
        steps += [_Descent([width, width], ndim) for _ in range(levels - 1)]
        self.down = nn.ModuleList(steps)
        self.bottom = _Descent([width, width], ndim, training_images=False)
        self.rise = nn.ModuleList(nn.Upsample(scale_factor=in_plane(ndim), mode="nearest") for _ in range(levels))
        ups = []
        last = width if early else channels
        for level in reversed(range(levels)):
            w_in = (width if level == levels - 1 else 2 * width) + (width if level else last)
            widths = [2 * width, 2 * width] if level else [4 * width // 3, 2 * width // 3]
            extra = gradient and level == 1
            ups.append(_Ascent(w_in, widths, ndim, norm=norm, dropout=dropout, attention=attention, gradient=extra))
        self.up = nn.ModuleList(ups)
        self.head = conv_type(ndim)(2 * width // 3, channels, 3, padding=1)
        self.multiple = 2**levels
        # The pooled output of a level is the skip of the next one, so that convolutions come before each pooling.
        self.halo = reach(down=[2 * dilation, *[1] * (levels - 1)], bottom=1, up=[3, *[2 + gradient] * (levels - 1)])
        self.depth_halo = 2 * dilation + (levels - 1) + 1 + 2 * levels + 1

    def forward(
        self,
        image: Tensor,
        visible: Tensor | None = None,
        protected: Tensor | None = None,
        rng: ops.Chance | None = None,
    ) -> Tensor:
        """Denoise; sides of the image are multiples of `multiple`.

        Parameters
        ----------
        image : tensor (N, C, [Z], Y, X)
        visible : tensor (N, C or 1, [Z], Y, X), optional
            1 where a pixel is seen, 0 where it is hidden from the partial convolutions.
        protected : tensor (N, 1, [Z], Y, X), optional
            1 where no decoder input may be dropped (T-Standout, Blind2Grad eq. 3.11).
        rng : Generator or RandomField, optional
            Source of dropout; without it nothing is dropped.
        """
        x, seen = self.stem(image if visible is None else image * visible, visible)
        skips = []
        for down in self.down:
            skips.append(x)
            x, seen = down(x, seen)
        x, _ = self.bottom(x, seen)
        for rise, up, skip in zip(self.rise, self.up, reversed(skips), strict=True):
            x = up(torch.cat([rise(x), skip], dim=1), protected, rng)
        return self.head(x)


class _Descent(nn.Module):
    """Partial convolutions and a pooling; carries along which pixels have been seen (Liu et al., ECCV 2018)."""

    def __init__(self, widths: list[int], ndim: int, dilation: int = 1, *, training_images: bool = True) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            conv_type(ndim)(w_in, w_out, 3, padding=dilation, dilation=dilation)
            for w_in, w_out in itertools.pairwise(widths)
        )
        self.dilation = dilation
        self.act = nn.LeakyReLU(SLOPE)
        self.training_images: nn.Module = max_pool(ndim) if training_images else nn.Identity()

    def forward(self, x: Tensor, seen: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return features and what of them stems from pixels that were seen."""
        for convolution in self.convolutions:
            x, seen = self._partial(convolution, x, seen)
            x = self.act(x)
        return self.training_images(x), None if seen is None else self.training_images(seen)

    def _partial(self, convolution: Any, x: Tensor, seen: Tensor | None) -> tuple[Tensor, Tensor | None]:
        if seen is None:
            return convolution(x), None
        bias = convolution.bias.view(1, -1, *[1] * (x.ndim - 2))
        share = self._window_mean(seen.mean(1, keepdim=True))
        known = (share > 0).to(x.dtype)
        raw = convolution(x) - bias  # hidden inputs are 0 already
        return (raw / share.clamp_min(1e-3) + bias) * known, known

    def _window_mean(self, seen: Tensor) -> Tensor:
        """Return the share of each convolution's window that is seen; what lies beyond the image counts as hidden."""
        kernel = seen.new_full((1, 1, *[3] * (seen.ndim - 2)), 1 / 3 ** (seen.ndim - 2))
        convolve = F.conv2d if seen.ndim == 4 else F.conv3d
        return convolve(seen, kernel, padding=self.dilation, dilation=self.dilation)


class _Ascent(nn.Module):
    """Two convolutions of the decoder with dropout before each, and a weight for each channel after them."""

    def __init__(
        self,
        w_in: int,
        widths: list[int],
        ndim: int,
        *,
        norm: str,
        dropout: float,
        attention: bool,
        gradient: bool,
    ) -> None:
        super().__init__()
        conv, batch_norm = conv_type(ndim), norm_type(ndim)
        pairs = list(itertools.pairwise([w_in + gradient, *widths]))
        self.convolutions = nn.ModuleList(conv(a, b, 3, padding=1) for a, b in pairs)
        self.norms = nn.ModuleList(batch_norm(b) if norm == "batch" else nn.Identity() for _, b in pairs)
        self.act = nn.LeakyReLU(SLOPE)
        self.dropout, self.gradient = dropout, gradient
        self.attention = ChannelAttention(widths[-1]) if attention else None

    def forward(self, x: Tensor, protected: Tensor | None, rng: ops.Chance | None) -> Tensor:
        """Decode one level."""
        if self.gradient:
            x = torch.cat([x, ops.gradient_magnitude(x.mean(1, keepdim=True))], dim=1)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = self.act(norm(convolution(self._drop(x, protected, rng))))
        return x if self.attention is None else self.attention(x)

    def _drop(self, x: Tensor, protected: Tensor | None, rng: ops.Chance | None) -> Tensor:
        if rng is None or not self.dropout:
            return x
        kept = ops.bernoulli_features(x, 1 - self.dropout, rng).to(x.dtype).mul_(1 / (1 - self.dropout))
        if protected is not None:
            pool = F.adaptive_max_pool2d if x.ndim == 4 else F.adaptive_max_pool3d
            kept = torch.where(pool(protected, x.shape[2:]) > 0, 1.0, kept)
        return x * kept


class ChannelAttention(nn.Module):
    """Weighs channels by sigmoid(W2 relu(W1 mean)), the mean taken over the image (squeeze and excitation).

    In evaluation the mean is the running one of training, as in batch normalisation: tiles of one image must be weighed
    alike, or their seams would show.
    """

    mean: Tensor

    def __init__(self, width: int, reduction: int = 8) -> None:
        super().__init__()
        self.excite = nn.Sequential(
            nn.Linear(width, max(1, width // reduction)),
            nn.ReLU(),
            nn.Linear(max(1, width // reduction), width),
            nn.Sigmoid(),
        )
        self.register_buffer("mean", torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """Scale each channel."""
        if self.training:
            squeezed = x.float().mean(tuple(range(2, x.ndim)))
            with torch.no_grad():
                self.mean.lerp_(squeezed.mean(0), 0.1)
        else:
            squeezed = self.mean[None]
        weights = self.excite(squeezed).to(x.dtype)
        return x * weights.view(*weights.shape, *[1] * (x.ndim - 2))
