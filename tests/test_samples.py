import numpy as np
import pytest

from napari_lotadenoise import samples


def test_the_confocal_stack_has_the_noise_that_it_says():
    """Variance = gain * (mean - pedestal) + read noise^2 + rounding, gain 2, pedestal 100, read noise 3."""
    noisy, truth = samples.confocal()
    assert noisy.dtype == np.uint16
    assert noisy.shape == truth.shape == (12, 256, 256)
    residual = noisy - truth
    assert residual.mean() == pytest.approx(0, abs=0.05)
    for low, high in ((100, 115), (150, 200), (200, 260)):
        part = (truth >= low) & (truth < high)
        assert residual[part].var() == pytest.approx(2 * (truth[part].mean() - 100) + 9 + 1 / 12, rel=0.05)


def test_the_nuclei_are_poisson():
    noisy, truth = samples.nuclei()
    part = truth > 5
    assert part.mean() > 0.2, "the nuclei are densely packed"
    assert (noisy - truth)[part].var() == pytest.approx(truth[part].mean(), rel=0.05)


def test_the_radiograph_has_noise_of_ten():
    noisy, truth = samples.xray()
    assert (noisy - truth).std() == pytest.approx(10, rel=0.01)


def test_the_wide_field_image_has_correlated_noise_that_auto_removes():
    from napari_lotadenoise import denoise

    noisy, truth = samples.wide_field((256, 256))
    residual = (noisy - truth) / np.sqrt(3 * (truth - 100) + 100)
    assert residual.std() == pytest.approx(1, rel=0.03)
    # A Gaussian of width w has an autocorrelation of width w * sqrt(2).
    expected = np.exp(-1 / (4 * samples.COLOURED_WIDTH**2))
    assert (residual[:, 1:] * residual[:, :-1]).mean() == pytest.approx(expected, abs=0.05)
    result = denoise(noisy)
    assert (result.image - truth).std() < 0.45 * (noisy - truth).std()
    assert "correlated over" in result.recipe.notes[0]


@pytest.mark.parametrize("make", [samples.confocal, samples.nuclei, samples.xray, samples.wide_field])
def test_samples_are_the_same_every_time(make):
    assert np.array_equal(make()[0], make()[0])
    assert not np.array_equal(make()[0], make(seed=9)[0])


@pytest.mark.parametrize(
    "make",
    [
        samples.confocal_layers,
        samples.nuclei_layers,
        samples.xray_layers,
        samples.wide_field_layers,
        samples.cell_layers,
    ],
)
def test_layer_data_is_what_napari_wants(make):
    from napari.layers import Layer

    layers = [Layer.create(*layer) for layer in make()]
    assert layers[-1].visible
    assert all(not layer.visible for layer in layers[:-1])
    if len(layers) == 2:
        assert layers[0].units == layers[1].units
        assert "pixel" not in str(layers[0].units)
