"""A model gives the bits of the run that made it, saved and loaded or not; files that are none are refused."""

import json
import struct

import numpy as np
import pytest
import torch

from napari_lotadenoise import METHODS, Model, denoise, learn
from napari_lotadenoise.errors import FileError, ImageError, MethodError
from napari_lotadenoise.image.stack import Layout, Stack
from napari_lotadenoise.model import file
from napari_lotadenoise.model.seen import Seen, differences
from tests.helpers import SINGLE, assert_same_bits, quick


@pytest.fixture
def small(noisy):
    return noisy[:64, :48]


@pytest.mark.parametrize("method", SINGLE)
def test_a_model_gives_the_bits_of_its_run(method, small, tmp_path):
    result = denoise(small, method, **quick(method, steps=4))
    if METHODS[method].tiling.whole:
        assert result.model is None
        with pytest.raises(MethodError, match="one image in one piece"):
            learn(small, method, **quick(method, steps=4))
        return
    result.model.save(tmp_path / "model.safetensors")
    loaded = Model.load(tmp_path / "model.safetensors")
    assert_same_bits(loaded.predict(small), result.image, method)
    assert_same_bits(learn(small, method, **quick(method, steps=4)).predict(small), result.image, method)


@pytest.mark.parametrize(
    ("method", "shape", "options"),
    [
        ("lota-n2n", (2, 40, 32), {"axes": "ZYX", "volume": True}),
        ("instant", (3, 40, 32), {"axes": "ZYX", "volume": True}),
        ("noise2self", (3, 40, 32), {"axes": "TYX"}),
        ("lota-n2n", (2, 40, 32), {"axes": "CYX"}),
        ("lota-n2n", (2, 40, 32), {"axes": "CYX", "channels": "joint"}),
        ("noise2self", (40, 32, 3), {"axes": "YXS", "preset": "warm", "steps": 2}),
        ("nl-ridge", (40, 32, 3), {"axes": "YXS"}),
        ("zs-n2n", (40, 32), {"axes": "YX", "stride": 2, "ensemble": True}),
        ("zs-n2n", (40, 32), {"axes": "YX", "blend": 0.5, "stabilise": "on"}),
    ],
)
def test_so_it_does_for_volumes_channels_and_colours(method, shape, options, tmp_path):
    image = np.random.default_rng(0).poisson(30, shape).astype(np.uint16)
    result = denoise(image, method, **quick(method, **{"steps": 4, **options}))
    result.model.save(tmp_path / "model.safetensors")
    assert np.array_equal(Model.load(tmp_path / "model.safetensors").predict(image), result.image)


def test_a_constant_channel_stays_as_it_is(small, tmp_path):
    image = np.stack([small, np.full_like(small, 7)])
    model = learn(image, "zs-n2n", axes="CYX", steps=4)
    model.save(tmp_path / "model.safetensors")
    clean = Model.load(tmp_path / "model.safetensors").predict(image)
    assert np.array_equal(clean[1], image[1])
    assert not np.array_equal(clean[0], image[0])


def test_a_model_cleans_an_image_that_it_has_not_seen(truth, noisy):
    other = truth + np.random.default_rng(5).normal(0, 20, truth.shape).astype(np.float32)
    clean = learn(noisy, "zs-n2n", steps=300).predict(other)
    assert np.abs(clean - truth).mean() < 0.6 * np.abs(other - truth).mean()


def test_another_number_of_frames_is_fine_and_of_channels_is_not(small):
    model = learn(np.stack([small, small]), "zs-n2n", axes="TYX", steps=2)
    assert model.predict(np.stack([small] * 3)).shape == (3, *small.shape)
    assert model.predict(small, axes="YX").shape == small.shape
    with pytest.raises(ImageError, match="has learnt one channel at a time, and this image has 2 x"):
        model.predict(np.stack([small, small]), axes="CYX")


