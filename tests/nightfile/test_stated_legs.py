"""The leg of a device can be corrected after the night."""

import numpy as np
import pytest

import twitchsense as ts
from tests.nightfile.value_builders import npg_values, write_values
from twitchsense.errors import InputError

LEFT = {"gain": "500", "leg": "left"}
OTHER = "npg:CC:DD"


@pytest.fixture(scope="module")
def left_night(tmp_path_factory):
    values = npg_values(np.tile([0.0, 40.0], 1000))
    return write_values(tmp_path_factory.mktemp("night") / "a.night", values, settings=LEFT)


@pytest.fixture(scope="module")
def night_of_both_legs(tmp_path_factory):
    path, values = tmp_path_factory.mktemp("night") / "a.night", npg_values(np.zeros(2000))
    write_values(path, values, settings=LEFT)
    settings, name = {"gain": "500", "leg": "right"}, "NPG-Lite-3CH:0C:0D"
    return write_values(path, values, settings=settings, key=OTHER, name=name)


def test_a_wrong_leg_is_corrected_and_the_file_stays(left_night):
    before = left_night.read_bytes()
    recording = ts.read(left_night, leg="right")
    assert {c.leg for c in recording.channels} == {"right"}
    assert all("right" in c.name for c in recording.channels)
    note = "device npg:AA:BB: right leg, as stated, in place of left in the file"
    assert note in recording.notes
    assert left_night.read_bytes() == before


def test_the_leg_that_a_night_has_needs_no_note(left_night):
    recording = ts.read(left_night, leg="left")
    assert {c.leg for c in recording.channels} == {"left"}
    assert not any("as stated" in note for note in recording.notes)


def test_a_night_of_both_legs_takes_a_leg_for_each_device(night_of_both_legs):
    with pytest.raises(InputError, match=r"both legs.*correct legs = {\"npg:AA:BB\" = \"left\""):
        ts.read(night_of_both_legs, leg="right")
    swapped = ts.read(night_of_both_legs, legs={"npg:AA:BB": "right", OTHER: "left"})
    assert {c.leg for c in swapped.channels} == {"left", "right"}
    assert sum("as stated" in note for note in swapped.notes) == 2
    assert not any("no channel" in note for note in swapped.notes)


@pytest.mark.parametrize("name", ["npg:0a:1b", "NPG-Lite-3CH:0A:1B", "AA:BB", "npg:AA:BB"])
def test_a_device_is_named_as_record_names_it(night_of_both_legs, name):
    recording = ts.read(night_of_both_legs, legs={name: "right"})
    note = "device npg:AA:BB: right leg, as stated, in place of left in the file"
    assert note in recording.notes
    assert {c.leg for c in recording.channels} == {"right"}


@pytest.mark.parametrize(
    ("legs", "says"),
    [
        ({"npg:0A:1C": "right"}, "no device or channel npg:0A:1C in this recording; correct legs"),
        ({"npg": "right"}, "npg does not name one device; correct legs"),
        ({"AA:BB": "right", "npg:0A:1B": "left"}, "npg:0A:1B does not name one device"),
    ],
)
def test_a_name_that_is_not_that_of_one_device_is_refused(night_of_both_legs, legs, says):
    with pytest.raises(InputError) as refused:
        ts.read(night_of_both_legs, legs=legs)
    line = refused.value.command_message
    assert says in line
    assert '{"npg:AA:BB" = "left", "npg:CC:DD" = "right"}' in line


def test_settings_for_several_nights_may_name_devices_of_others(left_night):
    legs = {"npg:0A:1B": "right", "npg:0E:0F": "left"}
    recording = ts.read(left_night, legs=legs)
    assert {c.leg for c in recording.channels} == {"right"}
    assert any("no channel npg:0E:0F" in note for note in recording.notes)


def test_a_leg_that_changes_nothing_is_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "time_s,emg1_left_uv\n" + "".join(f"{i / 500},{i * 7919 % 101 - 50}\n" for i in range(5000))
    )
    notes = ts.read(path, leg="right").notes
    assert any("leg: right has no effect" in note for note in notes)
