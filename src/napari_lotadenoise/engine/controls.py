"""Commands of the user to a run."""

from __future__ import annotations

from dataclasses import dataclass

from napari_lotadenoise.events import Command, ViewRequest


@dataclass
class Controls:
    """The commands that a run has received and not yet acted on.

    Attributes
    ----------
    view_request : ViewRequest or None
        Place that previews show.
    finish, stop, paused : bool
        Whether to apply what is learnt, to discard the run, or to wait.
    """

    view_request: ViewRequest | None = None
    finish: bool = False
    stop: bool = False
    paused: bool = False

    @property
    def waiting(self) -> bool:
        """Tell whether the run is to wait for the next command."""
        return self.paused and not (self.stop or self.finish)

    def receive(self, command: Command | ViewRequest | None) -> None:
        """Take in a command; None is none."""
        match command:
            case ViewRequest():
                self.view_request = command
            case Command.STOP:
                self.stop = True
            case Command.FINISH:
                self.finish, self.paused = True, False
            case Command.PAUSE:
                self.paused = True
            case Command.RESUME:
                self.paused = False
