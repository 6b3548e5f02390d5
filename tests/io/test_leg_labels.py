"""Labels of leg channels in recordings of sleep laboratories."""

from __future__ import annotations

import numpy as np
import pytest

import twitchsense as ts
from twitchsense.errors import InputError
from twitchsense.io.leg_labels import leg_of_label

LEFT = (
    "LAT", "L Leg", "LLeg", "Leg L", "LEG/L", "Leg-L", "LEG(L)", "L Tib", "EMG Tib-L", "EMG Tib. L",
    "TibL", "PLM l", "PLMl", "PLM-L", "LMl", "EMG LAT", "EMG-LAT", "L-Leg", "Left Leg",
    "EMG Left Leg", "Leg EMG L", "LAT1-LAT2", "Lleg1-Lleg2", "LLeg+", "LAT-Ref", "LAT-Gnd",
    "TIB Sx", "Bein li", "jambe gauche", "L.Leg", "LegL", "EMG TibAnt L", "L TA", "LTA1-LTA2",
    "EMG_LAT", "EMGLegL", "Lower Leg Left", "Tibialis anterior left", "LAT-A1",
)  # fmt: skip
RIGHT = (
    "RAT", "R Leg", "RLEG", "Leg/R", "EMG Tib-R", "TibR", "PLMr", "PLM-R", "LM r", "RAT1-RAT2",
    "Right Leg", "TIB Dx", "Bein re", "jambe droite", "R TA", "EMG RLeg", "rat",
)  # fmt: skip
UNCLEAR = ("LM1", "PLM2", "Leg", "EMG Leg", "Legs", "LAT1", "Leg 2", "Tib", "PLM")
BETWEEN = ("LAT-RAT", "EMG LAT-RAT", "LLeg-RLeg", "Leg L-R", "L/R Leg")
OTHER = (
    "Chin", "EMG Chin", "ECG", "Flow", "ROC-LOC", "C3-A2", "EOG L", "SaO2", "Pleth", "LOC", "L-R",
    "Light", "Relay", "EMG", "EMG1", "emg_left", "acc_x", "Plat", "Tail", "DX1-DX2", "TA", "AT",
)  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "leg"),
    [(LEFT, "left"), (RIGHT, "right"), (UNCLEAR, "unknown"), (BETWEEN, "both"), (OTHER, None)],
)
def test_labels_name_their_leg(labels, leg):
    assert {label: leg_of_label(label) for label in labels} == dict.fromkeys(labels, leg)


@pytest.fixture
def write(tmp_path):
    edfio = pytest.importorskip("edfio")

    def written(*labels, unit="uV"):
        rng = np.random.default_rng(1)
        signals = [
            edfio.EdfSignal(
                rng.normal(0, 20, 500 * 30), 500, label=label, physical_dimension=unit,
                physical_range=(-400, 400),
            )
            for label in labels
        ]  # fmt: skip
        path = tmp_path / "psg.edf"
        edfio.Edf(signals).write(path)
        return path

    return written


def test_legs_of_a_polysomnography_are_read_without_a_mapping(write):
    recording = ts.read(write("C3-A2", "EMG Chin", "LAT", "RAT", "ECG"))
    legs = {c.name: c.leg for c in recording.channels}
    assert legs == {"emg_left": "left", "emg_right": "right"}
    assert any("'LAT' is emg_left" in note for note in recording.notes)
    assert any("left out: C3-A2, EMG Chin, ECG" in note for note in recording.notes)


def test_two_signals_of_a_leg_are_numbered_and_a_unit_is_converted(write):
    recording = ts.read(write("PLM l", "L Tib", "RLEG", unit="mV"))
    assert [c.name for c in recording.channels] == ["emg1_left", "emg2_left", "emg_right"]
    assert {c.unit for c in recording.channels} == {"uV"}


def test_names_of_the_package_stay_as_they_are(write):
    recording = ts.read(write("emg1", "emg2_left", "Chin"))
    assert [(c.name, c.leg) for c in recording.channels] == [("emg1", None), ("emg2_left", "left")]


@pytest.mark.parametrize(
    ("labels", "says", "legs"),
    [
        (("C3", "PLM1", "PLM2"), "'PLM1' names a leg without saying which", ["left", "right"]),
        (("LM1", "LM2", "ECG"), "'LM1' names a leg without saying which", ["left", "right"]),
        (("Leg", "ECG"), "'Leg' names a leg without saying which", [None]),
        (("LAT-RAT", "ECG"), "'LAT-RAT' is between both legs", [None]),
        (("LAT1", "LAT2", "RAT1", "RAT2"), "'LAT1' names a leg", [None] * 4),
    ],
)
def test_unclear_legs_are_refused_and_the_mapping_of_the_message_works(write, labels, says, legs):
    path = write(*labels)
    with pytest.raises(InputError) as caught:
        ts.read(path)
    message = str(caught.value)
    assert says in message
    assert message.startswith(str(path))
    pairs = message.split("--map '")[1].split("'")[0]
    columns = dict(pair.split("=") for pair in pairs.split(","))
    assert [c.leg for c in ts.read(path, columns=columns).channels] == legs


def test_a_mapping_overrules_the_table(write):
    path = write("LAT", "RAT", "PLM1")
    columns = {"LAT": "emg_right", "RAT": "emg_left", "PLM1": "ignore"}
    recording = ts.read(path, columns=columns)
    assert [c.name for c in recording.channels] == ["emg_left", "emg_right"]
    assert not any("'LAT' is" in note for note in recording.notes)
