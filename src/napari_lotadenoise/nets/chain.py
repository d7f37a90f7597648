"""Plain chains of convolutions: the network of ZS-N2N, and DnCNN."""

from __future__ import annotations

from torch import Tensor, nn

from napari_lotadenoise.nets.base import Network, conv_type, norm_type


class Chain(Network):
    """A plain chain of 3 x 3 convolutions with a last one of its own size; `residual` makes it predict the noise.

    With two hidden layers, slope 0.2, a 1 x 1 head and a residual output it is the network of ZS-N2N (Mansour & Heckel
    2023, 21 313 weights for one channel and width 48); with seven hidden layers, slope 0, batch normalisation and a
    3 x 3 head it is DnCNN-8.
    """

    def __init__(
        self,
        channels: int,
        ndim: int,
        *,
        width: int = 48,
        layers: int = 2,
        slope: float = 0.2,
        head: int = 1,
        norm: str = "none",
        residual: bool = True,
    ) -> None:
        super().__init__()
        conv = conv_type(ndim)
        parts: list[nn.Module] = []
        for index in range(layers):
            normed = norm == "batch" and index > 0
            parts.append(conv(channels if index == 0 else width, width, 3, padding=1, bias=norm == "none"))
            parts += [norm_type(ndim)(width)] if normed else []
            parts.append(nn.LeakyReLU(slope))
        parts.append(conv(width, channels, head, padding=head // 2, bias=norm == "none"))
        self.body = nn.Sequential(*parts)
        self.residual = residual
        self.halo = self.depth_halo = layers + head // 2

    def forward(self, image: Tensor) -> Tensor:
        """Denoise."""
        return image - self.body(image) if self.residual else self.body(image)
