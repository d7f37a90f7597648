"""What is hidden around a pixel, what stands in its place, and that it helps against correlated noise."""

import numpy as np
import pytest
import torch

from napari_lotadenoise import denoise, ops
from napari_lotadenoise.contract.method import StepContext, Training
from napari_lotadenoise.errors import ParameterError
from napari_lotadenoise.methods.noise2self import Noise2Self
from napari_lotadenoise.methods.noise2void import Noise2Void
from napari_lotadenoise.metrics import psnr
from napari_lotadenoise.ops import blind_spots
from napari_lotadenoise.training.trainer import Trainer
from tests.helpers import outputs


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=rng())


PICTURES = {
    "pixel": ["......", "......", "...#..", "......", "......"],
    "rows": ["......", "......", ".#####", "......", "......"],
    "columns": ["...#..", "...#..", "...#..", "...#..", "...#.."],
    "cross": ["...#..", "...#..", ".#####", "...#..", "...#.."],
    "square": [".#####", ".#####", ".#####", ".#####", ".#####"],
}


@pytest.mark.parametrize("kind", blind_spots.STRUCTURES)
@pytest.mark.parametrize("planes", [(), (3,)])
def test_a_structure_looks_as_its_name_says_and_stays_in_its_plane(kind, planes):
    mask = torch.zeros(1, 1, *planes, 5, 6, dtype=torch.bool)
    mask[..., 2, 3] = True
    if planes:
        mask[:, :, 1:] = False
    hidden = blind_spots.structured(mask, kind, 2)
    expected = torch.tensor([[letter == "#" for letter in row] for row in PICTURES[kind]])
    assert torch.equal(hidden[0, 0, 0] if planes else hidden[0, 0], expected)
    if planes:
        assert not hidden[:, :, 1:].any()


@pytest.mark.parametrize("shape", [(2, 1, 28, 28), (1, 3, 30, 41), (1, 1, 2, 14, 29), (1, 1, 3, 3)])
def test_there_is_one_spot_in_every_box_even_at_the_edges(shape):
    image = torch.zeros(shape)
    mask = blind_spots.mask_of(blind_spots.one_per_box(image, 7, rng()), image)
    for y in range(0, shape[-2], 7):
        for x in range(0, shape[-1], 7):
            assert torch.all(mask[..., y : y + 7, x : x + 7].sum((-2, -1)) == 1)


def test_spots_reach_every_place_of_a_box_equally_often():
    image, chance = torch.zeros(1, 1, 40, 40), rng()
    hits = sum(blind_spots.mask_of(blind_spots.one_per_box(image, 4, chance), image).float() for _ in range(200))
    by_place = hits.reshape(10, 4, 10, 4).sum((0, 2))
    assert by_place.sum() == 200 * 100
    assert (by_place / 1250 - 1).abs().max() < 0.15


def test_a_window_has_its_surroundings_and_knows_its_centre():
    image = torch.arange(63.0).reshape(1, 1, 7, 9)
    spots = blind_spots.Spots(torch.tensor([[[3, 0, 6]]]), torch.tensor([[[4, 0, 8]]]))
    around = blind_spots.windows(image, spots, 1)
    expected = [image[0, 0, y : y + 3, x : x + 3].flatten() for y, x in ((2, 3), (0, 0), (4, 6))]
    assert torch.equal(around.values[0, 0], torch.stack(expected))
    found = around.values.gather(-1, around.centre[..., None]).squeeze(-1)
    assert found.flatten().tolist() == [31.0, 0.0, 62.0]


@pytest.mark.parametrize("shape", [(1, 2, 16, 16), (1, 1, 2, 5, 16)])
def test_the_median_is_that_of_the_window_without_the_pixel(shape):
    image = noise(*shape)
    spots = blind_spots.one_per_box(image, 4, rng(1))
    medians = blind_spots.median_without_centre(blind_spots.windows(image, spots, 2))
    planes = image.reshape(-1, *shape[-2:]).numpy()
    places = zip(*(t.reshape(len(planes), -1).tolist() for t in (spots.y, spots.x)), strict=True)
    expected = []
    for plane, (rows, columns) in zip(planes, places, strict=True):
        for y, x in zip(rows, columns, strict=True):
            top, left = (min(max(i - 2, 0), n - 5) for i, n in zip((y, x), plane.shape, strict=True))
            values = plane[top : top + 5, left : left + 5].flatten()
            expected.append(np.median(np.delete(values, (y - top) * 5 + x - left)))
    np.testing.assert_allclose(medians.flatten().numpy(), expected, rtol=1e-6)


