"""``make demo``: napari opens on the sample stack and denoises it; without a screen the pictures are written instead.

python -m napari_lotadenoise._qt.demo [--output FOLDER]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from napari_lotadenoise import io, samples
from napari_lotadenoise.metrics import psnr

#: Longest time that the demonstration waits for a run, in seconds.
_PATIENCE = 300


def main() -> int:
    """Run the demonstration; returns an exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="folder of the pictures (no screen)")
    output = parser.parse_args().output
    if _has_screen() and "LOTADENOISE_OFFSCREEN" not in os.environ:
        return _show()
    if not _has_screen():
        return _again_with_virtual_screen()
    return _write(output)


def _has_screen() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _again_with_virtual_screen() -> int:
    xvfb = shutil.which("xvfb-run")
    if xvfb is None:
        print("There is no screen and no xvfb-run; install xvfb (Debian: apt-get install xvfb xauth).", file=sys.stderr)
        return 1
    # NAPARI_CONFIG empty keeps the user's settings out of the pictures, and the pictures out of the settings.
    environment = {**os.environ, "LOTADENOISE_OFFSCREEN": "1", "NAPARI_CONFIG": ""}
    command = [xvfb, "-a", "-s", "-screen 0 1600x1000x24", sys.executable, "-m", __spec__.name, *sys.argv[1:]]
    os.execve(xvfb, command, environment)


def _show() -> int:
    import napari

    viewer, dock = _open()
    dock.denoise()
    napari.run()
    del viewer
    return 0


def _write(output: Path) -> int:
    output.mkdir(parents=True, exist_ok=True)
    viewer, dock = _open()
    _wait(lambda: False, 1.0)
    start = time.perf_counter()
    dock.denoise()
    _wait(lambda: dock.session is None or dock.session.live.count > 0, _PATIENCE)
    print(f"first preview after {time.perf_counter() - start:.1f} s (torch is imported in that time)")
    _wait(lambda: dock.session is None, 2.0)
    viewer.screenshot(str(output / "running.png"), canvas_only=False, flash=False)
    dock.maps.boxes["residual"].setChecked(True)
    _wait(lambda: dock.session is None, _PATIENCE)
    print(dock.run_bar.status.text())
    (viewer.canvas.grid if hasattr(viewer, "canvas") else viewer.grid).enabled = True  # napari 0.9 has moved it
    _wait(lambda: False, 0.5)
    viewer.screenshot(str(output / "done.png"), canvas_only=False, flash=False)
    layer = next(
        (layer for layer in viewer.layers if "lotadenoise" in layer.metadata and "residual" not in layer.name), None
    )
    if layer is None:
        return 1
    scale = dict(zip("ZYX", map(float, layer.scale), strict=True))
    io.write(output / "denoised.ome.tif", io.Picture(np.asarray(layer.data), "ZYX", scale, "µm"), overwrite=True)
    noisy, truth = samples.confocal()
    peak = float(truth.max())
    print(f"PSNR {psnr(noisy, truth, peak):.2f} dB before, {psnr(layer.data, truth, peak):.2f} dB after")
    print(f"wrote running.png, done.png and denoised.ome.tif to {output}")
    viewer.close()
    return 0


def _open():  # type: ignore[no-untyped-def]
    import napari

    viewer = napari.Viewer(show=True)
    viewer.window.resize(1500, 940)
    viewer.open_sample("napari-lotadenoise", "confocal")
    _, dock = viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Denoise")
    dock.settings.choose("lota-n2n")  # which learns while one watches; Auto is done at once
    viewer.dims.set_current_step(0, 6)
    return viewer, dock


def _wait(done: Callable[[], bool], seconds: float) -> None:
    from qtpy.QtWidgets import QApplication

    end = time.perf_counter() + seconds
    while time.perf_counter() < end and not done():
        QApplication.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
