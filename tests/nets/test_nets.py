import pytest
import torch

from napari_lotadenoise.nets import Chain, LehtinenUNet, ResidualUNet, UNet


def parameters(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(("channels", "count"), [(1, 21_313), (3, 22_275)])
def test_the_chain_of_zs_n2n_has_its_published_size(channels, count):
    assert parameters(Chain(channels, 2, width=48, layers=2)) == count


def test_dncnn_8_has_its_published_size():
    net = Chain(1, 2, width=64, layers=7, slope=0.0, head=3, norm="batch", residual=False)
    assert parameters(net) == 223_104


def test_the_unet_of_noise2info_has_its_published_size():
    assert parameters(ResidualUNet(1, 2, width=96, levels=2)) == pytest.approx(5.56e6, rel=0.002)


def test_the_unet_of_self2self_has_its_published_size():
    assert parameters(LehtinenUNet(1, 2, width=48, levels=5)) == pytest.approx(0.99e6, rel=0.005)


NETS = {
    "chain": lambda ndim: Chain(2, ndim, width=6, layers=3, head=3),
    "unet 1": lambda ndim: UNet(2, ndim, width=4, levels=1),
    "unet 2": lambda ndim: UNet(2, ndim, width=4, levels=2),
    "residual unet": lambda ndim: ResidualUNet(2, ndim, width=4, levels=2),
    "lehtinen 3": lambda ndim: LehtinenUNet(2, ndim, width=3, levels=3, norm="batch"),
    "lehtinen, all of it": lambda ndim: LehtinenUNet(
        2, ndim, width=6, levels=2, dropout=0.3, attention=True, gradient=True, dilation=2
    ),
}


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("name", NETS)
def test_shape_is_kept(name, ndim):
    x = torch.randn(2, 2, 3, 24, 32)
    x = x[:, :, 0] if ndim == 2 else x
    assert NETS[name](ndim).eval()(x).shape == x.shape


@pytest.mark.parametrize("name", NETS)
def test_nothing_beyond_the_halo_is_seen(name):
    """Tiles are cut by the halo, so a pixel beyond it must not change the output, whatever the alignment."""
    torch.manual_seed(0)
    net = NETS[name](2).eval().double()
    side = 4 * net.multiple + 2 * net.halo
    side += -side % net.multiple
    x = torch.randn(1, 2, side, side, dtype=torch.float64)
    for centre in range(net.halo, net.halo + net.multiple):
        changed = x.clone()
        changed[..., centre + net.halo + 1 :] += 10.0
        assert torch.equal(net(x)[..., centre], net(changed)[..., centre])


def test_a_volume_is_seen_in_z_too():
    net = Chain(1, 3, width=4, layers=2).eval()
    x = torch.randn(1, 1, 5, 8, 8)
    changed = x.clone()
    changed[:, :, 1] += 1
    assert not torch.equal(net(x)[:, :, 3], net(changed)[:, :, 3])


@pytest.mark.parametrize("name", NETS)
def test_nothing_beyond_the_depth_halo_is_seen(name):
    torch.manual_seed(0)
    net = NETS[name](3).eval().double()
    x = torch.randn(1, 2, 2 * net.depth_halo + 2, 8, 8, dtype=torch.float64)
    changed = x.clone()
    changed[:, :, net.depth_halo + 1 :] += 10.0
    assert torch.equal(net(x)[:, :, 0], net(changed)[:, :, 0])
