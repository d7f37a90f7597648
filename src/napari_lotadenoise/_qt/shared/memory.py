"""What the docks remember from one session to the next: folds that are open, the last settings of each method."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import platformdirs

#: Name of the variable of the environment that names another folder, or, empty, none: nothing is remembered then.
FOLDER = "NAPARI_LOTADENOISE_STATE"


def recall(section: str, name: str, default: Any = None) -> Any:
    """Return what was remembered under a name; the default where there is nothing, or nothing readable."""
    return _read().get(section, {}).get(name, default)


def remember(section: str, name: str, value: Any) -> None:
    """Remember a plain value; where that is not possible, a line in the log says so."""
    path = _path()
    if path is None:
        return
    content = _read()
    content.setdefault(section, {})[name] = value
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(content, indent=2), encoding="utf-8")
        part.replace(path)
    except (OSError, TypeError, ValueError) as error:
        logging.getLogger(__name__).info("The state of the docks is not remembered (%s).", error)


def _path() -> Path | None:
    folder = os.environ.get(FOLDER)
    if folder == "":
        return None
    return Path(folder or platformdirs.user_config_dir("napari-lotadenoise")) / "docks.json"


def _read() -> dict[str, dict[str, Any]]:
    path = _path()
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path is not None else {}
        return {name: dict(section) for name, section in content.items()}
    except (OSError, ValueError, AttributeError, TypeError):  # none yet, or damaged: begin anew
        return {}
