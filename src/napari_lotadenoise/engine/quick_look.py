"""The instant picture of whatever is looked at, for as long as somebody looks: no run, no result."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

from napari_lotadenoise.compute import devices, process_settings
from napari_lotadenoise.engine.instant_preview import Glance
from napari_lotadenoise.events import Command, Finished, Level, Look, Preview
from napari_lotadenoise.image.checks import check_unread
from napari_lotadenoise.image.stack import layout_for
from napari_lotadenoise.options import Options

#: Seconds between two questions for something to do.
NAP = 0.02

Looks = Generator[Preview | Finished | None, Look | Level | Command | None, None]


def quick_look(image: Any, options: Options) -> Looks:
    """Show one place after the other.

    Parameters
    ----------
    image : array-like
        Of which only what is looked at is read.
    options : Options
        `axes`, `channels`, `volume`, `device`, `threads`, `fill`, `look` (the first place) and `glance` (the level of noise)
        matter here.

    Yields
    ------
    Preview after a `Look` or a `Level` was sent, else None; in the end, after `Command.STOP` or an error, one Finished
    """
    try:
        layout = layout_for(tuple(image.shape), options.axes, options.channels, options.volume)
        stack = check_unread(image, layout, fill=options.fill)
        glance = Glance(stack, layout, devices.choose(options.device)[0], options.glance or 1.0, options.threads)
        threads = process_settings.default_threads() if options.threads is None else options.threads
        look = options.look
        due = look is not None
        order = yield None
        while order is not Command.STOP:
            if isinstance(order, Look):
                look, due = order, True
            elif isinstance(order, Level):
                glance.level, due = order.level, look is not None
            elif due and look is not None:
                with process_settings.tuned(threads):
                    picture = glance.preview(look)
                due = False
                order = yield picture
                continue
            else:
                time.sleep(NAP)
            order = yield None
    except Exception as error:  # whatever goes wrong, the listener gets its last event
        yield Finished(None, str(error) or type(error).__name__, error)
        return
    yield Finished(None, "no more looks")