def test_a_random_neighbour_is_any_pixel_of_the_window_but_the_centre():
    image = torch.arange(81.0).reshape(1, 1, 9, 9)
    spots = blind_spots.Spots(torch.full((1, 1, 8000), 4), torch.full((1, 1, 8000), 4))
    drawn = blind_spots.random_neighbour(blind_spots.windows(image, spots, 1), rng())
    counts = torch.bincount(drawn.flatten().long(), minlength=81)
    ring = [30, 31, 32, 39, 41, 48, 49, 50]
    assert counts[ring].sum() == 8000
    assert (counts[ring] - 1000).abs().max() < 150


def test_values_of_the_image_stay_in_their_channel():
    image = torch.stack([torch.arange(64.0), 100 + torch.arange(64.0)]).reshape(1, 2, 8, 8)
    filled = blind_spots.image_values(rng())(image)
    assert filled.shape == image.shape
    assert set(filled[0, 0].flatten().tolist()) <= set(range(64))
    assert filled[0, 1].min() >= 100
    assert not torch.equal(filled, image)


# ---------------------------------------------------------------- Noise2Void


@pytest.mark.parametrize("loss", ["squared", "absolute"])
@pytest.mark.parametrize("replacement", ["median", "neighbour"])
def test_the_loss_is_the_error_at_the_replaced_pixels_alone(loss, replacement):
    method, y = Noise2Void(loss=loss, replacement=replacement, width=4), noise(2, 1, 16, 16)
    net = method.network(1, 2).eval()
    step_output = method.step(net, y, None, StepContext(0, 10, rng(5)))
    changed = step_output.maps["mask"].bool()
    assert torch.equal(step_output.maps["filled input"][~changed], y[~changed])
    error = (net(step_output.maps["filled input"]) - y)[changed]
    expected = error.square().mean() if loss == "squared" else error.abs().mean()
    torch.testing.assert_close(step_output.losses["hidden pixels"], expected)
    torch.testing.assert_close(step_output.values["sigma"], error.square().mean().sqrt().detach())
    assert changed.sum() == 2 * 16


@pytest.mark.parametrize("replacement", ["median", "neighbour"])
@pytest.mark.parametrize("structure", ["pixel", "rows", "square"])
def test_no_pixel_is_predicted_from_itself(replacement, structure):
    """Other values at the pixels to be predicted leave the input of the network as it is."""
    method, y = Noise2Void(replacement=replacement, structure=structure, radius=5, box=8), noise(1, 1, 16, 16)
    filled, mask, hidden = method._blind(y, rng(3))
    if structure != "pixel":
        assert torch.equal(hidden, blind_spots.structured(mask, structure, 2))
        assert (filled != y)[hidden].float().mean() > 0.9
        return
    places = mask.nonzero()
    one = tuple(places[0].tolist())
    other = y.clone()
    other[one] += 100
    again, _, _ = method._blind(other, rng(3))
    assert again[one] == filled[one]


def correlated(shape: tuple[int, int], sigma: float, seed: int = 1) -> np.ndarray:
    """White noise through a box of three pixels along x."""
    white = np.random.default_rng(seed).normal(0, sigma, (shape[0], shape[1] + 2))
    return ((white[:, :-2] + white[:, 1:-1] + white[:, 2:]) / 3**0.5).astype(np.float32)


