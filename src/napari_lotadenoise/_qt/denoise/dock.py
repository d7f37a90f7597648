"""The Denoise dock: one layer, one method, one button; and what is going on."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
from napari.layers import Image
from napari.utils.notifications import show_warning
from napari.utils.theme import get_theme
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_lotadenoise._qt.denoise.controller import DenoiseController, RunState
from napari_lotadenoise._qt.denoise.map_boxes import MapBoxes
from napari_lotadenoise._qt.denoise.model_bar import ModelBar
from napari_lotadenoise._qt.denoise.quick_look_bar import QuickLookBar, Subject
from napari_lotadenoise._qt.denoise.run_bar import RunBar
from napari_lotadenoise._qt.denoise.run_list import PastRun, RunList
from napari_lotadenoise._qt.denoise.session import RunRequest, RunSession
from napari_lotadenoise._qt.denoise.settings import SettingsPanel
from napari_lotadenoise._qt.denoise.shortcuts import add_shortcuts
from napari_lotadenoise._qt.noise.noise_line import NoiseLine
from napari_lotadenoise._qt.shared.axes_form import AxesForm
from napari_lotadenoise._qt.shared.fold import Fold
from napari_lotadenoise._qt.shared.layer_box import LayerBox
from napari_lotadenoise._qt.shared.layers import data_of
from napari_lotadenoise._qt.shared.plot import LivePlot
from napari_lotadenoise._qt.shared.preferences import preferences
from napari_lotadenoise._qt.shared.widgets import Dock, button, elided, fill_dock, labelled, share
from napari_lotadenoise.compute import devices
from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.contract.params import parameters
from napari_lotadenoise.engine import plan
from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.events import Command
from napari_lotadenoise.methods import find
from napari_lotadenoise.model import read_recipe
from napari_lotadenoise.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_lotadenoise.comparison.candidate import Candidate
    from napari_lotadenoise.events import Progress
    from napari_lotadenoise.image.stack import Layout
    from napari_lotadenoise.model import Model
    from napari_lotadenoise.noise import NoiseReport
    from napari_lotadenoise.recipe import Recipe

#: The method whose result is one pass of the shipped network, as the quick look is.
_QUICK_LOOK_METHOD = "instant"


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
        self.controller = DenoiseController(self._start)
        self.layers, self.noise_line, self.axes = LayerBox(self.viewer), NoiseLine(), AxesForm()
        self.settings, self.maps = SettingsPanel(), MapBoxes()
        self.quick_look = QuickLookBar(self.viewer, self._subject)
        self.use_stride = button(
            "Use stride",
            "Denoise interleaved images, in which this noise is independent between pixels",
            self._use_stride,
        )
        self.use_stride.hide()
        self._waiting: Callable[[], None] | None = None
        self.sentence = elided(2)
        self.sentence.setAccessibleName("What will be done")
        self.run_bar, self.plot, self.model_bar, self.run_list = RunBar(), LivePlot(), ModelBar(), RunList()
        self._queue: list[RunRequest] = []
        self._result: Image | None = None
        self._arrange()
        self._connect()
        self.axes.show_layer(self.layer)
        self._on_method()
        self._measure()
        self.plot.set_theme(self.viewer.theme)

    # ---------------------------------------------------------------- what is wanted

    @property
    def layer(self) -> Image | None:
        """Return the chosen layer."""
        return self.layers.layer

    @property
    def session(self) -> RunSession | None:
        """Return the run that is going on."""
        return self.controller.session

    def request(self, *, fill: bool = False) -> RunRequest:
        """Put together what the user wants.

        Raises
        ------
        LotaDenoiseError
            Where the choices do not fit together.
        """
        if self.layer is None:
            raise LotaDenoiseError(self.layers.why_none)
        method, training = self.settings.configured()
        layout = self._layout()
        options = Options(
            axes=layout.axes, channels=layout.channels, volume=layout.volume, fill=fill,
            instant_preview=self.quick_look.level, preview_share=preferences().preview_share,
            **self.settings.run_options(),
        )  # fmt: skip
        same = self.settings.same_dtype.isChecked()
        return RunRequest(self.layer, method, training, options, self.maps.wanted(), same_dtype=same)

    def take_over(self, layer: Image | None, candidate: Candidate, layout: Layout, blend: float = 1.0) -> None:
        """Show a layer and the settings of a candidate of a comparison, for the user to change or to run."""
        if layer is not None:
            self.layers.setCurrentIndex(self.layers.findText(layer.name))
        self.axes.set_layout(layout.axes, layout.channels, layout.volume)
        self.settings.choose(candidate.method, candidate.preset, **candidate.options, blend=blend)

    def follow(self, layer: Image | None, layout: Layout) -> None:
        """Take over the layer and the axes that another dock has chosen."""
        if layer is not self.layer:
            self.layers.choose(layer)
        if layer is self.layer and layer is not None and self.axes.letters != layout.axes:
            self.axes.set_layout(layout.axes, layout.channels, self.axes.volume)

    def denoise(self, *, fill: bool = False) -> None:
        """Start a run; a second call while one is going on does nothing.

        Auto waits for the noise to be measured.
        """
        self._waiting = None
        if self.settings.auto and self.noise_line.measurement.going_on and not self.controller.state.busy:
            self._waiting = lambda: self.denoise(fill=fill)
            self.run_bar.say("Measuring the noise first ...")
            return
        self.controller.denoise(lambda: self.request(fill=fill))

    def apply_model(self, model: Model | Path) -> None:
        """Denoise the selected image layers, or the chosen one, with what was learnt before; one after the other."""
        if self.controller.state.busy:
            return
        try:
            self._queue = self._requests_of(model)
        except LotaDenoiseError as error:
            self.controller.complain(error)
            return
        self._next_of_queue()

    def discard(self) -> None:
        """End what runs, and what was to come after it."""
        self._queue = []
        self.controller.discard()

    def flicker(self) -> None:
        """Hide the last result, or show it again, so that what lies below flickers with it."""
        layer = self._result
        if layer is not None and layer in self.viewer.layers:
            layer.visible = not layer.visible

    def _again(self, request: RunRequest) -> None:
        """Do a run again, on its layer as it is now."""
        if request.layer not in self.viewer.layers:
            self.run_bar.say(f"The layer {request.layer.name!r} is not there any more.")
            return
        self.controller.denoise(lambda: request)

    def _requests_of(self, model: Model | Path) -> list[RunRequest]:
        recipe = read_recipe(model) if isinstance(model, Path) else model.recipe
        method, training = configure(
            find(recipe.method), recipe.preset, volume=recipe.volume, **recipe.parameters, **recipe.training
        )
        selected = [layer for layer in self.viewer.layers if layer in self.viewer.layers.selection]
        layers = [layer for layer in selected if isinstance(layer, Image)] or ([self.layer] if self.layer else [])
        if not layers:
            raise LotaDenoiseError(self.layers.why_none)
        device = self.settings.options["device"].value
        return [
            RunRequest(layer, method, training, Options(axes=self._axes_of(layer, recipe), device=device), model=model)
            for layer in layers
        ]

    def _axes_of(self, layer: Image, recipe: Recipe) -> str | None:
        """Return the axes of a layer: as the dock shows them for its own, as they were learnt for others."""
        if layer is self.layer:
            return self.axes.layout_value().axes
        return recipe.axes if len(recipe.axes) == data_of(layer).ndim else None

    def _next_of_queue(self) -> None:
        if self._queue:
            request = self._queue.pop(0)
            self.controller.denoise(lambda: request)

    # ---------------------------------------------------------------- putting it together

    def _arrange(self) -> None:
        content = QWidget()
        box = QVBoxLayout(content)
        box.setSpacing(4)
        box.setContentsMargins(6, 4, 6, 4)
        box.addLayout(labelled(("&Layer", self.layers)))
        self.run_bar.put_below_buttons(self.quick_look)
        for widget in (self.noise_line, self.use_stride, self.settings, self.axes, self.sentence, self.run_bar):
            box.addWidget(widget)
        box.addWidget(self.plot, 1)
        for fold in (
            Fold("Maps beside the preview", self.maps), self.settings.advanced, Fold("Models", self.model_bar),
            Fold("Runs", self.run_list),
        ):  # fmt: skip
            box.addWidget(fold)
        fill_dock(self, content)

    def _connect(self) -> None:
        self.viewer.layers.selection.events.active.connect(self._describe)
        self.viewer.events.theme.connect(self._on_theme)
        self.layers.currentIndexChanged.connect(self._on_layer)
        self.layers.data_changed.connect(self._on_layer)
        self.settings.changed.connect(self._describe)
        self.settings.method_changed.connect(self._on_method)
        self.settings.options["device"].changed.connect(self.quick_look.refresh)
        self.axes.changed.connect(self._on_axes)
        self.maps.changed.connect(self._show_maps)
        self.quick_look.level_changed.connect(self._set_level)
        self.quick_look.applied.connect(self._apply_quick_look)
        self.noise_line.measurement.found.connect(self._on_report)
        controller, bar = self.controller, self.run_bar
        controller.state_changed.connect(self._on_state)
        controller.said.connect(self._on_said)
        bar.denoise.connect(self.denoise)
        bar.fill_and_denoise.connect(lambda: self.denoise(fill=True))
        bar.finish_now.connect(controller.finish_now)
        bar.pause.connect(controller.toggle_pause)
        bar.discard.connect(self.discard)
        self.model_bar.apply.connect(self.apply_model)
        self.model_bar.said.connect(self.run_bar.say)
        self.run_list.said.connect(self.run_bar.say)
        self.run_list.again.connect(self._again)
        actions = {"denoise": self.denoise, "quick look": self.quick_look.switch.toggle, "finish": controller.finish_now,
                   "discard": self.discard, "flicker": self.flicker}  # fmt: skip
        add_shortcuts(self, actions)

    def _start(self, request: RunRequest) -> RunSession:
        self.settings.remember()
        self.quick_look.stop()
        self.plot.clear()
        session = RunSession(self.viewer, request)
        session.started.connect(self._on_started)
        # Methods of this widget and not of the controller: Qt lets go of them when the widget is gone.
        session.progressed.connect(self._on_progress)
        session.ended.connect(self._on_ended)
        # A window that is closed takes its docks along without a close event; napari before 0.6.5 ends no worker then.
        mailbox = session.mailbox
        self.destroyed.connect(lambda *_: mailbox.post(Command.STOP))
        return session

    # ---------------------------------------------------------------- reactions to the run

    def _on_state(self, state: RunState) -> None:
        self.run_bar.show_state(state)
        self.model_bar.setEnabled(not state.busy)
        self.quick_look.setEnabled(not state.busy)  # while a run goes on, previews are its own
        if not state.busy:
            self.maps.show_method(self.settings.method_class())

    def _on_said(self, words: str, offer_fill: bool) -> None:
        self.run_bar.say(words, offer_fill=offer_fill)
        if words.startswith("Cannot"):
            show_warning(words)

    def _on_started(self, event: Any) -> None:
        self.settings.device_reason.setText(event.device)
        self.controller.on_started(event)

    def _on_progress(self, news: tuple[Progress, ...]) -> None:
        self.plot.add(news)
        live = self.session.live if self.session is not None else None
        self.run_bar.show_progress(news[-1], live.by if live else "", live.why_hidden if live else "")

    def _on_ended(self, error: Exception | None, words: str) -> None:
        session = self.session
        if session is not None and session.model is not None:
            self.model_bar.show_model(session.model)
        if session is not None and session.result_layer is not None and session.recipe is not None:
            self._result = session.result_layer
            self.run_list.add(PastRun(session.request, session.source.name, self._result.name, session.recipe))
        self.controller.on_ended(error, words)
        self._next_of_queue()

    # ---------------------------------------------------------------- reactions to choices

    def _on_layer(self, index: int = 0) -> None:
        self.axes.show_layer(self.layer)
        self._describe()
        self._measure()
        self._share()

    def _share(self) -> None:
        """Let the Noise dock show the same layer and axes."""
        with contextlib.suppress(LotaDenoiseError):
            share(self, self.layer, self.axes.layout_value())

    def _on_axes(self) -> None:
        self.settings.set_volume(self.axes.volume)
        self._describe()
        self._measure()
        self._share()

    def _on_method(self) -> None:
        self.settings.describe_method(get_theme(self.viewer.theme).text.as_hex())
        if not self.controller.state.busy:  # the maps of a run are those of its own method
            self.maps.show_method(self.settings.configured()[0])
        self._describe()

    def _on_report(self, report: NoiseReport | None, words: str = "") -> None:
        self.settings.show_report(report, deep=self.noise_line.measurement.deep)
        self._describe()
        if self._waiting is not None:
            self._waiting()

    def _use_stride(self) -> None:
        self.settings.form["stride"].value = self.noise_line.stride_needed

    def _layout(self) -> Layout:
        """Return the layout of the axes; the automatic choice may be a volume."""
        layout = self.axes.layout_value()
        return dataclasses.replace(layout, volume=True) if self.settings.volume else layout

    def _measure(self) -> None:
        self._waiting = None
        self.quick_look.refresh()
        try:
            self.noise_line.measure(self.layer, self.axes.layout_value().axes if self.layer is not None else "")
        except LotaDenoiseError:  # two axes of one meaning; the sentence says so
            self.noise_line.measure(None, "")

    def _describe(self, *_: Any) -> None:
        """Say in words what the button will do."""
        try:
            request = self.request()
        except LotaDenoiseError as error:
            self._say_what(str(error))
            return
        options = request.options
        self.noise_line.judge(request.method, request.training, options.stabilise)
        stride = self.noise_line.stride_needed
        self.use_stride.setText(f"Use stride {stride}")
        self.use_stride.setVisible(stride > 0)
        shape, layout = tuple(data_of(request.layer).shape), self._layout()
        device = devices.guess() if options.device == "auto" else options.device
        seconds = plan.seconds_for(
            shape, layout, request.method, request.training, options, report=self.noise_line.report, watched=True
        )
        self.settings.show_time(seconds)
        self._say_what(plan.describe(shape, layout, request.method, device, seconds))

    def _say_what(self, words: str) -> None:
        self.sentence.setText(words)
        self.sentence.setToolTip(words)

    def _on_theme(self, event: Any = None) -> None:
        self.plot.set_theme(self.viewer.theme)
        self.settings.describe_method(get_theme(self.viewer.theme).text.as_hex())

    def _show_maps(self, *_: Any) -> None:
        for live in (self.session.live if self.session is not None else None, self.quick_look.live):
            if live is not None:
                live.want(self.maps.wanted())

    # ---------------------------------------------------------------- quick look

    def _subject(self) -> Subject:
        if self.layer is None:
            raise LotaDenoiseError(self.layers.why_none)
        layout, device = self.axes.layout_value(), self.settings.options["device"].value
        return Subject(self.layer, layout, device, self.maps.wanted())

    def _set_level(self, level: float) -> None:
        """Take the noise level of the quick look over, where it is one of the method's settings."""
        if any(parameter.name == "level" for parameter in parameters(self.settings.method_class)):
            self.settings.form["level"].value = level

    def _apply_quick_look(self) -> None:
        """Denoise the whole layer as the quick look shows it."""
        self.settings.choose(_QUICK_LOOK_METHOD)
        self._set_level(self.quick_look.slider.value())
        self.denoise()

    # ---------------------------------------------------------------- leaving

    def leave(self) -> None:
        """End the run, if there is one: nothing learns on unseen."""
        if hasattr(self, "run_bar"):  # closed before it was put together otherwise
            self.noise_line.measurement.forget()
            self.quick_look.stop()
            self.discard()
