"""Make the pictures of the docs that show napari, on the samples that the package makes by itself.

    xvfb-run -a -s "-screen 0 1366x768x24" python docs/make_screenshots.py [--output docs/images]
    xvfb-run -a -s "-screen 0 1920x1080x24" python docs/make_screenshots.py --states [--output docs/_build/states]

The wide-field image is opened, *Denoise* is pressed, nothing else is touched: the picture before, after two seconds, and at the
end. With `--image FILE` another image takes the place of the sample. With `--states`, every state of every dock is taken, in
both themes and on two sizes of screen, to be looked at and not to be kept.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_lotadenoise._qt.shared import memory

#: Screens of a laptop and of a desk, and the themes of napari.
SIZES = ((1366, 768), (1920, 1080))
THEMES = ("dark", "light")


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=None)
    parser.add_argument("--states", action="store_true", help="take all states of the docks, in both themes and sizes")
    parser.add_argument("--image", type=Path, help="image to open in place of the wide-field sample")
    told = parser.parse_args()
    here = Path(__file__).parent
    output = told.output or here / ("_build/states" if told.states else "images")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[memory.FOLDER] = folder  # pictures show the docks as they are at first
        if told.states:
            for size in SIZES:
                for theme in THEMES:
                    states(output, size, theme)
        else:
            first_press(output, told.image)


def states(output: Path, size: tuple[int, int], theme: str) -> None:
    """Take the Denoise dock before, during and after a run, then the Noise and the Compare dock, on a z-stack."""
    viewer = napari.Viewer(show=True)
    viewer.theme = theme
    viewer.window.resize(*size)
    viewer.open_sample("napari-lotadenoise", "confocal")

    def shot(name: str) -> None:
        wait(lambda: False, 1)
        take(viewer, output / f"{name}-{theme}-{size[0]}.png")

    _, dock = viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Denoise")
    wait(lambda: dock.noise_line.report is not None, 60)
    shot("denoise-before")
    dock.settings.choose("lota-n2n", steps=20_000)
    dock.denoise()
    wait(lambda: dock.session is None or dock.session.live.count > 8, 60)
    shot("denoise-running")
    dock.controller.finish_now()
    wait(lambda: not dock.controller.state.busy, 120)
    shot("denoise-after")
    _, noise = viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Noise")
    wait(lambda: noise.report is not None, 60)
    shot("noise")
    viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Compare")
    shot("compare")
    viewer.close()


def first_press(output: Path, image: Path | None) -> None:
    """Take pictures of a wide-field image before, two seconds after the press, and at the end."""
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1366, 740)
    if image is None:
        viewer.open_sample("napari-lotadenoise", "wide_field")
    else:
        viewer.open(image)
    _, dock = viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Denoise")
    wait(lambda: dock.noise_line.report is not None, 60)
    wait(lambda: False, 1)
    take(viewer, output / "auto-before.png")
    QTest.mouseClick(dock.run_bar.denoise_button, Qt.MouseButton.LeftButton)
    begun = time.perf_counter()
    wait(lambda: False, 2)
    take(viewer, output / "auto-2s.png")
    wait(lambda: not dock.controller.state.busy, 300)
    print(f"done after {time.perf_counter() - begun:.1f} s: {dock.run_bar.status.text()}")
    wait(lambda: False, 1)
    take(viewer, output / "auto-end.png")
    viewer.close()


def take(viewer: Any, path: Path) -> None:
    """Write the whole window, in 256 colours, which a repository is glad of."""
    Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)).convert("RGB").quantize(256).save(
        path, optimize=True
    )


def wait(done: Callable[[], bool], seconds: float) -> None:
    """Let the window live until something is true."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end and not done():
        QApplication.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    main()