@pytest.mark.parametrize(("method", "options"), [("noise2void", {"box": 6}), ("noise2self", {"grid": 6})])
@pytest.mark.slow
def test_hiding_the_row_beats_hiding_the_pixel_where_noise_is_correlated_along_rows(method, options, truth):
    noisy = truth + correlated(truth.shape, 20)
    brief = {"steps": 250, "batch": 1, "ensemble": False, "stride": 1, **options}
    before = psnr(noisy, truth, 255)
    pixel, rows = (
        psnr(denoise(noisy, method, structure=name, **brief).image, truth, 255) for name in ("pixel", "rows")
    )
    assert rows > before + 5
    assert rows > pixel + 3


@pytest.mark.parametrize("method", [Noise2Void, Noise2Self])
def test_images_are_not_turned_away_from_the_structure(method):
    """Of the eight turns those stay that leave rows rows."""
    stripes = torch.arange(16.0).expand(1, 1, 16, 16)
    training = Training(steps=10, crop=8, batch=8, augment=True, ensemble=True, holdout=0)
    for structure, turned in (("pixel", True), ("rows", False), ("columns", False), ("cross", True)):
        trainer = Trainer(stripes, method(structure=structure, width=4, grid=8) if method is Noise2Self else
                          method(structure=structure, width=4), training, seed=0)  # fmt: skip
        crops = torch.cat([trainer.crops.draw() for _ in range(8)])
        along_rows = (crops == crops[:, :, :1]).flatten(1).all(1)
        assert bool((~along_rows).any()) is turned
        assert len(list(outputs(trainer, stripes))) == (8 if turned else 4)


# ---------------------------------------------------------------- Noise2Self


@pytest.mark.parametrize("replacement", ["donut", "random", "zero"])
def test_noise2self_hides_the_structure_and_is_judged_at_the_grid(replacement):
    method, y = Noise2Self(structure="rows", span=1, grid=4, width=4, replacement=replacement), noise(1, 1, 16, 16)
    net = method.network(1, 2).eval()
    step_output = method.step(net, y, None, StepContext(1, 10, rng(5)))
    filled, shown = step_output.maps["filled input"], step_output.maps["mask"]
    targets = (ops.grid_labels(y, 4) == 1)[None, None]
    assert torch.equal(shown == 1, targets)
    assert torch.equal(shown > 0, blind_spots.structured(targets, "rows", 1))
    assert torch.equal(filled[shown == 0], y[shown == 0])
    torch.testing.assert_close(step_output.losses["hidden pixels"], (net(filled) - y)[targets].square().mean())
    if replacement == "zero":
        assert not filled[shown > 0].any()


@pytest.mark.parametrize("structure", ["pixel", "rows", "cross"])
def test_the_j_invariant_result_depends_on_nothing_that_is_hidden(structure):
    """Changing all that is hidden around one pixel does not change it."""
    method = Noise2Self(structure=structure, span=2, grid=4, width=4, inference="j-invariant", replacement="zero")
    y = noise(1, 1, 16, 16)
    one = torch.zeros_like(y, dtype=torch.bool)
    one[..., 5, 9] = True
    other = torch.where(blind_spots.structured(one, structure, 2), y + 10, y)
    first, second = (method.predict(torch.nn.AvgPool2d(7, 1, 3), image, None) for image in (y, other))
    torch.testing.assert_close(first[..., 5, 9], second[..., 5, 9])
    assert (first - second).abs().max() > 0.1


def test_the_score_hides_the_structure_too():
    """To copy the next pixel is perfect where noise is the same all along a row, unless that pixel is hidden."""

    class Next(torch.nn.Module):
        def forward(self, x):
            return x.roll(1, -1)

    rows = noise(1, 1, 32, 1).expand(1, 1, 32, 32).contiguous()
    pixel, hidden = (Noise2Self(structure=name).score(Next(), rows, None).item() for name in ("pixel", "rows"))
    assert pixel < 1e-6
    assert hidden > 0.5


@pytest.mark.parametrize(("structure", "span", "grid"), [("rows", 4, 4), ("cross", 5, 4), ("square", 2, 4)])
def test_a_structure_that_leaves_too_little_is_refused(structure, span, grid):
    with pytest.raises(ParameterError, match="enlarge the grid"):
        Noise2Self(structure=structure, span=span, grid=grid)
    Noise2Self(structure="pixel", span=span, grid=grid)
    Noise2Self(structure=structure, span=span, grid=8)
