"""Auto in the dock: one press, and nothing else touched."""

import numpy as np
from qtpy.QtCore import Qt
from scipy import ndimage

from tests._qt.conftest import finish
from tests.helpers import scene


def grains(width, shape=(128, 128)):
    noise = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal(shape), width)
    return scene(shape) + (20 * noise / noise.std()).astype(np.float32)


def test_one_press_measures_chooses_and_denoises(open_dock, qtbot):
    viewer, dock = open_dock(grains(0.8), method="auto")
    assert dock.settings.method.itemText(0) == "Auto"
    qtbot.mouseClick(
        dock.run_bar.denoise_button, Qt.MouseButton.LeftButton
    )  # whether or not the noise is measured by now
    qtbot.waitUntil(lambda: len(viewer.layers) == 2 and dock.session is None, timeout=60_000)
    recipe = viewer.layers[-1].metadata["lotadenoise"]
    assert recipe["method"] == "instant"
    assert "correlated over about" in recipe["notes"][0]
    seconds = dock.sentence.text().rpartition("about ")[2]
    assert "since the noise is correlated" in dock.settings.about.text()
    assert dock.settings.about.text().endswith(f"; {seconds}")


def test_auto_waits_for_the_noise_and_forgets_it_with_the_layer(open_dock, qtbot):
    viewer, dock = open_dock(grains(0.8), method="auto")
    qtbot.waitUntil(lambda: dock.noise_line.report is not None, timeout=30_000)
    dock.noise_line.measurement.going_on = True
    dock.denoise()
    assert dock.session is None
    assert "Measuring the noise first" in dock.run_bar.status.text()
    dock.noise_line.measurement.going_on = False
    dock._on_report(dock.noise_line.report)
    assert dock.session is not None
    finish(dock, qtbot)
    assert len(viewer.layers) == 2


def test_only_this_image_keeps_the_shipped_network_out(open_dock, qtbot):
    _, dock = open_dock(grains(0.0), method="auto")
    qtbot.waitUntil(lambda: dock.noise_line.report is not None, timeout=30_000)
    assert dock.request().method.id == "instant"
    dock.settings.only_this_image.setChecked(True)
    request = dock.request()
    assert request.method.id == "nl-ridge"
    assert not request.options.prior
    assert "seen nothing but this image" in dock.settings.about.text()
    dock.settings.choose("lota-n2n")
    assert dock.settings.only_this_image.isHidden()
    assert dock.request().method.id == "lota-n2n"
