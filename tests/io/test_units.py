"""One spelling for each unit."""

import pytest

from napari_lotadenoise.io.units import unit_symbol


@pytest.mark.parametrize(
    "name", ["µm", "\u03bcm", "um", "micron", "Microns", "micrometer", "micrometers", "\\u00B5m", " µm "]
)
def test_a_micrometre_is_known_in_every_spelling(name):
    assert unit_symbol(name) == "µm"


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("nm", "nm"),
        ("nanometer", "nm"),
        ("mm", "mm"),
        ("Å", "Å"),
        ("sec", "s"),
        ("inch", "in"),
        ("angstrom", "Å"),
        ("hours", "h"),
        ("\u212b", "Å"),
        ("ms", "ms"),
        ("min", "min"),
    ],
)
def test_other_lengths_and_times_have_their_symbol(name, symbol):
    assert unit_symbol(name) == symbol


@pytest.mark.parametrize("name", ["pixel", "", "furlongs per fortnight (", "kg"])
def test_what_is_no_such_unit_stays_as_it_is(name):
    assert unit_symbol(name) == name
