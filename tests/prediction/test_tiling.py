import numpy as np
import pytest
import torch

from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.engine import run
from napari_lotadenoise.image.stack import Layout, Stack
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.options import Options
from napari_lotadenoise.prediction import tiling
from tests.helpers import SINGLE, few_passes, quick, scene


@pytest.mark.parametrize("method", SINGLE)
@pytest.mark.parametrize("volume", [False, True])
def test_tiled_is_untiled(method, volume, monkeypatch):
    """Odd tiles, odd image, every network: no seam anywhere."""
    if volume and 3 not in METHODS[method].info.dimensions:
        pytest.skip("a method for planes only")
    if METHODS[method].requires.package:
        pytest.skip("a package whose grid of blocks begins where a tile does")
    shape = (5, 53, 45) if volume else (53, 45)
    image = scene(shape) + np.random.default_rng(0).normal(0, 10, shape).astype(np.float32)
    options = Options(axes="ZYX" if volume else "YX", volume=volume)
    configured, training = configure(METHODS[method], **few_passes(quick(method, steps=2, crop=16, batch=1)))

    def denoised(side: int, depth: int) -> np.ndarray:
        monkeypatch.setattr(tiling, "tile_side", lambda *_, **__: side)
        monkeypatch.setattr(tiling, "DEPTH", depth)
        return list(run(image, configured, training, options))[-1].result.image

    np.testing.assert_allclose(denoised(27, 2), denoised(512, 512), rtol=1e-5, atol=2e-3)


def test_margins_align_with_the_network():
    for start in range(40):
        window = (slice(start, start + 7), slice(0, 33))
        margins = tiling.margins_for(window, halo=5, multiple=4)
        for part, (before, after) in zip(window, margins, strict=True):
            assert before >= 5
            assert after >= 5
            assert (part.start - before) % 4 == 0
            assert (before + part.stop - part.start + after) % 4 == 0


def test_slow_methods_get_smaller_tiles():
    slow, quick_ = METHODS["nlm"], METHODS["zs-n2n"]
    assert tiling.tile_side(slow.tiling, slow.cost) < tiling.tile_side(quick_.tiling, quick_.cost)


def test_a_tile_holds_the_image_where_it_says():
    from napari_lotadenoise.normalisation.affine import measure

    image = np.random.default_rng(0).random((40, 40)).astype(np.float32)
    stack = Stack(image, Layout("YX"))
    scale = measure(stack, 0, "deviation")
    geometry = tiling.TileGeometry(halo=7, size_multiple=4)
    tile = tiling.read_tile(stack, geometry, scale, torch.device("cpu"), 0, 0, (slice(10, 20), slice(30, 40)))
    np.testing.assert_allclose(scale.inverse(tile.image[tile.place].numpy())[0], image[10:20, 30:40], atol=1e-6)
    assert tile.origin == (0, 20)
    assert [n % 4 for n in tile.image.shape[-2:]] == [0, 0]
