"""What the shipped network is asked for beside a run: quick looks, and the first pictures of runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from qtpy.QtCore import QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget
from superqt import QLabeledDoubleSlider

from napari_lotadenoise._qt.denoise.live_preview import LivePreview
from napari_lotadenoise._qt.shared.layers import Source
from napari_lotadenoise._qt.shared.widgets import button
from napari_lotadenoise._qt.shared.worker import Mailbox, start_worker
from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.events import Command, Finished, Level, Preview

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_lotadenoise.image.stack import Layout


#: Milliseconds between two looks at where the viewer looks.
_WATCH = 250


class Subject(NamedTuple):
    """What is looked at, and how."""

    layer: Image
    layout: Layout
    device: str
    shown: frozenset[str]


class QuickBar(QWidget):
    """Switches for quick looks and first pictures, and a slider for the noise that they remove.

    Parameters
    ----------
    viewer : ViewerModel
    subject : callable
        Returns the `Subject` of now, or raises a `LotaDenoiseError`.

    Signals
    -------
    levelled (float)
        The slider was moved, to a multiple of the noise that was measured.
    applied
        The whole layer is to be denoised as the picture is.
    """

    levelled = Signal(float)
    applied = Signal()

    def __init__(self, viewer: ViewerModel, subject: Callable[[], Subject]) -> None:
        super().__init__()
        self._viewer, self._subject = viewer, subject
        self._look: _QuickLook | None = None
        self.switch = QCheckBox("Quick look (pre-trained)")
        self.switch.setToolTip(
            "Shows the slice that you look at denoised by the shipped network, at once and without learning from it; it follows "
            "the sliders of the viewer. Nothing is changed."
        )
        self.first = QCheckBox("Instant first picture")
        self.first.setChecked(True)
        self.first.setToolTip(
            "While a method has not learnt enough, show the picture of the shipped network instead, under its name. The result "
            "has nothing of it."
        )
        self.slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0.25, 4)
        self.slider.setSingleStep(0.05)
        self.slider.setDecimals(2)
        self.slider.setValue(1)
        self.slider.setAccessibleName("Noise level of the instant picture")
        self.slider.setToolTip("Noise that is removed, as a multiple of the noise that was measured.")
        self.apply = button(
            "Apply to all", "Denoise the whole layer with Instant, at this noise level", self.applied.emit
        )
        self.words = QLabel()
        self.words.setWordWrap(True)
        switches, row = QHBoxLayout(), QHBoxLayout()
        for switch in (self.switch, self.first):
            switches.addWidget(switch)
        self._level = QLabel("Noise level")
        for widget in (self._level, self.slider, self.apply):
            row.addWidget(widget)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addLayout(switches)
        box.addLayout(row)
        box.addWidget(self.words)
        # Several things may change at a time (a layer, its axes); they are looked at once.
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._begin)
        # Where the canvas was moved or zoomed to is known when it has been drawn, which nothing tells.
        self._watch = QTimer(self)
        self._watch.setInterval(_WATCH)
        self._watch.timeout.connect(self._follow)
        self.switch.toggled.connect(self._switched)
        self.slider.valueChanged.connect(self._move)
        self._show_controls()

    @property
    def live(self) -> LivePreview | None:
        """The pictures of now."""
        return self._look.live if self._look is not None else None

    @property
    def glance(self) -> float:
        """Noise level of the first pictures of a run, 0 for none."""
        return self.slider.value() if self.first.isChecked() else 0.0

    def refresh(self, *_: Any) -> None:
        """Look anew, since something else is to be looked at or otherwise."""
        if self.switch.isChecked():
            self._later.start(0)

    def stop(self) -> None:
        """Take the picture away."""
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
        """Look where the viewer looks; who deletes the picture wants no more of them."""
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
            self._look = _QuickLook(self._viewer, self._subject(), self.slider.value(), self._say)
        except LotaDenoiseError as error:
            self._say(str(error))

    def _close(self) -> None:
        if self._look is not None:
            self._look.close()
            self._look = None

    def _move(self, level: float) -> None:
        if self._look is not None:
            self._look.mailbox.post(Level(level))
        self.levelled.emit(level)

    def _say(self, words: str) -> None:
        self.words.setText(words)
        self.words.setVisible(bool(words))


class _QuickLook(QObject):
    """Pictures of one layer, as long as they are wanted."""

    def __init__(self, viewer: ViewerModel, subject: Subject, level: float, say: Callable[[str], None]) -> None:
        super().__init__()
        self.mailbox = Mailbox()
        self._say, self._open = say, True
        source = Source(subject.layer)
        shown = subject.shown & {"residual"}
        self.live = LivePreview(viewer, source, self.mailbox.post, shown, {})
        layout = subject.layout
        options = {
            "axes": layout.axes, "channels": layout.channels, "volume": layout.volume, "device": subject.device,
            "fill": True, "look": self.live.look, "glance": level,
        }  # fmt: skip
        say("Preparing the picture ...")  # the first one waits for torch
        start_worker(lambda: _looks(source.data, options), self.mailbox, self._hear)

    def close(self) -> None:
        """Take the pictures away and let the thread end."""
        if self._open:
            self._open = False
            self.mailbox.post(Command.STOP)
            self.live.close()

    def _hear(self, event: Any) -> None:
        if not self._open:
            return
        if isinstance(event, Preview):
            self._say("")
            self.live.show(event)
        elif isinstance(event, Finished):
            self.close()
            self._say(f"No quick look: {event.reason}")


def _looks(data: Any, options: dict[str, Any]) -> Generator[Any, Any, None]:
    """Begin to look; importing that imports torch, so that happens in the thread and not in the GUI's."""
    try:
        from napari_lotadenoise.engine.quick_look import quick_look
        from napari_lotadenoise.options import Options
    except ImportError as error:
        yield Finished(None, f"torch cannot be imported ({error}).", error)
        return
    yield from quick_look(data, Options(**options))
