"""The plugin's page in napari's Preferences; older napari has none, and the defaults hold there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_lotadenoise.engine.clock import PREVIEW_SHARE

#: Name of the plugin, and of its part of the settings.
_PLUGIN, _SECTION = "napari-lotadenoise", "denoise"
#: Share of the time that previews may take, by the words for it.
PREVIEWS = {"often": 2 * PREVIEW_SHARE, "normal": PREVIEW_SHARE, "seldom": PREVIEW_SHARE / 4}


@dataclass(frozen=True)
class Preferences:
    """What the docks begin with.

    Attributes
    ----------
    method : str
        "auto" or an id of `METHODS`.
    preset : str
    device : str
    threads : int
        0 for all but one.
    previews : "often", "normal" or "seldom"
    output : "float32" or "same"
        Data type of result layers: float32, or that of the layer.
    prior : bool
        Whether Auto may use the shipped network.
    folder : str
        Where results and models are saved at first; empty for the last place.
    """

    method: str = "auto"
    preset: str = "fast"
    device: str = "auto"
    threads: int = 0
    previews: str = "normal"
    output: str = "float32"
    prior: bool = True
    folder: str = ""

    @property
    def preview_share(self) -> float:
        """Return the share of the time that previews may take."""
        return PREVIEWS.get(self.previews, PREVIEW_SHARE)

    def path(self, name: str) -> str:
        """Return a file name in the folder for results, for a dialog to begin with."""
        return str(Path(self.folder).expanduser() / name) if self.folder else name


def preferences() -> Preferences:
    """Return the preferences of the user."""
    try:
        from napari.settings import get_plugin_settings

        told: Any = getattr(get_plugin_settings(_PLUGIN), _SECTION)
    except (ImportError, KeyError, AttributeError):  # napari before 0.9, or a manifest without the page
        return Preferences()
    names = Preferences.__dataclass_fields__
    return Preferences(**{name: getattr(told, name) for name in names if hasattr(told, name)})
