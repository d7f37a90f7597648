"""The settings of a run: method, or the automatic choice of one; preset, hyper-parameters and run options."""

from __future__ import annotations

import contextlib
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_lotadenoise._qt.shared.fold import Fold
from napari_lotadenoise._qt.shared.form import make_form, read_form
from napari_lotadenoise._qt.shared.memory import recall, remember
from napari_lotadenoise._qt.shared.preferences import Preferences, preferences
from napari_lotadenoise._qt.shared.widgets import button, elided, label, narrow, unfolding
from napari_lotadenoise.automatic import AUTO, Choice, choose_by
from napari_lotadenoise.compute import devices
from napari_lotadenoise.contract.method import Method, Training, configure, settings
from napari_lotadenoise.contract.params import parameters
from napari_lotadenoise.contract.run_options import RunOptions
from napari_lotadenoise.engine import plan
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.noise import NoiseReport

#: Run options that other widgets of the dock choose.
_ELSEWHERE = ("axes", "channels", "volume", "fill", "prior")
#: Under which the settings of methods are remembered.
_SECTION = "methods"
#: What Auto shows before the noise is measured.
_UNMEASURED = Choice("instant")


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
        self.method.addItem("Auto", AUTO)
        for kind in METHODS.values():
            self.method.addItem(kind.info.title, kind.id)
        self.preset.setToolTip(
            "fast: the default schedule. paper: the published or reference schedule, for comparison. warm: a short schedule "
            "that begins with pre-trained weights."
        )
        self.only_this_image = QCheckBox("Only this image")
        self.only_this_image.setToolTip(
            "Keep Auto to methods that have seen nothing but this image, without the network that has learnt from others."
        )
        self.idea, self.about = elided(2), label()
        self.idea.setAccessibleName("Idea of the method")
        self.about.setTextFormat(Qt.TextFormat.RichText)
        self.about.setOpenExternalLinks(True)
        self.about.setAccessibleName("What the method assumes, and where it fails")
        self.info = unfolding("?", "About the method", "What it assumes, where it fails, and its source", self.about)
        begin = preferences()
        self.options = make_form((_preferred(begin),), without=_ELSEWHERE, choices={"device": devices.DEVICES})
        self.device_reason = label(f"auto: {devices.guess()}")
        self.same_dtype = QCheckBox("Result in the layer's data type")
        self.same_dtype.setToolTip("Round and clip the result to the data type of the layer, instead of float32.")
        self.same_dtype.setChecked(begin.output == "same")
        self.only_this_image.setChecked(not begin.prior)
        self.reset = button("Defaults", "Give the method the values of its preset back", self._forget)
        self.advanced = Fold(
            "Hyper-parameters and run options", self.options.native, self.device_reason, self.same_dtype, self.reset
        )
        self._volume = False
        self._report: NoiseReport | None = None
        self._deep = False
        self._seconds: float | None = None
        self.choice = _UNMEASURED
        self.form: Any = None
        self._begun: dict[str, Any] = {}
        self._arrange()
        self.method.currentIndexChanged.connect(self._on_method)
        self.preset.currentIndexChanged.connect(self._on_preset)
        self.options.changed.connect(lambda _=None: self.changed.emit())
        self.only_this_image.toggled.connect(self._choose)
        if begin.method in (AUTO, *METHODS):
            self.method.setCurrentIndex(self.method.findData(begin.method))
        self._on_method()

    @property
    def auto(self) -> bool:
        """Tell whether the method is chosen by the noise."""
        return bool(self.method.currentData() == AUTO)

    @property
    def volume(self) -> bool:
        """Tell whether the automatic choice is a 3-D network."""
        return self.auto and bool(self.choice.settings.get("volume"))

    @property
    def method_class(self) -> type[Method]:
        """Return the chosen method."""
        return METHODS[self.choice.method if self.auto else self.method.currentData()]

    def configured(self) -> tuple[Method, Training]:
        """Return the chosen method and its training, with the values of the form."""
        if self.auto:
            own = {name: value for name, value in self.choice.settings.items() if name not in _run_options()}
            return configure(self.method_class, volume=self.volume, **own)
        return configure(self.method_class, self.preset.currentText(), **read_form(self.form))

    def run_options(self) -> dict[str, Any]:
        """Return the values of the run options that are chosen here, and the preset."""
        options = {**read_form(self.options), "prior": not self.only_this_image.isChecked()}
        if not self.auto:
            return {**options, "preset": self.preset.currentText()}
        chosen = {name: value for name, value in self.choice.settings.items() if name in options}
        why = {"reason": self.choice.reason, "predictable": self.choice.predictable}
        return {**options, **chosen, **why, "preset": "fast"}

    def show_report(self, report: NoiseReport | None, *, deep: bool = False) -> None:
        """Choose by the noise of the layer, for Auto.

        Parameters
        ----------
        report : NoiseReport or None
            None where it is not measured (yet).
        deep : bool
            Whether the layer has a third dimension to gain from.
        """
        self._report, self._deep = report, deep
        self._choose()

    def show_time(self, seconds: float) -> None:
        """Show the estimated time of the automatic choice."""
        self._seconds = seconds
        if self.auto:
            self._tell(self._automatic_words())

    def remember(self) -> None:
        """Remember the settings of the method for the next time that it is chosen; Auto has none."""
        if not self.auto:
            values = {name: value for name, value in read_form(self.form).items() if value != self._begun.get(name)}
            remember(_SECTION, self.method_class.id, {"preset": self.preset.currentText(), "values": values})

    def _recall(self, values: dict[str, Any]) -> None:
        """Give the form the values of the last time; what does not fit any more is left at the preset's."""
        for widget in self.form:
            if widget.name in values:
                with contextlib.suppress(ValueError, TypeError, OverflowError):
                    widget.value = values[widget.name]

    def _forget(self) -> None:
        """Give the form the values of the preset."""
        if not self.auto:
            remember(_SECTION, self.method_class.id, {})
        self._on_preset()

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
        if self.auto:
            return
        preset = self.method_class.preset(self.preset.currentText())
        schedule = preset.schedule(volume=volume)
        for name in preset.volume:
            self.form[name].value = getattr(schedule, name)

    def describe_method(self, colour: str) -> None:
        """Show idea, assumptions and source of the method, with links in a colour of the theme."""
        info = self.method_class.info
        if self.auto:
            self._tell(self._automatic_words())
            self.about.setToolTip(f"{info.title}: {info.idea}")
            return
        details = (
            f"<b>Assumes</b> {info.assumes}.<br><b>Fails</b> {info.fails}. "
            f'<a href="{info.url}" style="color: {colour}">Source</a>'
        )
        self._tell(info.idea, details)
        self.about.setToolTip(info.source)

    def _tell(self, idea: str, details: str = "") -> None:
        """Show a sentence, and more of it behind the button."""
        self.idea.setText(idea)
        self.idea.setToolTip(idea)
        self.about.setText(f"{idea}<br>{details}" if details else idea)

    def _arrange(self) -> None:
        box, row = QVBoxLayout(self), QHBoxLayout()
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        name = QLabel("&Method")
        name.setBuddy(self.method)
        narrow(self.method, self.preset)
        self.method.setAccessibleName("Method")
        self.method.setToolTip(
            "Auto chooses by the noise; the others have their idea below, and more behind the question mark"
        )
        self.preset.setAccessibleName("Preset")
        self.preset.setMinimumContentsLength(6)
        row.addWidget(name)
        row.addWidget(self.method, 3)
        for widget in (self.preset, self.only_this_image, self.info):
            row.addWidget(widget)
        box.addLayout(row)
        box.addWidget(self.idea)
        box.addWidget(self.about)

    def _automatic_words(self) -> str:
        if self._report is None:
            return "Measures the noise and chooses method and settings by it."
        return f"Auto: {plan.chosen(self.choice.reason, self._seconds)}."

    def _choose(self, *_: Any) -> None:
        """Choose anew, for another report or another wish."""
        prior = not self.only_this_image.isChecked()
        before = self.choice
        self.choice = _UNMEASURED if self._report is None else choose_by(self._report, volume=self._deep, prior=prior)
        if self.auto:
            self.method_changed.emit()
        elif self.choice != before:
            self.changed.emit()

    def _on_method(self, index: int = 0) -> None:
        self.only_this_image.setVisible(self.auto)
        self.preset.setVisible(not self.auto)
        self.preset.blockSignals(True)
        self.preset.clear()
        self.preset.addItems(["fast"] if self.auto else list(self.method_class.presets))
        last = {} if self.auto else recall(_SECTION, self.method_class.id, {})
        wanted = last.get("preset", preferences().preset)
        if self.preset.findText(wanted) >= 0:
            self.preset.setCurrentText(wanted)
        self.preset.blockSignals(False)
        self._on_preset()
        self._recall(last.get("values", {}))

    def _on_preset(self, index: int = 0) -> None:
        method, training = configure(self.method_class, self.preset.currentText(), volume=self._volume)
        if self.form is not None:
            self.form.native.setParent(None)
            self.form.native.deleteLater()
        self.form = make_form(() if self.auto else settings(method, training))
        self.form.changed.connect(lambda _=None: self.changed.emit())
        self.advanced.add(self.form.native)
        self._begun = read_form(self.form)
        self.method_changed.emit()


def _preferred(begin: Preferences) -> RunOptions:
    """Return the run options that the user prefers."""
    device = begin.device if begin.device in devices.DEVICES else "auto"
    return RunOptions(device=device, threads=begin.threads or None)


def _run_options() -> set[str]:
    return {option.name for option in parameters(RunOptions)}
