"""The settings of a run: method, preset, hyper-parameters and run options."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_lotadenoise._qt.shared.form import make_form, read_form
from napari_lotadenoise._qt.shared.widgets import label, labelled
from napari_lotadenoise.compute import devices
from napari_lotadenoise.contract.method import Method, Training, configure, settings
from napari_lotadenoise.contract.run_options import RunOptions
from napari_lotadenoise.methods import METHODS

#: Run options that other widgets of the dock choose.
_ELSEWHERE = ("axes", "channels", "volume", "fill")


class SettingsPanel(QWidget):
    """Chooses a method with all its settings.

    Signals
    -------
    changed ()
        Any setting has another value.
    method_changed ()
        Another method or another preset was chosen.
    """

    changed = Signal()
    method_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.method, self.preset = QComboBox(), QComboBox()
        for kind in METHODS.values():
            self.method.addItem(kind.info.title, kind.id)
        self.preset.setToolTip(
            "fast: the default schedule. paper: the published or reference schedule, for comparison. warm: a short schedule "
            "that begins with pre-trained weights."
        )
        self.about = label()
        self.about.setTextFormat(Qt.TextFormat.RichText)
        self.about.setOpenExternalLinks(True)
        self.options = make_form((RunOptions(),), without=_ELSEWHERE, choices={"device": devices.DEVICES})
        self.device_reason = label(f"auto: {devices.guess()}")
        self.advanced = QCollapsible("Hyper-parameters and run options")
        self.advanced.setDuration(0)
        self._volume = False
        self.form: Any = None
        self._arrange()
        self.method.currentIndexChanged.connect(self._on_method)
        self.preset.currentIndexChanged.connect(self._on_preset)
        self.options.changed.connect(lambda _=None: self.changed.emit())
        self._on_method()

    @property
    def method_class(self) -> type[Method]:
        """Return the chosen method."""
        return METHODS[self.method.currentData()]

    def configured(self) -> tuple[Method, Training]:
        """Return the chosen method and its training, with the values of the form."""
        return configure(self.method_class, self.preset.currentText(), **read_form(self.form))

    def run_options(self) -> dict[str, Any]:
        """Return the values of the run options that are chosen here, and the preset."""
        return {**read_form(self.options), "preset": self.preset.currentText()}

    def choose(self, method: str, preset: str | None = None, **values: Any) -> None:
        """Choose a method, and set some of its hyper-parameters or run options."""
        self.method.setCurrentIndex(self.method.findData(method))
        if preset is not None:
            self.preset.setCurrentText(preset)
        own = {widget.name for widget in self.options}
        for name, value in values.items():
            (self.options if name in own else self.form)[name].value = value

    def set_volume(self, volume: bool) -> None:
        """Take over what the schedule of a 3-D network has otherwise; other values that the user has changed stay."""
        if volume == self._volume:
            return
        self._volume = volume
        preset = self.method_class.preset(self.preset.currentText())
        schedule = preset.schedule(volume=volume)
        for name in preset.volume:
            self.form[name].value = getattr(schedule, name)

    def describe_method(self, colour: str) -> None:
        """Show idea, assumptions and source of the method, with links in a colour of the theme."""
        info = self.method_class.info
        self.about.setText(
            f"{info.idea}<br><b>Assumes</b> {info.assumes}.<br><b>Fails</b> {info.fails}. "
            f'<a href="{info.url}" style="color: {colour}">Source</a>'
        )
        self.about.setToolTip(info.source)

    def _arrange(self) -> None:
        inside = QWidget()
        self._form_box = QVBoxLayout(inside)
        self._form_box.setContentsMargins(0, 0, 0, 0)
        self._form_box.addWidget(self.options.native)
        self._form_box.addWidget(self.device_reason)
        self.advanced.setContent(inside)
        self.advanced.collapse(animate=False)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addLayout(labelled(("Method", self.method), ("Preset", self.preset)))
        box.addWidget(self.about)

    def _on_method(self, index: int = 0) -> None:
        self.preset.blockSignals(True)
        self.preset.clear()
        self.preset.addItems(list(self.method_class.presets))
        self.preset.blockSignals(False)
        self._on_preset()

    def _on_preset(self, index: int = 0) -> None:
        method, training = configure(self.method_class, self.preset.currentText(), volume=self._volume)
        if self.form is not None:
            self._form_box.removeWidget(self.form.native)
            self.form.native.deleteLater()
        self.form = make_form(settings(method, training))
        self.form.changed.connect(lambda _=None: self.changed.emit())
        self._form_box.addWidget(self.form.native)
        self.method_changed.emit()
