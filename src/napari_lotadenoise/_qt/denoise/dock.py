"""The Denoise dock: what is to be done, said in words; one button; what is going on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import napari
from napari.layers import Image
from napari.utils.notifications import show_warning
from napari.utils.theme import get_theme
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QSpinBox, QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_lotadenoise._qt.denoise.map_boxes import MapBoxes
from napari_lotadenoise._qt.denoise.quick_look_bar import QuickBar, Subject
from napari_lotadenoise._qt.denoise.run_bar import RunBar
from napari_lotadenoise._qt.denoise.session import Order, Session
from napari_lotadenoise._qt.noise.noise_line import Verdict
from napari_lotadenoise._qt.shared.axes_form import AxesForm
from napari_lotadenoise._qt.shared.form import make_form, read_form
from napari_lotadenoise._qt.shared.layer_box import LayerBox
from napari_lotadenoise._qt.shared.layers import data_of
from napari_lotadenoise._qt.shared.plot import LivePlot
from napari_lotadenoise._qt.shared.widgets import Dock, fill_dock, label, labelled, strength_slider
from napari_lotadenoise.compute import devices
from napari_lotadenoise.contract.method import Method, Training, configure, settings
from napari_lotadenoise.engine import plan
from napari_lotadenoise.errors import LotaDenoiseError, NotFiniteError
from napari_lotadenoise.events import Command
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.methods.instant import Instant

if TYPE_CHECKING:
    from napari_lotadenoise.comparison.candidate import Entry
    from napari_lotadenoise.events import Progress, Started
    from napari_lotadenoise.image.stack import Layout


class DenoiseWidget(Dock):
    """Dock widget that denoises an image layer while you watch.

    Parameters
    ----------
    napari_viewer : napari.viewer.Viewer
        Handed in by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.session: Session | None = None
        self._make_controls()
        self._arrange()
        self._connect()
        self.axes.show_layer(self.layer)
        self._choose_method()
        self._measure()
        self.plot.set_theme(self.viewer.theme)

    # ---------------------------------------------------------------- what is wanted

    @property
    def layer(self) -> Image | None:
        """The layer that is chosen."""
        return self.layers.layer

    def order(self, *, fill: bool = False) -> Order:
        """Put together what the user wants.

        Raises
        ------
        LotaDenoiseError
            Where the choices do not fit together.
        """
        if self.layer is None:
            raise LotaDenoiseError(self.layers.why_none)
        method, training = self._configured()
        return Order(
            self.layer, method, training, self.axes.layout_value(), self.preset.currentText(),
            self.device.currentText(), self.seed.value(), fill, self.maps.wanted(), self.stabilise.currentText(),
            self.strength.value(), self.quick.glance,
        )  # fmt: skip

    def take_over(self, layer: Image | None, entry: Entry, layout: Layout, strength: float = 1.0) -> None:
        """Show a layer and the settings of an entry of a comparison, for the user to change or to run."""
        if layer is not None:
            self.layers.setCurrentIndex(self.layers.findText(layer.name))
        self.axes.set_layout(layout.axes, layout.channels, layout.volume)
        self.method.setCurrentIndex(self.method.findData(entry.method))
        self.preset.setCurrentText(entry.preset)
        for name, value in entry.options.items():
            self.form[name].value = value
        self.strength.setValue(strength)

    def denoise(self, *, fill: bool = False) -> None:
        """Start a run; a second call while one is going on does nothing."""
        if self.session is not None:
            return
        try:
            order = self.order(fill=fill)
        except LotaDenoiseError as error:
            self._complain(error)
            return
        self.quick.stop()
        self.quick.setEnabled(False)  # the pictures of now are those of the run
        for concern in self.verdict.concerns:  # a warning, never an obstacle
            show_warning(concern)
        self.plot.clear()
        self.run_bar.set_running(True)
        self.session = Session(self.viewer, order)
        self.session.started.connect(self._on_started)
        self.session.progressed.connect(self._on_progress)
        self.session.ended.connect(self._on_ended)
        # A window that is closed takes its docks along without a close event; napari before 0.6.5 ends no worker then.
        mailbox = self.session.mailbox
        self.destroyed.connect(lambda *_: mailbox.post(Command.STOP))

    def finish_now(self) -> None:
        """Apply what is learnt so far."""
        if self.session is not None:
            self.run_bar.say("Finishing: applying what is learnt ...")
            self.session.finish_now()

    def pause(self) -> None:
        """Pause or resume the run."""
        if self.session is not None:
            self.run_bar.set_paused(self.session.toggle_pause())

    def discard(self) -> None:
        """End the run and leave everything as it was."""
        if self.session is not None:
            self.session.discard()

    # ---------------------------------------------------------------- controls

    def _make_controls(self) -> None:
        self.layers = LayerBox(self.viewer)
        self.method, self.preset, self.device, self.stabilise = (QComboBox() for _ in range(4))
        for method in METHODS.values():
            self.method.addItem(method.info.title, method.id)
        self.preset.setToolTip(
            "fast: our schedule, for use. paper: the published or reference schedule, for comparison. warm: a short one that "
            "begins with pre-trained weights."
        )
        self.stabilise.addItems(("auto", "off", "on"))
        self.stabilise.setToolTip(
            "Even out noise that grows with the signal, and undo it without bias. auto: for methods that need it, where the "
            "noise grows and is independent between pixels; never with the paper preset."
        )
        self.device.addItems(devices.DEVICES)
        self.device_reason = label(f"auto: {devices.guess()}")
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip("The same seed gives the same result.")
        self.strength = strength_slider()
        self.axes, self.verdict = AxesForm(), Verdict()
        self.about, self.sentence = label(), label()
        self.about.setTextFormat(Qt.TextFormat.RichText)
        self.about.setOpenExternalLinks(True)
        self.sentence.setAccessibleName("What will be done")
        self.maps = MapBoxes()
        self.advanced = QCollapsible("Hyper-parameters, device and seed")
        self.advanced.setDuration(0)
        self._advanced_box = QVBoxLayout()
        self.form: Any = None
        self._volume = False
        self.run_bar, self.plot = RunBar(), LivePlot()
        self.quick = QuickBar(self.viewer, self._subject)

    def _arrange(self) -> None:
        content = QWidget()
        box = QVBoxLayout(content)
        box.addLayout(labelled(("Layer", self.layers)))
        box.addWidget(self.verdict)
        box.addLayout(labelled(("Method", self.method), ("Preset", self.preset), ("Stabilise", self.stabilise)))
        for widget in (self.about, self.axes, self.quick, self.sentence, self.maps, self.run_bar, self.plot):
            box.addWidget(widget)
        box.addWidget(self._advanced())
        box.addStretch()
        fill_dock(self, content)

    def _advanced(self) -> QCollapsible:
        inside = QWidget()
        inside.setLayout(self._advanced_box)
        self._advanced_box.setContentsMargins(0, 0, 0, 0)
        self._advanced_box.addLayout(
            labelled(
                ("Device", self.device), ("", self.device_reason), ("Seed", self.seed), ("Strength", self.strength)
            )
        )
        self.advanced.setContent(inside)
        self.advanced.collapse(animate=False)
        return self.advanced

    def _connect(self) -> None:
        self.viewer.layers.selection.events.active.connect(self._describe)
        self.viewer.events.theme.connect(self._on_theme)
        self.layers.currentIndexChanged.connect(self._on_layer)
        self.method.currentIndexChanged.connect(self._choose_method)
        self.preset.currentIndexChanged.connect(self._fill_parameters)
        self.device.currentIndexChanged.connect(self._describe)
        self.stabilise.currentIndexChanged.connect(self._describe)
        self.axes.changed.connect(self._on_axes)
        self.maps.changed.connect(self._show_live)
        self.quick.levelled.connect(self._set_level)
        self.quick.applied.connect(self._apply_quick_look)
        self.device.currentIndexChanged.connect(self.quick.refresh)
        bar = self.run_bar
        bar.denoise.connect(self.denoise)
        bar.fill_and_denoise.connect(lambda: self.denoise(fill=True))
        bar.finish_now.connect(self.finish_now)
        bar.pause.connect(self.pause)
        bar.discard.connect(self.discard)

    # ---------------------------------------------------------------- reactions

    def _on_layer(self, index: int = 0) -> None:
        self.axes.show_layer(self.layer)
        self._describe()
        self._measure()

    def _measure(self) -> None:
        self.quick.refresh()
        try:
            self.verdict.look_at(self.layer, self.axes.layout_value().axes if self.layer is not None else "")
        except LotaDenoiseError:  # two axes of one meaning; the sentence says so
            self.verdict.look_at(None, "")

    def _on_axes(self) -> None:
        """Take over what the schedule of a 3-D network has otherwise; what the user has changed elsewhere stays."""
        if self.form is None:  # not all controls are there yet
            return
        preset, volume = self._method().preset(self.preset.currentText()), self.axes.volume
        if volume != self._volume:
            self._volume = volume
            schedule = preset.schedule(volume=volume)
            for name in preset.volume:
                self.form[name].value = getattr(schedule, name)
        self._describe()
        self._measure()

    def _choose_method(self, index: int = 0) -> None:
        self._tell_about()
        self.preset.blockSignals(True)
        self.preset.clear()
        self.preset.addItems(list(self._method().presets))
        self.preset.blockSignals(False)
        self._fill_parameters()

    def _tell_about(self) -> None:
        info = self._method().info
        self.about.setText(
            f"{info.idea}<br><b>Assumes</b> {info.assumes}.<br><b>Fails</b> {info.fails}. "
            f'<a href="{info.url}" style="color: {self._text_colour()}">Source</a>'
        )
        self.about.setToolTip(info.source)

    def _fill_parameters(self, index: int = 0) -> None:
        self._volume = self.axes.volume
        method, training = configure(self._method(), self.preset.currentText(), volume=self._volume)
        if self.form is not None:
            self._advanced_box.removeWidget(self.form.native)
            self.form.native.deleteLater()
        self.form = make_form(settings(method, training))
        self.form.changed.connect(lambda _=None: self._describe())
        self._advanced_box.addWidget(self.form.native)
        if self.session is None:  # the maps of a run are those of its own method
            self.maps.show_method(method)
        self._describe()

    def _method(self) -> type[Method]:
        return METHODS[self.method.currentData()]

    def _configured(self) -> tuple[Method, Training]:
        return configure(self._method(), self.preset.currentText(), **read_form(self.form))

    def _describe(self, *_: Any) -> None:
        """Say in words what the button will do."""
        if self.form is None:  # not all controls are there yet
            return
        try:
            order = self.order()
        except LotaDenoiseError as error:
            self.sentence.setText(str(error))
            return
        self.verdict.judge(order.method, order.training, order.stabilise)
        shape = tuple(data_of(order.layer).shape)
        device = devices.guess() if order.device == "auto" else order.device
        seconds = plan.seconds_for(shape, order.layout, order.method, order.training)
        self.sentence.setText(plan.describe(shape, order.layout, order.method, device, seconds))

    def _on_started(self, event: Started) -> None:
        self.device_reason.setText(event.device)
        self.run_bar.say(event.plan)

    def _on_progress(self, news: tuple[Progress, ...]) -> None:
        self.plot.add(news)
        self.run_bar.show_progress(news[-1], self.session.live.by if self.session is not None else "")

    def _on_ended(self, error: Exception | None, words: str) -> None:
        self.session = None
        self.quick.setEnabled(True)
        self.run_bar.set_running(False)
        self.maps.show_method(self._method()())
        if error is None:
            self.run_bar.say(words)
        else:
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        self.run_bar.say(f"Cannot denoise: {error}", offer_fill=isinstance(error, NotFiniteError))
        show_warning(f"Cannot denoise: {error}")

    def _on_theme(self, event: Any = None) -> None:
        self.plot.set_theme(self.viewer.theme)
        self._tell_about()

    def _text_colour(self) -> str:
        return get_theme(self.viewer.theme).text.as_hex()

    def _show_live(self, *_: Any) -> None:
        for live in (self.session.live if self.session is not None else None, self.quick.live):
            if live is not None:
                live.want(self.maps.wanted())

    def _subject(self) -> Subject:
        if self.layer is None:
            raise LotaDenoiseError(self.layers.why_none)
        return Subject(self.layer, self.axes.layout_value(), self.device.currentText(), self.maps.wanted())

    def _set_level(self, level: float) -> None:
        """Take the noise level of the quick look over, where it is one of the method's parameters."""
        if self._method() is Instant:
            self.form["level"].value = level

    def _apply_quick_look(self) -> None:
        """Denoise the whole layer as the quick look shows it."""
        self.method.setCurrentIndex(self.method.findData(Instant.id))
        self._set_level(self.quick.slider.value())
        self.denoise()

    # ---------------------------------------------------------------- leaving

    def leave(self) -> None:
        """End the run, if there is one: nothing learns on unseen."""
        if hasattr(self, "verdict"):
            self.verdict.diagnosis.forget()
        if hasattr(self, "quick"):
            self.quick.stop()
        if getattr(self, "session", None) is not None:
            self.discard()
