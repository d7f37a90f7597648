"""Instant pictures: of single places, as the first ones of a run, and for as long as somebody looks."""

import numpy as np
import pytest
import torch

from napari_lotadenoise import METHODS, denoise
from napari_lotadenoise.compute import process_settings
from napari_lotadenoise.contract.method import configure
from napari_lotadenoise.engine import run
from napari_lotadenoise.engine.quick_look import quick_look
from napari_lotadenoise.errors import NotFiniteError
from napari_lotadenoise.events import Command, Discarded, Failed, Finished, LevelRequest, Preview, ViewRequest
from napari_lotadenoise.methods.instant import Instant
from napari_lotadenoise.options import Options
from napari_lotadenoise.pretrained.denoiser import ShippedDenoiser
from tests.helpers import quick, scene

TITLE = Instant.info.title


@pytest.fixture(scope="module")
def stack():
    """Three noisy planes and their truth."""
    truth = np.stack([scene((64, 80), seed) for seed in range(3)])
    return truth + np.random.default_rng(0).normal(0, 20, truth.shape).astype(np.float32), truth


class Lazy:
    """An array that remembers what was asked of it."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.ndim, self.asked = array, array.shape, array.dtype, array.ndim, []

    def __getitem__(self, index):
        self.asked.append(index)
        return self.array[index]


def previews(image, method, options, **settings):
    events = run(image, *configure(METHODS[method], **quick(method, **settings)), options)
    seen = []
    for event in events:
        if isinstance(event, Preview):
            seen.append(event)
        if isinstance(event, Finished):
            assert not isinstance(event, Failed), event.reason
            return seen, event.result
    raise AssertionError


# ---------------------------------------------------------------- instant previews of a run


def test_the_first_picture_is_the_instant_one_and_says_so(stack):
    noisy, truth = stack
    seen, _ = previews(noisy, "lota-n2n", Options(axes="TYX", view_request=ViewRequest((1, 0, 0)), instant_preview=1.0))
    assert (seen[0].by, seen[0].step, seen[0].index[0]) == (TITLE, 0, 1)
    assert np.abs(seen[0].image - truth[1]).mean() < 0.4 * np.abs(noisy[1] - truth[1]).mean()


def test_without_asking_no_picture_is_of_pretrained_weights(stack):
    seen, result = previews(stack[0], "lota-n2n", Options(axes="TYX", view_request=ViewRequest((1, 0, 0))))
    assert {preview.by for preview in seen} == {""}
    assert not result.recipe.pretrained


def test_the_result_has_nothing_of_the_first_picture_nor_of_its_threads(stack, monkeypatch):
    monkeypatch.setattr(process_settings, "default_threads", lambda: 1)
    monkeypatch.setattr(process_settings, "processors", lambda: 3)
    options = {"axes": "TYX", "view_request": ViewRequest((0, 0, 0))}
    _, plain = previews(stack[0], "noise2self", Options(**options))
    _, previewed_first = previews(stack[0], "noise2self", Options(**options, instant_preview=1.0))
    assert np.array_equal(plain.image, previewed_first.image)
    assert not previewed_first.recipe.pretrained


@pytest.mark.parametrize(("told", "expected"), [(None, 3), (2, 2)])
def test_the_first_picture_takes_all_processors_unless_told_otherwise(stack, monkeypatch, told, expected):
    used = []
    denoise_ = ShippedDenoiser.denoise

    def watched(*args):
        used.append(torch.get_num_threads())
        return denoise_(*args)

    monkeypatch.setattr(process_settings, "processors", lambda: 3)
    monkeypatch.setattr(ShippedDenoiser, "denoise", watched)
    before = torch.get_num_threads()
    previews(
        stack[0],
        "gaussian",
        Options(axes="TYX", view_request=ViewRequest((0, 0, 0)), instant_preview=1.0, threads=told),
    )
    assert used[0] == expected
    assert torch.get_num_threads() == before


def test_instant_itself_needs_no_first_picture(stack):
    seen, result = previews(
        stack[0], "instant", Options(axes="TYX", view_request=ViewRequest((0, 0, 0)), instant_preview=1.0)
    )
    assert {preview.by for preview in seen} <= {""}
    assert result.recipe.pretrained


def test_the_first_picture_follows_the_slider_through_channels_whose_turn_is_to_come(stack):
    noisy, truth = stack
    events = run(
        noisy,
        *configure(METHODS["lota-n2n"], steps=200, crop=32),
        Options(axes="CYX", view_request=ViewRequest((0, 0, 0)), instant_preview=1.0),
    )
    event = next(events)
    while not isinstance(event, Preview):
        event = next(events)
    event = events.send(ViewRequest((2, 0, 0), number=1))
    while not (isinstance(event, Preview) and event.view_request.number == 1):
        event = next(events)
    assert event.by == TITLE
    assert int(np.argmin([np.abs(event.image - plane).mean() for plane in truth])) == 2
    events.close()


def test_maps_of_the_method_come_beside_the_instant_picture(stack):
    seen, _ = previews(
        stack[0], "noise2self", Options(axes="TYX", view_request=ViewRequest((0, 0, 0), maps=True), instant_preview=1.0)
    )
    early = [preview for preview in seen if preview.by]
    assert set(early[0].maps) == {"residual"}
    np.testing.assert_allclose(early[0].maps["residual"], stack[0][0] - early[0].image, atol=1e-3)


# ---------------------------------------------------------------- quick look


def looked(image, *orders, **options):
    """Previews that some orders bring."""
    looks = quick_look(image, Options(**{"axes": "ZYX", "view_request": ViewRequest((0, 0, 0)), **options}))
    event, seen = next(looks), []
    for order in orders:
        event = looks.send(order)
        while not isinstance(event, Preview | Finished):
            event = next(looks)
        seen.append(event)
    looks.close()
    return seen


def test_a_quick_look_follows_places_and_levels(stack):
    noisy, truth = stack
    seen = looked(
        noisy, ViewRequest((1, 0, 0)), ViewRequest((2, 0, 0), number=1), LevelRequest(0.25), LevelRequest(3.0)
    )
    assert [preview.index[0] for preview in seen] == [1, 2, 2, 2]
    for preview in seen[:2]:
        plane = preview.index[0]
        assert np.abs(preview.image - truth[plane]).mean() < 0.4 * np.abs(noisy[plane] - truth[plane]).mean()
    faint, full, strong = (np.std(noisy[2] - seen[number].image) for number in (2, 1, 3))
    assert faint < 0.5 * full < strong


def test_a_quick_look_is_what_the_method_makes_of_the_plane(stack):
    noisy, _ = stack
    (seen,) = looked(noisy, ViewRequest((1, 0, 0)))
    np.testing.assert_allclose(seen.image, denoise(noisy[1], "instant").image, atol=0.3)


def test_a_quick_look_reads_only_what_is_looked_at(stack):
    lazy = Lazy(np.repeat(stack[0], 4, axis=0))
    looks = quick_look(lazy, Options(axes="ZYX", view_request=ViewRequest((5, 0, 0))))
    for order in (None, ViewRequest((7, 0, 0))):
        event = looks.send(order)
        while not isinstance(event, Preview):
            event = next(looks)
    assert {index[0] for index in lazy.asked} == {5, 7}


def test_a_quick_look_ends_with_one_last_word(stack):
    looks = quick_look(stack[0], Options(axes="ZYX", view_request=ViewRequest((0, 0, 0))))
    next(looks)
    assert looks.send(Command.STOP) == Discarded("no more previews")
    assert list(looks) == []


def test_a_quick_look_minds_the_values_of_the_place_only(stack):
    noisy = stack[0].copy()
    noisy[0], noisy[2, 3, 3] = 7, np.nan
    blank, usual = looked(noisy, ViewRequest((0, 0, 0)), ViewRequest((1, 0, 0), number=1))
    assert (blank.image == 7).all()
    np.testing.assert_array_equal(usual.image, looked(stack[0], ViewRequest((1, 0, 0)))[0].image)
    (refused,) = looked(noisy, ViewRequest((2, 0, 0)))
    assert isinstance(refused.error, NotFiniteError)


def test_a_quick_look_of_what_cannot_be_denoised_says_why():
    (event,) = quick_look(np.zeros((4, 4), complex), Options(axes="YX", view_request=ViewRequest((0, 0))))
    assert isinstance(event, Failed)
    assert "complex" in event.reason
