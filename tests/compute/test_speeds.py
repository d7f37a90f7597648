import json
import os

import pytest
import torch

from napari_lotadenoise.compute import speed_cache, speed_probes, speeds
from napari_lotadenoise.compute.speeds import Speeds

CPU = torch.device("cpu")
MEASURED = Speeds(2.0, 3.0, 0.5)


@pytest.fixture
def probes(tmp_path, monkeypatch):
    """A cache of its own, and probes that take no time; returns the device and threads of each call of them."""
    monkeypatch.setenv(speed_cache.FOLDER, str(tmp_path / "cache"))
    monkeypatch.setattr(speed_cache, "_entries", {})
    calls = []

    def measure(device, threads):
        calls.append((str(device), threads))
        return {"exact": 2.0, "mixed": 3.0, "numpy": 0.5}

    monkeypatch.setattr(speed_probes, "measure", measure)
    return calls


def change(**fields):
    content = json.loads(speed_cache.path().read_text())
    content["cpu/1"].update(fields)
    speed_cache.path().write_text(json.dumps(content))


def test_speeds_are_calibrated_once_for_each_number_of_threads_and_cached(probes):
    assert speeds.cached("cpu", 1) == Speeds()
    assert speeds.calibrated(CPU, 1) == MEASURED
    assert speeds.calibrated(CPU, 1) == speeds.cached("cpu", 1) == speeds.cached("auto", 1) == MEASURED
    speeds.calibrated(CPU, 2)
    assert probes == [("cpu", 1), ("cpu", 2)]


@pytest.mark.parametrize("field", ["torch", "machine", "processors", "format"])
def test_they_are_calibrated_anew_in_another_environment(probes, field):
    speeds.calibrated(CPU, 1)
    environment = json.loads(speed_cache.path().read_text())["cpu/1"]["environment"]
    change(environment={**environment, field: "another"}, exact=9.0)
    assert speeds.cached("cpu", 1) == Speeds()
    assert speeds.calibrated(CPU, 1) == MEASURED
    assert len(probes) == 2


def test_they_are_calibrated_anew_on_another_processor(probes):
    speeds.calibrated(CPU, 1)
    change(processor="another", exact=9.0)
    assert speeds.calibrated(CPU, 1) == MEASURED
    assert len(probes) == 2


def test_before_the_calibration_more_threads_are_faster_but_not_in_numpy(probes):
    one, four = speeds.cached("cpu", 1), speeds.cached("cpu", 4)
    assert one.exact < four.exact < 4 * one.exact
    assert four.numpy == one.numpy


def test_the_correction_goes_part_of_the_way_and_no_further_than_its_bounds():
    once = Speeds().corrected(2.0)
    assert once.correction == pytest.approx(2**speeds.WEIGHT)
    for ratio, end in ((2.0, 2.0), (1e9, speeds.LARGEST), (1e-9, 1 / speeds.LARGEST)):
        found = once
        for _ in range(50):
            found = found.corrected(ratio)
        assert found.correction == pytest.approx(end, rel=1e-3)
        assert found.uncorrected == Speeds()


def test_a_run_corrects_the_cached_speeds(probes):
    speeds.correct(CPU, 1, 2.0)  # of what is not calibrated there is nothing to correct
    assert speeds.cached("cpu", 1) == Speeds()
    speeds.calibrated(CPU, 1)
    speeds.correct(CPU, 1, 2.0)
    assert speeds.cached("cpu", 1) == speeds.calibrated(CPU, 1) == MEASURED.corrected(2.0)
    change(correction=1e6)
    assert speeds.cached("cpu", 1).correction == speeds.LARGEST


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("inf"), float("nan")])
def test_a_ratio_that_is_none_corrects_nothing(probes, ratio):
    speeds.calibrated(CPU, 1)
    speeds.correct(CPU, 1, ratio)
    assert speeds.cached("cpu", 1) == MEASURED


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"cpu/1": 5, "last device": 7}', b'{"cpu/1": {"environment": []}}']
)
def test_a_broken_file_is_as_good_as_none(probes, content):
    speed_cache.path().parent.mkdir()
    speed_cache.path().write_bytes(content)
    assert speeds.cached("cpu", 1) == speeds.cached("auto", 1) == Speeds()
    speeds.correct(CPU, 1, 2.0)
    assert speeds.calibrated(CPU, 1) == speeds.cached("cpu", 1) == MEASURED


@pytest.mark.parametrize("value", [0, -1, "fast", None, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_calibrated_anew(probes, value):
    speeds.calibrated(CPU, 1)
    change(exact=value)
    assert speeds.cached("cpu", 1) == Speeds()
    assert speeds.calibrated(CPU, 1) == MEASURED


def test_a_folder_that_cannot_be_written_is_no_obstacle(probes, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(speed_cache.FOLDER, str(tmp_path / "file"))
    assert speeds.calibrated(CPU, 1) == speeds.calibrated(CPU, 1) == speeds.cached("cpu", 1) == MEASURED
    assert len(probes) == 1


def test_a_probe_that_fails_is_no_obstacle(probes, monkeypatch):
    def fail(device, threads):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(speed_probes, "measure", fail)
    assert speeds.calibrated(CPU, 1) == Speeds()
    assert not speed_cache.path().exists()


def test_nothing_is_measured_or_written_where_the_folder_is_empty(probes, monkeypatch, tmp_path):
    monkeypatch.setenv(speed_cache.FOLDER, "")
    assert speeds.calibrated(CPU, 1) == speeds.cached("cpu", 1) == Speeds()
    speeds.correct(CPU, 1, 3.0)
    assert not probes
    assert not os.listdir(tmp_path)


def test_the_probes_find_positive_speeds_and_leave_chance_and_threads_alone(monkeypatch):
    monkeypatch.setattr(speed_probes, "PROBE_SECONDS", 0.0)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    found = speed_probes.measure(CPU, 1)
    assert min(found.values()) > 0
    assert Speeds(**found).correction == 1
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
