import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_lotadenoise import ops


def image(*shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal(shape).astype(np.float32))


def test_diagonal_pair_takes_both_diagonals_of_each_cell():
    cell = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    a, b = ops.diagonal_pair(cell)
    assert a.item() == (2 + 3) / 2
    assert b.item() == (1 + 4) / 2


def test_diagonal_pair_has_independent_noise_of_half_the_variance():
    a, b = ops.diagonal_pair(image(1, 1, 512, 512))
    assert a.var().item() == pytest.approx(0.5, rel=0.02)
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] == pytest.approx(0, abs=0.01)


def test_diagonal_pair_leaves_z_alone():
    volume = image(1, 1, 3, 8, 8)
    a, _ = ops.diagonal_pair(volume)
    assert a.shape == (1, 1, 3, 4, 4)
    assert torch.equal(a[:, :, 1], ops.diagonal_pair(volume[:, :, 1])[0])


def test_donut_mean_is_the_convolution_that_it_says():
    plane = image(1, 1, 9, 11)
    kernel = np.array([[0.5, 1, 0.5], [1, 0, 1], [0.5, 1, 0.5]]) / 6
    expected = ndimage.convolve(plane[0, 0].numpy(), kernel, mode="mirror")
    np.testing.assert_allclose(ops.donut_mean(plane)[0, 0].numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("side", [2, 3, 4])
def test_grids_part_the_image(side):
    x = image(1, 1, 10, 13)
    labels = ops.grid_labels(x, side)
    assert labels.shape == (10, 13)
    for number in range(side**2):
        rows, columns = torch.nonzero(labels == number, as_tuple=True)
        assert torch.all(rows % side == number % side)
        assert torch.all(columns % side == number // side)
    assert labels.min() == 0
    assert labels.max() == side**2 - 1


def test_grids_move_on_from_plane_to_plane():
    labels = ops.grid_labels(image(1, 1, 3, 8, 8), 4)
    hidden = labels == 5
    assert not (hidden[0] & hidden[1]).any()
    assert not (hidden[0, :, :-1] & hidden[1, :, 1:]).any()
    assert hidden.sum() == 3 * 4


def test_random_labels_part_the_image_in_about_equal_sets():
    labels = ops.random_labels(image(1, 1, 200, 200), 16, torch.Generator().manual_seed(0))
    counts = torch.bincount(labels.flatten(), minlength=16)
    assert len(counts) == 16
    assert torch.all((counts / 2500 - 1).abs() < 0.1)


@pytest.mark.parametrize("name", ["donut", "zero", "random"])
def test_only_hidden_pixels_are_filled(name):
    x = image(1, 1, 20, 20)
    fill = {"donut": ops.donut_mean, "zero": ops.zeros, "random": ops.random_fill(torch.Generator().manual_seed(0))}
    mask = ops.grid_labels(x, 4) == 3
    filled = ops.hide(x, mask, fill[name])
    assert torch.equal(filled[..., ~mask], x[..., ~mask])
    assert not (filled[..., mask] == x[..., mask]).any()


def test_hidden_error_is_the_true_error_plus_the_noise_variance():
    # Batson & Royer, proposition 1, for the function that returns the clean image plus 0.3.
    noise = image(1, 1, 400, 400)
    error = ops.hidden_error(lambda hidden: torch.full_like(hidden, 5.3), 5 + noise, ops.grid_labels(noise, 4) == 7)
    assert error.item() == pytest.approx(0.3**2 + 1, rel=0.03)


def test_j_invariant_output_does_not_depend_on_the_pixel_itself():
    x = image(1, 1, 12, 12)
    other = x.clone()
    other[0, 0, 5, 6] += 100
    function = ops.donut_mean
    labels = ops.grid_labels(x, 4)
    before, after = (ops.j_invariant(lambda v: v + function(v), y, labels, 16) for y in (x, other))
    assert before[0, 0, 5, 6] == after[0, 0, 5, 6]
    assert not torch.equal(before, after)


@pytest.mark.parametrize("shape", [(1, 1, 9, 10), (2, 3, 2, 9, 10)])
def test_block_mean_is_the_mean_of_whole_blocks(shape):
    x = image(*shape)
    pooled = ops.block_mean(x, 4)
    assert pooled.shape == (*shape[:-2], 2, 2)
    assert pooled[..., 1, 0].flatten()[0].item() == pytest.approx(
        x[..., 4:8, 0:4].flatten(0, -3)[0].mean().item(), abs=1e-6
    )


def test_block_mean_of_a_block_larger_than_the_image_is_the_mean():
    x = image(1, 1, 5, 6)
    assert ops.block_mean(x, 64).item() == pytest.approx(x.mean().item(), abs=1e-6)
