"""Labels of sleep laboratories: legs and sides are found, and the chin is never taken for a leg."""

from __future__ import annotations

import pytest

from tests.io.edf_builder import EdfFile, digital
from twitchsense.errors import InputError
from twitchsense.io import read
from twitchsense.io.channels.capture import ignored_columns_note
from twitchsense.io.channels.signal_labels import parse_leg_label
from twitchsense.model.notes import Note

LEFT = ["LAT", "EMG LAT", "Leg/L", "LLEG+-LLEG-", "PLMl", "LAT1-LAT2", "TIB SX", "EMG Tib. li.",
        "Left Leg", "Jambe G", "L Leg-Ref", "LTA", "EMG_L_LEG", "TAG", "Pierna izq", "SX1-SX2",
        "L. tibialis ant", "Leg.Left", "EMG Ant Tibial L", "Bein links", "LegsL"]  # fmt: skip
RIGHT = ["RAT", "EMG RAT", "Leg/R", "RLEG+-RLEG-", "PLMr", "RAT1-RAT2", "TIB DX", "EMG Tib. re.",
         "Right Leg", "Jambe D", "R Leg-Ref", "RTA", "EMG_R_LEG", "TAD", "Pierna der", "DX1-DX2",
         "R. tibialis ant", "Leg.Right", "EMG Ant Tibial R", "Bein rechts", "LegsR"]  # fmt: skip
OTHERS = ["EMG", "EMG1-EMG2", "Chin1-Chin2", "EMG Subm", "C4-M1", "ECG", "SpO2", "AT", "TA",
          "Vastus lat", "Leg movement", "L", "Flow DR", "Plat", "LM", "SAT"]  # fmt: skip


def edf(tmp_path, labels, units=None):
    count = len(labels)
    samples = digital(10, 500, 80, signals=count)
    file = EdfFile(samples, labels=labels, units=units or [b"uV"] * count)
    return file.write(tmp_path / "night.edf")


@pytest.mark.parametrize(("left", "right"), list(zip(LEFT, RIGHT, strict=True)))
def test_a_usual_label_names_its_leg(tmp_path, left, right):
    assert parse_leg_label(left).side == "left"
    assert parse_leg_label(right).side == "right"
    recording = read(edf(tmp_path, ["C4-M1", left, "ECG", right]))
    assert {c.name: c.leg for c in recording.channels} == {"emg_left": "left", "emg_right": "right"}
    assert any(f"'{right}' is emg_right" in note for note in recording.notes)


@pytest.mark.parametrize("label", OTHERS)
def test_the_label_of_another_signal_is_no_leg(label):
    assert parse_leg_label(label) is None


def test_emg_beside_the_legs_is_the_chin_and_left_out(tmp_path):
    path = edf(tmp_path, ["EMG1", "EMG_Chin", "LAT", "RAT"])
    recording = read(path)
    assert [c.name for c in recording.channels] == ["emg_left", "emg_right"]
    (note,) = [n for n in recording.notes if "chin" in n and "usually" in n]
    assert "EMG_Chin, EMG1" in note or "EMG1, EMG_Chin" in note
    mapped = read(path, columns={"EMG1": "emg1"})
    assert [c.name for c in mapped.channels] == ["emg1", "emg_left", "emg_right"]


def test_emg_of_a_wearable_is_read_as_before(tmp_path):
    recording = read(edf(tmp_path, ["emg1", "emg_left", "EMG2"]))
    assert [c.name for c in recording.channels] == ["emg1", "emg2", "emg_left"]


def test_single_electrodes_are_refused_and_the_cure_works(tmp_path):
    path = edf(tmp_path, ["LLEG1", "LLEG2"])
    with pytest.raises(InputError, match="only the difference"):
        read(path)
    assert [c.leg for c in read(path, columns={"LLEG1": "emg_left"}).channels] == ["left"]
    with pytest.raises(InputError, match="only the difference"):
        read(edf(tmp_path, ["LAT+", "LAT-", "EMG RAT +", "EMG RAT -"]))
    with_pair = read(edf(tmp_path, ["LAT1", "LAT2", "LAT1-LAT2"]))
    assert [c.name for c in with_pair.channels] == ["emg_left"]


def test_labels_that_repeat_get_the_number_of_their_signal(tmp_path):
    path = edf(tmp_path, ["EMG", "EMG", "SpO2", "SpO2"], [b"uV", b"uV", b"%", b"%"])
    with pytest.raises(InputError, match=r"columns=\{'EMG \(signal 1\)': 'emg_left'\}"):
        read(path)
    assert [c.name for c in read(path, columns={"EMG (signal 2)": "emg_left"}).channels] == [
        "emg_left"
    ]


@pytest.mark.parametrize(
    "labels", [["Acc X", "Acc Y", "Acc Z"], ["X", "Y", "Z"], ["x-axis", "y-axis", "z-axis"]]
)
def test_axes_of_acceleration_are_found_by_their_unit(tmp_path, labels):
    recording = read(edf(tmp_path, labels, [b"mg"] * 3))
    assert [(c.name, c.width) for c in recording.channels] == [("acc", 3)]


def test_a_leg_in_another_unit_is_no_emg(tmp_path):
    with pytest.raises(InputError, match="no signal with a known name"):
        read(edf(tmp_path, ["LAT"], [b"%"]))


def test_two_dates_of_one_header_are_said(tmp_path):
    file = EdfFile(digital(10), recording=b"Startdate 02-MAR-2026 X X X")
    recording = read(file.write(tmp_path / "night.edf"))
    assert any("01.03.26" in n and "02.03.2026" in n for n in recording.notes)


@pytest.mark.parametrize(
    ("label", "is_other"),
    [
        ("EEG C3-A2", True), ("C3:M2", True), ("E1-M2", True), ("ECG", True), ("SpO2", True),
        ("EMG Chin", True), ("Resp Thorax", True),
        ("EMG", False), ("acc_status", False), ("EXG Channel 0", False), ("A1-A2", False),
    ],
)  # fmt: skip
def test_only_a_label_that_may_be_of_the_leg_questions_the_result(label, is_other):
    (note,) = ignored_columns_note("psg.edf", ["ECG", label])
    assert note == f"psg.edf: left out: ECG, {label} (not known as leg EMG or acceleration)"
    assert isinstance(note, Note) is not is_other
