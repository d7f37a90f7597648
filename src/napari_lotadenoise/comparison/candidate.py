"""What takes part in a comparison: a method with its settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from napari_lotadenoise.automatic import Choice
from napari_lotadenoise.comparison import advice
from napari_lotadenoise.contract.method import Method, Training, configure, settings
from napari_lotadenoise.contract.params import convert, parameters
from napari_lotadenoise.contract.run_options import RunOptions
from napari_lotadenoise.errors import ParameterError
from napari_lotadenoise.methods import METHODS, find
from napari_lotadenoise.noise import NoiseReport

#: What stands beside the suggested methods, to see what a plain filter does.
BESIDE = ("nlm", "gaussian")


@dataclass(frozen=True)
class Candidate:
    """A method with its settings.

    Attributes
    ----------
    method : str
        An id of `METHODS`.
    options : mapping
        Hyper-parameters of the method or of its training in which it differs from the preset.
    preset : "fast", "paper" or "warm"
    run_options : mapping
        Run options in which it differs from the other candidates.
    chosen : bool
        Whether *Auto* has chosen it, which its name then says.
    """

    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    preset: str = "fast"
    run_options: Mapping[str, Any] = field(default_factory=dict)
    chosen: bool = False

    @classmethod
    def of(cls, choice: Choice) -> Candidate:
        """Return the candidate that *Auto* has chosen."""
        names = {option.name for option in parameters(RunOptions)}
        run_options = {name: value for name, value in choice.settings.items() if name in names}
        options = {name: value for name, value in choice.settings.items() if name not in names}
        return cls(choice.method, options, run_options={**run_options, "reason": choice.reason}, chosen=True)

    @property
    def method_class(self) -> type[Method]:
        """Return the method."""
        return find(self.method)

    @property
    def label(self) -> str:
        """Return the name for people: "LoTA-N2N, trace 0.3"."""
        title = self.method_class.info.title
        if self.chosen:  # its settings are not the user's
            return f"Auto: {title}"
        preset = () if self.preset == "fast" else (self.preset,)
        return ", ".join((title, *preset, *(f"{name} {_short(v)}" for name, v in self.options.items())))

    @property
    def key(self) -> str:
        """Return the name for files: "lota-n2n-trace-0.3"."""
        if self.chosen:
            return f"auto-{self.method}"
        preset = () if self.preset == "fast" else (self.preset,)
        parts = (self.method, *preset, *(f"{name}-{_short(value)}" for name, value in self.options.items()))
        return "-".join(parts).replace("/", "_").replace(" ", "_")

    def configured(self, *, volume: bool = False) -> tuple[Method, Training]:
        """Return the method and its training.

        Raises
        ------
        MethodError, ParameterError
            Where there is no such method, or it has no such parameter.
        """
        return configure(self.method_class, self.preset, volume=self.run_options.get("volume", volume), **self.options)


def candidates_for(methods: Iterable[str | Candidate], preset: str = "fast") -> tuple[Candidate, ...]:
    """Make entries of ids; entries stay what they are.

    Raises
    ------
    MethodError, ParameterError
        Where a method does not exist, a setting is wrong, one of them comes twice, or there is none.
    """
    found = tuple(
        candidate if isinstance(candidate, Candidate) else Candidate(candidate, preset=preset) for candidate in methods
    )
    if not found:
        raise ParameterError("Nothing to compare: name at least one method.")
    for number, candidate in enumerate(found):
        candidate.configured()
        if candidate.key in (other.key for other in found[:number]):
            raise ParameterError(f"{candidate.label} takes part twice; leave one of them out.")
    return found


def sweep(method: str, parameter: str, values: Sequence[Any], preset: str = "fast") -> tuple[Candidate, ...]:
    """Return one method at several values of one parameter; texts are converted to its type.

    Raises
    ------
    MethodError, ParameterError
        Where there is no such method, it has no such parameter, or a value is out of its bounds.
    """
    kind = find(method)
    name = parameter.replace("-", "_")
    known = {p.name: p for owner in settings(*configure(kind, preset)) for p in parameters(owner)}
    if name not in known:
        raise ParameterError(f"{kind.info.title} has no parameter {parameter}; it has {', '.join(sorted(known))}.")
    if not values:
        raise ParameterError(f"Say at which values of {parameter} to compare {kind.info.title}.")
    converted = [convert(known[name], value.strip()) if isinstance(value, str) else value for value in values]
    return candidates_for(Candidate(method, {name: value}, preset) for value in converted)


def suggested(report: NoiseReport) -> tuple[str, ...]:
    """Return the ids of the methods that are worth comparing on an image.

    Those that suit its noise, and two plain filters beside.
    """
    chosen = advice.recommended(report) or ("nl-ridge", "lota-n2n", "noise2self")
    return tuple(name for name in dict.fromkeys((*chosen, *BESIDE)) if name in METHODS)


def possible(*, repeats: bool) -> tuple[str, ...]:
    """Return the ids of all methods; those that learn from repeats only where there are some."""
    return tuple(name for name, kind in METHODS.items() if repeats or not kind.requires.repeats)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
