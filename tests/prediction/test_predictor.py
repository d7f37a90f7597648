"""A predictor: built without a training, frozen, and the same whatever the tiles."""

import dataclasses

import numpy as np
import pytest
import torch

from napari_lotadenoise import METHODS, ops
from napari_lotadenoise.contract.capabilities import passes_of
from napari_lotadenoise.image.stack import Stack, layout_for, tiles
from napari_lotadenoise.normalisation.affine import Scale
from napari_lotadenoise.prediction.predictor import Predictor
from napari_lotadenoise.prediction.tiling import read_tile

STOCHASTIC = [name for name, kind in METHODS.items() if kind.trained and passes_of(kind())]
PLAIN = Scale(np.zeros(1, np.float32), np.ones(1, np.float32))


def predictor_for(method: str, ndim: int = 2, **options) -> Predictor:
    """A predictor with random weights, that nothing was trained for."""
    kind = METHODS[method]
    configured = dataclasses.replace(kind(), **({"passes": 2} if passes_of(kind()) else {}))
    torch.manual_seed(0)
    net = configured.network(1, ndim).eval()
    images = torch.from_numpy(scene(ndim))[None, None]
    return Predictor(net, configured, configured.prepare(images), PLAIN, torch.device("cpu"), **options)


def scene(ndim: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (4, 48, 48)[-ndim:]).astype(np.float32)


def predicted(predictor: Predictor, image: np.ndarray, side: int) -> np.ndarray:
    """The mean of all outputs, in tiles of a side."""
    stack = Stack(image, layout_for(image.shape, "ZYX"[-image.ndim :], volume=image.ndim == 3))
    out = np.zeros_like(image)
    for window in tiles(stack.spatial, side, 2):
        tile = read_tile(stack, predictor.geometry, predictor.scale, predictor.device, 0, 0, window)
        outputs = list(predictor.outputs(tile))
        stack.write(out, 0, 0, window, torch.stack(outputs).mean(0)[tile.place].numpy())
    return out


def test_five_methods_are_stochastic():
    assert sorted(STOCHASTIC) == ["blind2grad", "mash", "noisier2noise", "recorrupted2recorrupted", "self2self"]


@pytest.mark.parametrize("method", STOCHASTIC)
@pytest.mark.parametrize("options", [{}, {"ensemble": True}, {"stride": 2}], ids=str)
def test_no_grid_of_tiles_changes_what_a_stochastic_method_predicts(method, options):
    predictor, image = predictor_for(method, **options), scene(2)
    np.testing.assert_allclose(predicted(predictor, image, 28), predicted(predictor, image, 64), atol=2e-4)


@pytest.mark.parametrize("method", STOCHASTIC)
def test_passes_differ_and_repeat_with_the_seed(method):
    image = scene(2)
    one, same, other = (predictor_for(method, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(predicted(one, image, 64), predicted(same, image, 64))
    assert not np.array_equal(predicted(one, image, 64), predicted(other, image, 64))
    stack = Stack(image, layout_for(image.shape, "YX"))
    tile = read_tile(stack, one.geometry, one.scale, one.device, 0, 0, stack.full)
    first, second, *_ = one.outputs(tile)
    assert not torch.equal(first, second)


def test_a_predictor_is_frozen():
    predictor = predictor_for("zs-n2n")
    with pytest.raises(dataclasses.FrozenInstanceError):
        predictor.stride = 2


def test_the_ensemble_is_the_mean_over_the_flips_and_rotations():
    predictor, image = predictor_for("zs-n2n", ensemble=True), scene(2)
    tile = read_tile(
        Stack(image, layout_for(image.shape, "YX")),
        predictor.geometry,
        PLAIN,
        predictor.device,
        0,
        0,
        (slice(0, 48),) * 2,
    )
    with torch.inference_mode():
        for k, output in enumerate(predictor.outputs(tile)):
            expected = predictor.method.predict(predictor.net, ops.flip_rotate(tile.image, k), predictor.state)
            torch.testing.assert_close(ops.flip_rotate(output, k), expected)
    assert k == ops.ORIENTATIONS - 1