def test_nothing_is_overwritten_unasked(small, tmp_path):
    model = learn(small, "median")
    model.save(tmp_path / "m.safetensors")
    with pytest.raises(FileError, match="already there"):
        model.save(tmp_path / "m.safetensors")
    model.save(tmp_path / "m.safetensors", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]


def changed(path, **metadata):
    """Rewrite the metadata of a safetensors file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] |= metadata
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"name": "somebody's weights"}, "is no model of napari-lotadenoise"),
        ({"format": "99"}, "update napari-lotadenoise"),
        ({"format": "one"}, "is no model of napari-lotadenoise"),
        ({"model": ""}, "damaged"),
        ({"model": "{"}, "damaged"),
        ({"model": "[" * 100_000}, "damaged"),
        ({"model": "{}"}, "damaged"),
    ],
)
def test_a_foreign_newer_or_damaged_file_is_refused(small, tmp_path, metadata, words):
    path = tmp_path / "m.safetensors"
    learn(small, "zs-n2n", steps=2).save(path)
    changed(path, **metadata)
    with pytest.raises(FileError, match=words):
        Model.load(path)


def test_a_truncated_file_is_refused(small, tmp_path):
    path = tmp_path / "m.safetensors"
    learn(small, "zs-n2n", steps=2).save(path)
    content = path.read_bytes()
    for length in (0, 4, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(FileError):
            Model.load(path)


def described_with(model, change):
    """Return a description and its tensors, changed on the way."""
    description, tensors = file.described(model)
    change(description)
    return json.loads(json.dumps(description)), tensors, torch.device("cpu")


def test_no_class_is_made_that_is_not_on_the_list(small):
    model = learn(small, "noise2fast", steps=2)
    change = {"object": "Popen", "attributes": {"args": "true"}}
    with pytest.raises(FileError, match="'Popen', which this version does not know"):
        file.restored(*described_with(model, lambda text: text["groups"][0].update(state=change)))


def test_a_model_of_an_unknown_method_or_out_of_bounds_is_refused(small):
    model = learn(small, "zs-n2n", steps=2)
    with pytest.raises(MethodError, match="no method 'magic'"):
        file.restored(*described_with(model, lambda text: text["recipe"].update(method="magic")))
    with pytest.raises(ValueError, match="steps"):
        file.restored(*described_with(model, lambda text: text["recipe"]["training"].update(steps=-1)))


def test_differences_are_told_with_their_numbers():
    learnt = Seen(100, 900, sigma=20)
    assert differences(learnt, Seen(110, 850, sigma=22)) == []
    assert differences(learnt, Seen(100, 900, sigma=40)) == ["noise of deviation 40 where 20 was learnt"]
    (found,) = differences(learnt, Seen(1000, 9000, sigma=20))
    assert found == "intensities of 1000 to 9000 where 100 to 900 were learnt"


def test_what_was_seen_is_that_of_the_image(noisy):
    model = learn(noisy, "zs-n2n", steps=2)
    low, high = np.percentile(noisy, (0.1, 99.9))
    assert model.seen[0].low == pytest.approx(low, rel=1e-3)
    assert model.seen[0].high == pytest.approx(high, rel=1e-3)
    assert model.seen[0].sigma == pytest.approx(20, rel=0.1)


def test_a_stack_is_sampled_within_the_budget():
    from napari_lotadenoise.image.sampling import sampled_windows

    stack = Stack(np.zeros((40, 3000, 2000), np.uint8), Layout("ZYX", volume=True))
    windows = sampled_windows(stack, 16, 1 << 25)
    read = sum(np.prod([part.stop - part.start for part in window]) for _, window in windows)
    assert (1 << 24) < read <= 1 << 25
    corners = {tuple(part.start for part in window) for _, window in windows}
    assert len(corners) == len(windows)
    assert all(part.stop <= size for _, window in windows for part, size in zip(window, stack.spatial, strict=True))
    assert len({corner[0] for corner in corners}) > 1
    assert len({corner[1] for corner in corners}) > 3
