"""How the dock feels: time to the first preview, gaps between event-loop ticks while training, time of both exits.

Opens a real napari window, so it needs a screen or ``xvfb-run -a -s "-screen 0 1600x1000x24"``. A 5 ms timer ticks in
the event loop; the gap between two ticks is how long a click would have waited.

    python benchmarks/responsiveness.py --size 512 --repeats 3
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np

os.environ.setdefault("NAPARI_CONFIG", "")

import napari
from qtpy.QtCore import QEventLoop, QTimer


class Ticker:
    """Times the gaps between event-loop ticks."""

    def __init__(self) -> None:
        self.timer = QTimer()
        self.timer.setInterval(5)
        self.timer.timeout.connect(self._tick)
        self.gaps: list[float] = []
        self._last = 0.0

    def start(self) -> None:
        """Begin anew."""
        self.gaps, self._last = [], time.perf_counter()
        self.timer.start()

    def stop(self) -> list[float]:
        """Return the gaps in milliseconds."""
        self.timer.stop()
        return [1000 * gap for gap in self.gaps]

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(now - self._last)
        self._last = now


def wait(done: Callable[[], bool], seconds: float) -> float:
    """Let the event loop run until something is done; returns how long that took."""
    start = time.perf_counter()
    loop, check = QEventLoop(), QTimer()
    check.setInterval(2)
    check.timeout.connect(lambda: loop.quit() if done() or time.perf_counter() - start > seconds else None)
    check.start()
    loop.exec()
    check.stop()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--method", default="LoTA-N2N")
    parser.add_argument("--own", action="store_true", help="pictures of the method only, no instant first one")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8, help="time of training that is watched in each repeat")
    options = parser.parse_args()
    from napari_lotadenoise.samples import confocal

    image = confocal((1, options.size, options.size))[0][0]
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1400, 900)
    viewer.add_image(image, name="cells")
    _, dock = viewer.window.add_plugin_dock_widget("napari-lotadenoise", "Denoise")
    dock.settings.method.setCurrentText(options.method)
    dock.quick_look.instant_preview.setChecked(not options.own)
    dock.settings.form["steps"].value = 100_000
    ticker = Ticker()
    ticker.start()
    wait(lambda: False, 3)
    print(
        f"{options.size} x {options.size}, {options.method}, {os.cpu_count()} processors, {os.environ.get('QT_API', 'PyQt6')}"
    )
    print("| | first preview s | p95 ms | p99 ms | max ms | previews a second | Finish s | Discard s |")
    print("|---|---|---|---|---|---|---|---|")
    print(_row("idle", ticker.stop()))
    for repeat in range(options.repeats):
        name = "first run (imports torch)" if repeat == 0 else f"run {repeat + 1}"
        print(_row(name, *_run(dock, ticker, options.seconds)), flush=True)
    viewer.close()


def _run(dock: object, ticker: Ticker, seconds: float) -> tuple[list[float], float, float, float, float]:
    clicked = time.perf_counter()
    dock.denoise()
    wait(lambda: dock.session is None or dock.session.live.count > 0, 60)
    first = time.perf_counter() - clicked
    wait(lambda: False, 1)
    shown = dock.session.live.count
    ticker.start()
    wait(lambda: False, seconds)
    gaps = ticker.stop()
    rate = (dock.session.live.count - shown) / seconds
    dock.controller.finish_now()
    finish = wait(lambda: dock.session is None, 60)
    dock.denoise()
    wait(lambda: dock.session is None or dock.session.live.count > 2, 60)
    worker = dock.session.worker
    dock.controller.discard()
    discard = wait(lambda: not worker.is_running, 60)
    return gaps, first, rate, finish, discard


def _row(name: str, gaps: list[float], first: float = 0, rate: float = 0, finish: float = 0, discard: float = 0) -> str:
    p95, p99 = np.percentile(gaps, (95, 99))
    cells = (
        f"{first:.2f}",
        f"{p95:.0f}",
        f"{p99:.0f}",
        f"{max(gaps):.0f}",
        f"{rate:.1f}",
        f"{finish:.2f}",
        f"{discard:.2f}",
    )
    return f"| {name} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
