import json
import os

import pytest
import torch

from napari_lotadenoise.compute import machine
from napari_lotadenoise.compute.machine import Speeds

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of its own, and probes that take no time: each call of them is counted."""
    monkeypatch.setenv(machine.FOLDER, str(tmp_path / "cache"))
    monkeypatch.setattr(machine, "_measured", {})
    calls = []

    def probe(device, threads):
        calls.append((str(device), threads))
        return {"exact": 2.0, "mixed": 3.0, "numpy": 0.5}

    monkeypatch.setattr(machine, "_probe", probe)
    probe.calls = calls
    return probe


def change(**fields):
    path = machine.file()
    content = json.loads(path.read_text())
    content["cpu/1"].update(fields)
    path.write_text(json.dumps(content))


def test_speeds_are_measured_once_for_each_number_of_threads_and_remembered(folder):
    assert machine.remembered("cpu", 1) == Speeds()
    assert machine.measured(CPU, 1) == Speeds(2.0, 3.0, 0.5)
    assert (
        machine.measured(CPU, 1)
        == machine.remembered("cpu", 1)
        == machine.remembered("auto", 1)
        == Speeds(2.0, 3.0, 0.5)
    )
    machine.measured(CPU, 2)
    assert folder.calls == [("cpu", 1), ("cpu", 2)]


@pytest.mark.parametrize("field", ["torch", "machine", "processors", "format", "name"])
def test_they_are_measured_anew_where_what_they_belong_to_has_changed(folder, field):
    machine.measured(CPU, 1)
    belongs = json.loads(machine.file().read_text())["cpu/1"]["belongs"]
    change(belongs={**belongs, field: "another"}, exact=9.0)
    assert machine.measured(CPU, 1).exact == 2.0
    assert len(folder.calls) == 2


def test_before_they_are_measured_more_threads_are_faster_but_not_in_numpy(folder):
    one, four = machine.remembered("cpu", 1), machine.remembered("cpu", 4)
    assert one.exact < four.exact < 4 * one.exact
    assert four.numpy == one.numpy


def test_the_factor_goes_part_of_the_way_and_no_further_than_its_bounds(folder):
    machine.measured(CPU, 1)
    machine.learn(CPU, 1, 2.0)
    assert machine.remembered("cpu", 1).factor == pytest.approx(2**machine.WEIGHT)
    for _ in range(50):
        machine.learn(CPU, 1, 2.0)
    assert machine.remembered("cpu", 1).factor == pytest.approx(2.0, rel=1e-3)
    for ratio, bound in ((1e9, machine.LARGEST), (1e-9, 1 / machine.LARGEST)):
        for _ in range(50):
            machine.learn(CPU, 1, ratio)
        assert machine.remembered("cpu", 1).factor == pytest.approx(bound, rel=1e-3)
    change(factor=1e6)
    assert machine.remembered("cpu", 1).factor == machine.LARGEST
    assert machine.measured(CPU, 1).exact == 2.0


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("inf"), float("nan")])
def test_a_ratio_that_is_none_is_not_learnt(folder, ratio):
    machine.measured(CPU, 1)
    machine.learn(CPU, 1, ratio)
    assert machine.remembered("cpu", 1).factor == 1.0


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"cpu/1": 5, "auto": 7}', b'{"cpu/1": {"belongs": []}}']
)
def test_a_broken_file_is_as_good_as_none(folder, content):
    machine.file().parent.mkdir()
    machine.file().write_bytes(content)
    assert machine.remembered("cpu", 1) == machine.remembered("auto", 1) == Speeds()
    machine.learn(CPU, 1, 2.0)
    assert machine.measured(CPU, 1) == machine.remembered("cpu", 1) == Speeds(2.0, 3.0, 0.5)


@pytest.mark.parametrize("value", [0, -1, "fast", None, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_measured_anew(folder, value):
    machine.measured(CPU, 1)
    change(exact=value)
    assert machine.remembered("cpu", 1) == Speeds()
    assert machine.measured(CPU, 1) == Speeds(2.0, 3.0, 0.5)


def test_a_folder_that_cannot_be_written_is_no_obstacle(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(machine.FOLDER, str(tmp_path / "file"))
    assert machine.measured(CPU, 1) == machine.measured(CPU, 1) == machine.remembered("cpu", 1) == Speeds(2.0, 3.0, 0.5)
    assert len(folder.calls) == 1


def test_a_probe_that_fails_is_no_obstacle(folder, monkeypatch):
    def fail(device, threads):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(machine, "_probe", fail)
    assert machine.measured(CPU, 1) == Speeds()
    assert not machine.file().exists()


def test_nothing_is_measured_or_written_where_the_folder_is_empty(folder, monkeypatch, tmp_path):
    monkeypatch.setenv(machine.FOLDER, "")
    assert machine.measured(CPU, 1) == machine.remembered("cpu", 1) == Speeds()
    machine.learn(CPU, 1, 3.0)
    assert not folder.calls
    assert not os.listdir(tmp_path)


def test_the_probes_find_positive_speeds_and_leave_chance_and_threads_alone(tmp_path, monkeypatch):
    monkeypatch.setenv(machine.FOLDER, str(tmp_path))
    monkeypatch.setattr(machine, "_measured", {})
    monkeypatch.setattr(machine, "PROBE_SECONDS", 0.0)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    speeds = machine.measured(CPU, 1)
    assert min(speeds.exact, speeds.mixed, speeds.numpy) > 0
    assert speeds == machine.remembered("auto", 1)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
