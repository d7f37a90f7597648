import pytest
from qtpy.QtCore import QObject

from napari_lotadenoise._qt.compare.session import ComparisonSession
from napari_lotadenoise._qt.denoise.quick_look_bar import _QuickLook
from napari_lotadenoise._qt.denoise.session import RunSession
from napari_lotadenoise._qt.shared.worker import Mailbox
from napari_lotadenoise.events import Command, ViewRequest


def test_no_command_is_lost_to_a_look_and_the_newest_look_wins():
    box = Mailbox()
    box.post(ViewRequest((0,), number=1))
    box.post(Command.PAUSE)
    box.post(ViewRequest((0,), number=2))
    assert box.take() is Command.PAUSE
    assert box.take().number == 2
    assert box.take() is None


def test_what_ends_a_run_comes_first_and_makes_the_rest_pointless():
    box = Mailbox()
    for command in (Command.PAUSE, Command.FINISH, Command.STOP):
        box.post(command)
    assert box.take() is Command.STOP
    assert box.take() is None


@pytest.mark.parametrize("listener", [RunSession, ComparisonSession, _QuickLook])
def test_whoever_hears_a_thread_is_a_qobject(listener):
    """Others are called by PySide6 even when they are gone, which ended Python after a quick look."""
    assert issubclass(listener, QObject)
