"""Which methods take part in a comparison."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_lotadenoise._qt.shared.widgets import button, labelled, narrow, present
from napari_lotadenoise.automatic.choice import choose_by
from napari_lotadenoise.comparison import advice
from napari_lotadenoise.comparison.candidate import Candidate, possible, suggested, sweep
from napari_lotadenoise.contract.method import configure, settings
from napari_lotadenoise.contract.params import parameters
from napari_lotadenoise.errors import LotaDenoiseError
from napari_lotadenoise.methods import METHODS
from napari_lotadenoise.noise import NoiseReport

_ENTRY = Qt.ItemDataRole.UserRole
#: Rows of the list that are seen without scrolling.
_ROWS = 8


class MethodList(QWidget):
    """A list of methods to tick, and of one method at several values of a parameter.

    Until the user has ticked something, the noise report of the layer does.

    Signals
    -------
    changed ()
    complained (str)
        What was wrong with a value.
    """

    changed = Signal()
    complained = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._touched = False
        self._report: NoiseReport | None = None
        self.list = QListWidget()
        self.list.setAccessibleName("Methods to compare")
        self.list.setMinimumHeight(_ROWS * (self.list.fontMetrics().lineSpacing() + 4))
        for name in METHODS:
            self._add(Candidate(name))
        self.suggest = button("Suggested", "Tick the methods that suit the noise of the layer", self._suggest_again)
        self.none = button("None", "Tick nothing", lambda: self._tick(()))
        self.all = button("All", "Tick every method that works on one image; some of them take minutes", self._tick_all)
        self._make_sweep()
        self._arrange()
        self.list.itemChanged.connect(self._on_item)
        self._tick(suggested_without_report(), touched=False)

    def candidates(self) -> tuple[Candidate, ...]:
        """Return what is ticked, in the order of the list."""
        items = (present(self.list.item(row)) for row in range(self.list.count()))
        return tuple(item.data(_ENTRY) for item in items if item.checkState() == Qt.CheckState.Checked)

    def show_report(self, report: NoiseReport | None) -> None:
        """Say what speaks against each method, and tick those that suit unless the user has chosen."""
        self._report = report
        self.list.blockSignals(True)
        self._offer_auto()
        for row in range(self.list.count()):
            self._describe(present(self.list.item(row)))
        self.list.blockSignals(False)
        if report is not None and not self._touched:
            self._suggest_again()

    def _offer_auto(self) -> None:
        """Put what Auto chooses for the layer first, in place of what it chose before."""
        first = present(self.list.item(0))
        ticked = first.checkState()
        if first.data(_ENTRY).chosen:
            self.list.takeItem(0)
        if self._report is None:
            return
        self._add(Candidate.of(choose_by(self._report)), row=0)
        if first.data(_ENTRY).chosen:
            present(self.list.item(0)).setCheckState(ticked)

    @property
    def _auto(self) -> tuple[str, ...]:
        """Return the key of what Auto chooses, where that is known."""
        candidate: Candidate = present(self.list.item(0)).data(_ENTRY)
        return (candidate.key,) if candidate.chosen else ()

    def choose(self, *candidates: Candidate | str) -> None:
        """Tick just these; entries that are not in the list yet are added to it."""
        wanted = [candidate if isinstance(candidate, Candidate) else Candidate(candidate) for candidate in candidates]
        known = {present(self.list.item(row)).data(_ENTRY).key for row in range(self.list.count())}
        for candidate in wanted:
            if candidate.key not in known:
                self._add(candidate)
        self._tick(tuple(candidate.key for candidate in wanted))

    def add_sweep(self) -> None:
        """Add the chosen method at the values that were typed."""
        words = [word for word in self.values.text().replace(";", ",").split(",") if word.strip()]
        try:
            candidates = sweep(self.method.currentData(), self.parameter.currentData(), words)
        except LotaDenoiseError as error:
            self.complained.emit(str(error))
            return
        self.choose(*(*self.candidates(), *candidates))

    def _make_sweep(self) -> None:
        self.method, self.parameter, self.values = QComboBox(), QComboBox(), QLineEdit()
        for name, kind in METHODS.items():
            self.method.addItem(kind.info.title, name)
        narrow(self.method, self.parameter)
        self.method.setToolTip("Method to try at several values")
        self.parameter.setToolTip("Parameter of the method that takes these values")
        self.values.setPlaceholderText("0, 0.3, 1")
        self.values.setToolTip("Values of the parameter, with commas between them; each takes part by itself.")
        self.values.returnPressed.connect(self.add_sweep)
        self.add = button("Add these values", "Let the method take part once for each value", self.add_sweep)
        self.method.currentIndexChanged.connect(self._offer_parameters)
        self._offer_parameters()

    def _offer_parameters(self, index: int = 0) -> None:
        self.parameter.clear()
        for owner in settings(*configure(METHODS[self.method.currentData()])):
            for p in parameters(owner):
                self.parameter.addItem(f"{p.name} ({getattr(owner, p.name)})", p.name)
                self.parameter.setItemData(self.parameter.count() - 1, p.knob.doc, Qt.ItemDataRole.ToolTipRole)

    def _arrange(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        for widget in (self.suggest, self.all, self.none):
            row.addWidget(widget)
        box.addWidget(self.list)
        box.addLayout(row)
        self.sweep_box = QWidget()
        form = labelled(("Method", self.method), ("Parameter", self.parameter), ("Values", self.values), ("", self.add))
        form.setContentsMargins(0, 0, 0, 0)
        self.sweep_box.setLayout(form)

    def _add(self, candidate: Candidate, row: int | None = None) -> None:
        item = QListWidgetItem(candidate.label)
        item.setData(_ENTRY, candidate)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Unchecked)
        self.list.insertItem(self.list.count() if row is None else row, item)
        self._describe(item)

    def _describe(self, item: QListWidgetItem) -> None:
        """Return the assumptions in the tool tip; a mark where the noise of the layer breaks them."""
        candidate: Candidate = item.data(_ENTRY)
        info = candidate.method_class.info
        found: tuple[str, ...] = ()
        if self._report is not None:
            method, training = candidate.configured()
            structure = getattr(method, "structure", "pixel")
            found = advice.concerns(candidate.method_class, self._report, stride=training.stride, structure=structure)
        item.setText(f"{candidate.label}  (careful)" if found else candidate.label)
        careful = "".join(f"\n\nCareful: {concern}" for concern in found)
        item.setToolTip(f"{info.idea}\n\nAssumes {info.assumes}.\nFails {info.fails}.{careful}")

    def _suggest_again(self) -> None:
        keys = suggested_without_report() if self._report is None else suggested(self._report)
        self._tick((*self._auto, *keys), touched=False)

    def _tick_all(self) -> None:
        self._tick((*self._auto, *possible(repeats=False)))

    def _tick(self, keys: tuple[str, ...], *, touched: bool = True) -> None:
        self._touched = touched
        self.list.blockSignals(True)
        for row in range(self.list.count()):
            item = present(self.list.item(row))
            ticked = item.data(_ENTRY).key in keys
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        self.list.blockSignals(False)
        self.changed.emit()

    def _on_item(self, item: Any) -> None:
        self._touched = True
        self.changed.emit()


def suggested_without_report() -> tuple[str, ...]:
    """Return the methods to begin with before the noise is known."""
    return tuple(name for name in ("nl-ridge", "lota-n2n", "noise2self", "nlm") if name in METHODS)
