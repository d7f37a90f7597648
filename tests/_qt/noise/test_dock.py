"""The Noise dock, and the line on the noise in the Denoise dock."""

import numpy as np
import pytest
from scipy import ndimage

from tests.helpers import scene


@pytest.fixture
def open_noise(make_napari_viewer, qtbot):
    """Opens a viewer with an image and the Noise dock, and waits for its report."""

    def open_(data, **options):
        viewer = make_napari_viewer()
        viewer.add_image(data, name="cells", **options)
        _, dock = viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Noise")
        measured(dock, qtbot)
        return viewer, dock

    return open_


def measured(dock, qtbot):
    qtbot.waitUntil(lambda: "Measuring" not in dock.verdict.text(), timeout=30_000)


def photons(shape=(128, 128), seed=0):
    truth = np.broadcast_to(np.linspace(10, 100, shape[-1]), shape)
    return 2.0 * np.random.default_rng(seed).poisson(truth)


def rows(shape=(128, 128)):
    noise = ndimage.gaussian_filter1d(np.random.default_rng(0).standard_normal(shape), 0.8, axis=1)
    return scene(shape) + 20 * noise


def test_the_dock_says_what_python_says(open_noise, qtbot):
    from napari_lotadenoise import estimate_noise
    from napari_lotadenoise.comparison import advice
    from napari_lotadenoise.noise.words import noise_lines

    data = photons()
    _, dock = open_noise(data)
    report = estimate_noise(data, "YX")
    assert dock.verdict.text().lower() == f"{report.verdict}.".lower()
    assert dock.verdict.text().startswith("Signal-dependent (gain 2")
    assert dock.numbers.text() == "\n".join(noise_lines(report))
    assert advice.summary(report) in dock.advice.text()
    points, line = dock.plot.transfer.listDataItems()
    np.testing.assert_allclose(points.getData()[1], report.fit.variances)
    assert np.ptp(line.getData()[1]) > 0
    along_y = dock.plot.correlation.listDataItems()[0].getData()[1]
    np.testing.assert_allclose(along_y, [1.0, *report.autocorrelation["y"]])


def test_the_report_follows_the_layer_and_its_axes(open_noise, qtbot):
    viewer, dock = open_noise(photons())
    viewer.add_image(rows(), name="camera")
    qtbot.waitUntil(lambda: "pixels along x" in dock.verdict.text(), timeout=30_000)
    viewer.layers.selection.active = viewer.layers["cells"]
    qtbot.waitUntil(lambda: "Signal-dependent" in dock.verdict.text(), timeout=1000)  # remembered
    viewer.layers.clear()
    assert "Open an image" in dock.verdict.text()
    assert not dock.copy.isEnabled()


def test_time_frames_give_a_photon_transfer(open_noise, qtbot):
    _, dock = open_noise(photons((4, 96, 96)), axis_labels=("t", "y", "x"))
    assert dock.report.repeats.gain == pytest.approx(2.0, rel=0.15)
    assert len(dock.plot.transfer.listDataItems()) == 3


def test_numbers_can_be_copied(open_noise, qtbot):
    from qtpy.QtWidgets import QApplication

    _, dock = open_noise(photons())
    dock.copy.click()
    assert "variance = gain * intensity + offset" in QApplication.clipboard().text()


@pytest.mark.parametrize(
    ("data", "says"),
    [(np.ones((32, 32)), "constant"), (np.zeros((3, 3)), "3 x 3"), (np.full((32, 32), np.nan), "finite")],
)
def test_what_cannot_be_measured_is_said(open_noise, qtbot, data, says):
    _, dock = open_noise(data)
    assert says in dock.verdict.text()
    assert dock.numbers.text() == ""


def test_the_denoise_dock_tells_the_noise_and_one_button_makes_the_stride_fit(open_dock, qtbot):
    from tests._qt.conftest import finish, steps

    _, dock = open_dock(rows())
    qtbot.waitUntil(lambda: dock.noise_line.report is not None, timeout=30_000)
    assert "pixels along x" in dock.noise_line.text()
    assert "Careful" not in dock.noise_line.text(), "the stride is chosen by the noise"
    assert dock.use_stride.isHidden()
    steps(dock, 2, stride=1)
    assert "Careful" in dock.noise_line.text()
    assert dock.use_stride.text() == f"Use stride {dock.noise_line.report.stride}"
    assert not dock.use_stride.isHidden()
    dock.denoise()
    finish(dock, qtbot)
    assert len(dock.viewer.layers) == 2, "warned, and done all the same"
    assert dock.viewer.layers[-1].metadata["lotadenoise"]["training"]["stride"] == 1
    dock.use_stride.click()
    assert "Careful" not in dock.noise_line.text()
    assert dock.use_stride.isHidden()
    assert dock.request().training.stride == dock.noise_line.report.stride


def test_closing_while_measuring_leaves_nothing_behind(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    viewer.add_image(photons((6, 256, 256)))
    _, dock = viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Noise")
    thread = dock.measurement.measuring
    assert thread.daemon, "nobody waits for it"
    viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: not thread.is_alive(), timeout=30_000)
