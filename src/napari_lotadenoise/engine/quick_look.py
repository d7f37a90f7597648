"""Instant previews of whatever is in view, as long as they are wanted: no run, no result."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

from napari_lotadenoise.compute import devices, process_settings
from napari_lotadenoise.engine.instant_preview import InstantPreview
from napari_lotadenoise.events import Command, Discarded, Failed, Finished, LevelRequest, Preview, ViewRequest
from napari_lotadenoise.image.arrays import array_of
from napari_lotadenoise.image.checks import check_unread
from napari_lotadenoise.image.stack import layout_for
from napari_lotadenoise.options import Options

#: Seconds between two questions for something to do.
NAP = 0.02

Looks = Generator[Preview | Finished | None, ViewRequest | LevelRequest | Command | None, None]


def quick_look(image: Any, options: Options) -> Looks:
    """Denoise one place after the other with the shipped network.

    Parameters
    ----------
    image : array-like
        Only what is in view is read of it.
    options : Options
        `axes`, `channels`, `volume`, `device`, `threads`, `fill`, `view_request` (the first place) and `instant_preview` (the
        level of noise) matter here.

    Yields
    ------
    Preview, Finished or None
        A `Preview` after a `ViewRequest` or a `LevelRequest` was sent, else None; `Discarded` after ``Command.STOP``, `Failed`
        after an error.
    """
    try:
        image = array_of(image)
        layout = layout_for(tuple(image.shape), options.axes, options.channels, options.volume)
        stack = check_unread(image, layout, fill=options.fill)
        device, _ = devices.choose(options.device)
        instant = InstantPreview(stack, layout, device, options.instant_preview or 1.0, options.threads)
        threads = options.threads or process_settings.default_threads()
        request = options.view_request
        due = request is not None
        command = yield None
        while command is not Command.STOP:
            if isinstance(command, ViewRequest):
                request, due = command, True
            elif isinstance(command, LevelRequest):
                instant.level, due = command.level, request is not None
            elif due and request is not None:
                with process_settings.applied(threads):
                    preview = instant.preview(request)
                due = False
                command = yield preview
                continue
            else:
                time.sleep(NAP)
            command = yield None
    except Exception as error:  # whatever goes wrong, the listener gets its last event
        yield Failed(error)
        return
    yield Discarded("no more previews")
