"""Column names that state units: the same in text files, DataFrames and Parquet."""

import numpy as np
import pandas as pd
import pytest

import twitchsense as ts
from twitchsense.io.tables.header_words import find_leg

N = 2000
RNG = np.random.default_rng(4)
TABLE = pd.DataFrame(
    {
        "Time (s)": np.arange(N) / 1000,
        "EMG links [mV]": RNG.normal(0, 0.003, N).round(6),
        "EMG rechts [nV]": RNG.normal(0, 3000, N).round(1),
        "Accel X [g]": RNG.normal(0.5, 0.002, N).round(4),
        "Accel Y [g]": RNG.normal(0.5, 0.002, N).round(4),
        "Accel Z [g]": RNG.normal(0.7, 0.002, N).round(4),
        "EMG chin (uV)": RNG.normal(0, 3, N).round(3),
    }
)


def values(recording, name):
    (segment,) = recording.segments_of(name)
    return segment.samples.read(0, N)[:, 0]


@pytest.mark.parametrize("kind", ["frame", "parquet", "csv"])
def test_units_in_names_are_read_from_every_table(tmp_path, kind):
    source = TABLE if kind == "frame" else tmp_path / f"a.{kind}"
    if kind == "parquet":
        pytest.importorskip("pyarrow")
        TABLE.to_parquet(source)
    elif kind == "csv":
        TABLE.to_csv(source, index=False)
    recording = ts.read(source)
    legs = {c.name: c.leg for c in recording.channels}
    assert legs == {"emg1_left": "left", "emg2_right": "right", "acc": None}
    np.testing.assert_allclose(
        values(recording, "emg1_left"), TABLE["EMG links [mV]"] * 1000, atol=1e-3
    )
    np.testing.assert_allclose(
        values(recording, "emg2_right"), TABLE["EMG rechts [nV]"] / 1000, atol=1e-3
    )
    assert any("EMG links [mV] is read as emg1_left_mv" in note for note in recording.notes)
    assert any("left out, EMG of another muscle: EMG chin (uV)" in n for n in recording.notes)


def test_the_mapping_and_an_index_of_times_precede(tmp_path):
    table = TABLE.set_index(pd.date_range("2026-03-01", periods=N, freq="ms", tz="UTC"))
    recording = ts.read(table, columns={"EMG rechts [nV]": "emg_right_uv", "Accel X [g]": "ignore"})
    assert recording.start_utc_ns == pd.Timestamp("2026-03-01T00:00Z").value
    np.testing.assert_allclose(values(recording, "emg_right"), TABLE["EMG rechts [nV]"], rtol=1e-5)


def test_units_in_names_are_read_beside_columns_that_the_user_maps(tmp_path):
    path = tmp_path / "a.csv"
    columns = {"Time (s)": "Clock", "EMG links [mV]": "Muscle"}
    TABLE.rename(columns=columns).drop(columns="EMG rechts [nV]").to_csv(path, index=False)
    recording = ts.read(path, columns={"Clock": "time_s", "Muscle": "emg1_mv"})
    assert [c.name for c in recording.channels] == ["emg1", "acc"]


@pytest.mark.parametrize(
    ("label", "leg"),
    [
        ("EMG links", "left"), ("EMG rechts", "right"), ("EMG gauche", "left"),
        ("EMG droite", "right"), ("EMG izquierda", "left"), ("EMG derecha", "right"),
        ("EMG_L", "left"), ("TIB.ANT. RT", "right"), ("EMG D", ""), ("EMG L1", ""),
        ("EMG left right", ""), ("EMG", ""),
    ],
)  # fmt: skip
def test_words_of_several_languages_name_the_leg(label, leg):
    assert find_leg(label) == leg
