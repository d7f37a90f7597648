"""Quick looks, and the instant previews of runs: what the shipped network does beside a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget
from superqt import QLabeledDoubleSlider

from napari_lotadenoise._qt.denoise.live_preview import LivePreview
from napari_lotadenoise._qt.shared.layers import Source
from napari_lotadenoise._qt.shared.session import WorkerSession
from napari_lotadenoise._qt.shared.widgets import button
from napari_lotadenoise._qt.shared.worker import with_torch
from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.events import Command, Finished, LevelRequest, Preview
from napari_lotadenoise.options import Options

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_lotadenoise.image.stack import Layout


#: Milliseconds between two polls of the view.
_WATCH = 250


class Subject(NamedTuple):
    """Layer that a quick look shows, and how."""

    layer: Image
    layout: Layout
    device: str
    maps: frozenset[str]


class QuickLookBar(QWidget):
    """Switches for quick looks and instant previews, and a slider for the noise that they remove.

    Parameters
    ----------
    viewer : ViewerModel
    subject : callable
        Returns the present `Subject`, or raises a `LotaDenoiseError`.

    Signals
    -------
    level_changed (float)
        The slider was moved, to a multiple of the measured noise.
    applied ()
        The whole layer is to be denoised as the preview is.
    """

    level_changed = Signal(float)
    applied = Signal()

    def __init__(self, viewer: ViewerModel, subject: Callable[[], Subject]) -> None:
        super().__init__()
        self._viewer, self._subject = viewer, subject
        self._quick_look: _QuickLook | None = None
        self.switch = QCheckBox("Quick look (pre-trained)")
        self.switch.setToolTip(
            "Show the slice in view denoised by the shipped network, at once and without learning from it; it follows the "
            "sliders of the viewer. Nothing is changed."
        )
        self.instant_preview = QCheckBox("Instant preview")
        self.instant_preview.setChecked(True)
        self.instant_preview.setToolTip(
            "Until the method has learnt enough, show the preview of the shipped network instead, under its name. The result "
            "has nothing of it."
        )
        self.slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0.25, 4)
        self.slider.setSingleStep(0.05)  # type: ignore[arg-type]  # superqt's is a float
        self.slider.setDecimals(2)
        self.slider.setValue(1)
        self.slider.setAccessibleName("Noise level of the instant preview")
        self.slider.setToolTip("Noise that is removed, as a multiple of the measured noise.")
        self.apply = button(
            "Apply to all", "Denoise the whole layer with Instant, at this noise level", self.applied.emit
        )
        self.words = QLabel()
        self.words.setWordWrap(True)
        switches, row = QHBoxLayout(), QHBoxLayout()
        for switch in (self.switch, self.instant_preview):
            switches.addWidget(switch)
        self._level = QLabel("Noise level")
        self._level.setBuddy(self.slider)
        for widget in (self._level, self.slider, self.apply):
            row.addWidget(widget)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addLayout(switches)
        box.addLayout(row)
        box.addWidget(self.words)
        # Several things may change at a time (a layer, its axes); one start is enough.
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._begin)
        # No event tells when the canvas has been drawn after a pan or zoom, so the view is polled.
        self._watch = QTimer(self)
        self._watch.setInterval(_WATCH)
        self._watch.timeout.connect(self._follow)
        self.switch.toggled.connect(self._switched)
        self.slider.valueChanged.connect(self._move)
        self._show_controls()

    @property
    def live(self) -> LivePreview | None:
        """Return the live layers of the quick look."""
        return self._quick_look.live if self._quick_look is not None else None

    @property
    def level(self) -> float:
        """Return the noise level of the instant previews of a run, 0 for none."""
        return self.slider.value() if self.instant_preview.isChecked() else 0.0

    def refresh(self, *_: Any) -> None:
        """Begin anew, since the layer or its settings have changed."""
        if self.switch.isChecked():
            self._later.start(0)

    def stop(self) -> None:
        """Switch the quick look off."""
        self.switch.setChecked(False)

    def _switched(self, on: bool) -> None:
        self._show_controls()
        self._later.stop()
        self._close()
        if on:
            self._begin()
            self._watch.start()
        else:
            self._watch.stop()

    def _follow(self) -> None:
        """Follow the view; deleting the layer switches the quick look off."""
        live = self.live
        if live is not None and live.gone:
            self.stop()
        elif live is not None:
            live.follow()

    def _show_controls(self) -> None:
        for widget in (self._level, self.slider, self.apply):
            widget.setVisible(self.switch.isChecked())
        self._say("")

    def _begin(self) -> None:
        self._close()
        try:
            self._quick_look = _QuickLook(self._viewer, self._subject(), self.slider.value(), self._say)
        except LotaDenoiseError as error:
            self._say(str(error))

    def _close(self) -> None:
        if self._quick_look is not None:
            self._quick_look.close()
            self._quick_look = None

    def _move(self, level: float) -> None:
        if self._quick_look is not None:
            self._quick_look.post(LevelRequest(level))
        self.level_changed.emit(level)

    def _say(self, words: str) -> None:
        self.words.setText(words)
        self.words.setVisible(bool(words))


class _QuickLook(WorkerSession):
    """Instant previews of one layer, as long as they are wanted."""

    def __init__(self, viewer: ViewerModel, subject: Subject, level: float, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say
        source, layout = Source(subject.layer), subject.layout
        self.live = LivePreview(viewer, source, self.post, subject.maps & {"residual"}, {})
        options = Options(
            axes=layout.axes, channels=layout.channels, volume=layout.volume, device=subject.device, fill=True,
            view_request=self.live.view_request, instant_preview=level,
        )  # fmt: skip
        say("Preparing the preview ...")  # the first one waits for torch
        self._start(with_torch(lambda: _previews(source.data, options)))

    def close(self) -> None:
        """Take the previews away and let the thread end."""
        if self._close():
            self.post(Command.STOP)
            self.live.close()

    def _handle(self, event: Any) -> None:
        if isinstance(event, Preview):
            self._say("")
            self.live.show(event)
        elif isinstance(event, Finished):
            self.close()
            self._say(f"No quick look: {event.reason}")


def _previews(data: Any, options: Options) -> Generator[Any, Any, None]:
    from napari_lotadenoise.engine.quick_look import quick_look

    yield from quick_look(data, options)
