"""Make the pictures of the docs that show napari, on the samples that the package makes by itself.

    xvfb-run -a -s "-screen 0 1366x768x24" python docs/make_screenshots.py [--output docs/images]

The wide-field image is opened, *Denoise* is pressed, nothing else is touched: the picture before, after two seconds, and at the
end. With `--image FILE` another image takes the place of the sample.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--image", type=Path, help="image to open in place of the wide-field sample")
    told = parser.parse_args()
    told.output.mkdir(parents=True, exist_ok=True)
    first_press(told.output, told.image)


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
