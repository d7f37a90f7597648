import argparse
from dataclasses import dataclass

import pytest

from napari_lotadenoise.contract.params import add_arguments, convert, knob, parameters, validate
from napari_lotadenoise.errors import ParameterError


@dataclass(frozen=True)
class Knobs:
    width: int = knob(8, "How wide.", ge=1, le=64, unit="px")
    rate: float = knob(1e-3, "How fast.", ge=1e-6, le=1, step=1e-4)
    mode: str = knob("a", "Which one.", choices=("a", "b"))
    flag: bool = knob(True, "Whether.")
    hidden: int = 3

    def __post_init__(self):
        validate(self)


def test_parameters_are_read_in_order_and_only_where_declared():
    assert [p.name for p in parameters(Knobs)] == ["width", "rate", "mode", "flag"]
    assert [p.type for p in parameters(Knobs)] == [int, float, str, bool]
    assert parameters(Knobs)[0].label == "width (px)"
    assert parameters(Knobs)[0].bounds == "1 to 64"
    assert parameters(Knobs)[2].bounds == "a | b"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"width": 0}, "width must be a whole number from 1 to 64, not 0"),
        ({"width": 65}, "width must be a whole number from 1 to 64"),
        ({"width": 2.5}, "width must be a whole number"),
        ({"width": True}, "width must be a whole number"),
        ({"rate": float("nan")}, "rate must be"),
        ({"rate": "fast"}, "rate must be a number"),
        ({"mode": "c"}, "mode must be one of a, b"),
        ({"flag": 1}, "flag must be true or false"),
    ],
)
def test_wrong_values_are_refused_with_a_sentence(wrong, says):
    with pytest.raises(ParameterError, match=says):
        Knobs(**wrong)


def test_bounds_are_inclusive():
    assert Knobs(width=1, rate=1).width == 1
    assert Knobs(width=64, rate=1e-6).width == 64


def test_command_line_gives_back_what_was_given_and_nothing_else():
    parser = argparse.ArgumentParser()
    add_arguments(parser, Knobs)
    assert vars(parser.parse_args([])) == {}
    given = parser.parse_args(["--width", "5", "--flag", "no", "--rate", "0.5", "--mode", "b"])
    assert vars(given) == {"width": 5, "flag": False, "rate": 0.5, "mode": "b"}


def test_command_line_refuses_what_is_out_of_bounds(capsys):
    parser = argparse.ArgumentParser()
    add_arguments(parser, Knobs)
    with pytest.raises(SystemExit):
        parser.parse_args(["--width", "100"])
    assert "width must be a whole number from 1 to 64" in capsys.readouterr().err


def test_convert_refuses_texts_that_are_no_value():
    width, _, _, flag = parameters(Knobs)
    with pytest.raises(ParameterError, match="whole number"):
        convert(width, "1.5")
    with pytest.raises(ParameterError, match="true or false"):
        convert(flag, "maybe")
