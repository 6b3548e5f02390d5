"""`analyze` takes what users of pandas, MNE and YASA hold, and refuses the rest in words."""

from __future__ import annotations

from datetime import date, time

import numpy as np
import pandas as pd
import pytest

import twitchsense as ts
from tests.signals import SimulatedLeg
from twitchsense.errors import InputError

SIGNALS = SimulatedLeg(60).twitch(10).jerk(35).signals()
EMG, FS = SIGNALS["emg1_uv"]
EMG_ONLY = {"emg1_uv": SIGNALS["emg1_uv"]}
TABLE = pd.DataFrame({"time_s": np.arange(len(EMG)) / FS, "emg1_uv": EMG})
STAGES = ["W", "N2"]


@pytest.fixture(scope="module")
def expected():
    return ts.analyze(ts.Recording.from_arrays(EMG_ONLY)).events


def zoned(table, zone):
    start = pd.date_range("2026-03-01 22:00", periods=len(table), freq="1ms", tz=zone)
    return table[["emg1_uv"]].set_axis(start)


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (EMG_ONLY, {}),
        (TABLE, {}),
        (TABLE[["emg1_uv"]], {"fs": FS}),
        (TABLE.set_index("time_s"), {}),
        (TABLE.rename(columns={"emg1_uv": "EMG"}), {"columns": {"EMG": "emg1_uv"}}),
        (TABLE.assign(time_s=TABLE["time_s"] * 1000), {"time_unit": "ms"}),
        (zoned(TABLE, "Europe/Berlin"), {}),
        (zoned(TABLE, None), {"zone": "Europe/Berlin"}),
        (TABLE[["emg1_uv"]].set_axis(pd.to_timedelta(TABLE["time_s"], unit="s")), {}),
        ([TABLE.iloc[:30_000], TABLE.iloc[30_000:]], {}),
    ],
    ids=["mapping", "times", "fs", "index", "columns", "unit", "UTC", "zone", "timedelta", "two"],
)
def test_arrays_and_tables_give_the_events_of_the_recording(expected, data, options):
    night = ts.analyze(data, **options)
    pd.testing.assert_frame_equal(night.events, expected)


def test_paths_are_read(tmp_path, expected):
    path = tmp_path / "night.csv"
    TABLE.to_csv(path, index=False)
    for data in (str(path), [path]):
        pd.testing.assert_frame_equal(ts.analyze(data).events, expected)


def test_stages_in_an_edf_that_are_not_used_are_a_note(tmp_path):
    edfio = pytest.importorskip("edfio")
    signal = edfio.EdfSignal(EMG, FS, label="EMG LAT", physical_dimension="uV")
    day = edfio.Recording(startdate=date(2026, 3, 1))
    file = edfio.Edf([signal], recording=day, starttime=time(22, 30), data_record_duration=1)
    words = ["Sleep stage W", "Sleep stage N1", "Lights off"]
    file.set_annotations([edfio.EdfAnnotation(30 * k, 30, w) for k, w in enumerate(words[:2])])
    file.add_annotations(
        [edfio.EdfAnnotation(5, None, words[2]), edfio.EdfAnnotation(9, 9, "Apnea")]
    )
    path = tmp_path / "psg.edf"
    file.write(path)
    note = "psg.edf holds 2 sleep stages, which are not used"
    blind = ts.analyze(path)
    assert note in blind.notes
    assert f"{note}; add --hypnogram psg.edf" in blind.main_notes
    night = ts.analyze(path, hypnogram=path, respiratory=path)
    assert not any("not used" in n or "begin with the recording" in n for n in night.notes)
    assert night.context.hypnogram.onset_s[0] == 0
    copy = tmp_path / "stages.edf"
    file.add_annotations([edfio.EdfAnnotation(7, None, "another file")])
    file.write(copy)
    [note] = [n for n in ts.analyze(path, hypnogram=copy).main_notes if "begin with" in n]
    assert "are placed with --zone" in note
    [note] = [n for n in ts.analyze(EMG_ONLY, hypnogram=copy).main_notes if "begin with" in n]
    assert "otherwise with --start as well" in note
    stated = {"zone": "Europe/Berlin", "start": "2026-03-01 22:30"}
    for data, more in ((path, {"zone": "Europe/Berlin"}), (EMG_ONLY, stated)):
        night = ts.analyze(data, hypnogram=copy, **more)
        assert not any("begin with" in n for n in night.main_notes)
        assert night.context.hypnogram.onset_s[0] == 0
    file.set_annotations([edfio.EdfAnnotation(5, None, words[2])])
    file.write(path)
    assert not any("not used" in n for n in ts.analyze(path).notes)


def test_mne_objects_are_read(expected):
    mne = pytest.importorskip("mne")
    info = mne.create_info(["TA left"], FS, ["emg"])
    raw = mne.io.RawArray(np.asarray(EMG)[np.newaxis] * 1e-6, info, verbose="error")
    events = ts.analyze(raw).events
    assert events["onset"].tolist() == expected["onset"].tolist()
    assert set(events["leg"]) == {"left"}


def test_arrays_begin_at_the_stated_start():
    settings = ts.Settings(zone="Europe/Berlin")
    night = ts.analyze(EMG_ONLY, settings=settings, start="2026-03-01 22:30")
    assert night.recording.zone == "Europe/Berlin"
    assert night.recording.start_utc_ns == pd.Timestamp("2026-03-01 21:30").value


def test_tables_have_a_hash_and_a_name():
    recording = ts.read(TABLE)
    assert recording.source == "DataFrame"
    assert len(recording.sha256) == 64
    assert recording.sha256 != ts.read(TABLE.iloc[1:]).sha256
    assert len(ts.read(TABLE.assign(words=[["a"]] * len(TABLE))).sha256) == 64


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (STAGES, {}),
        (np.array(STAGES), {"epoch_s": 30}),
        (pd.Series(pd.Categorical(STAGES)), {}),
        (np.array([0, 2]), {"stages": "yasa"}),
        (np.array([0.0, 7.0]), {"stages": {7: "N2", 0: "W"}}),
        (["W", "W", "N2", "N2"], {"epoch_s": 15}),
        (pd.DataFrame({"stage": STAGES}), {}),
        (pd.DataFrame({"onset": [0, 30], "duration": 30, "stage": STAGES}), {}),
    ],
    ids=["list", "array", "series", "codes", "mapping", "epoch_s", "column", "table"],
)
def test_stages_may_be_a_list_an_array_or_a_table(given, options):
    night = ts.analyze(EMG_ONLY, hypnogram=given, **options)
    assert night.epochs["stage"].tolist() == STAGES


def test_a_missing_stage_is_unscored():
    night = ts.analyze(EMG_ONLY, hypnogram=["W", None])
    assert any("begin with the recording" in note for note in night.notes)
    assert not any("begin with the recording" in note for note in night.main_notes)
    assert night.epochs["stage"].tolist() == ["W", ""]


def test_profile_leg_and_settings_file(tmp_path):
    night = ts.analyze(EMG_ONLY, profile="aasm-2026", leg="right")
    assert night.settings == ts.get_profile("aasm-2026")
    assert set(night.events["leg"]) == {"right"}
    path = tmp_path / "my.toml"
    path.write_text("[twitch]\nmin_uv = 55.0\n")
    night = ts.analyze(EMG_ONLY, settings=path, profile="aasm-2026")
    assert (night.settings.twitch.min_uv, night.settings.limb.rules) == (55.0, "aasm")


@pytest.mark.parametrize(
    ("data", "options", "says"),
    [
        (np.asarray(EMG), {}, r"type ndarray; .*from_arrays\(\{'emg1_uv': \(samples, fs\)\}\)"),
        (None, {}, "type NoneType; give a path, a DataFrame or"),
        ({"emg1_uv": EMG}, {}, "column emg1_uv: comes without its sampling rate; .*samples, fs"),
        (TABLE[["emg1_uv"]], {}, r"no time column .*\(fs=1000\)"),
        (TABLE.rename(columns={"emg1_uv": "EMG"}), {}, r"columns=\{'EMG': 'emg_uv'\}"),
        (zoned(TABLE, None), {}, "has no time zone; .* give the argument zone"),
        (TABLE.iloc[:0], {}, "no rows"),
        (ts.Recording.from_arrays(EMG_ONLY), {"fs": FS}, "fs: .*give it to ts.read"),
        (EMG_ONLY, {"leg": "both"}, "'both' is not a leg"),
        (EMG_ONLY, {"profile": "x", "settings": ts.Settings()}, "profile: is given beside"),
        (EMG_ONLY, {"hypnogram": [0, 2]}, "stage '0' is a number.*stages='yasa'"),
        (EMG_ONLY, {"hypnogram": ["W"] * 12}, "epochs of 5 s would fill it.*give epoch_s"),
        (EMG_ONLY, {"hypnogram": [STAGES]}, r"shape \(1, 2\)"),
        (EMG_ONLY, {"hypnogram": STAGES, "epoch_s": 0}, "0 is not an epoch length"),
        (EMG_ONLY, {"hypnogram": ts.Hypnogram, "epoch_s": 30}, "epoch_s: is the epoch length"),
        (EMG_ONLY, {"stages": "yasa"}, "stages: .* none to read; leave it out"),
    ],
)  # fmt: skip
def test_refusals_name_the_cure_in_python(data, options, says):
    with pytest.raises(InputError, match=says) as caught:
        ts.analyze(data, **options)
    assert "--" not in str(caught.value)


def test_from_arrays_refuses_a_bare_array():
    with pytest.raises(InputError, match=r"type ndarray; give a mapping"):
        ts.Recording.from_arrays(np.asarray(EMG))


def test_the_command_line_names_its_options():
    cure = (
        "map it (--map 'T ime=time_s'), --fs 1000, --time-unit ms, --zone Europe/Berlin, "
        "--zone (such as UTC), or read it with --via mne"
    )
    error = InputError("a.csv", "x", cure)
    assert "(--map 'T ime=time_s'), --fs 1000" in error.command_message
    assert str(error) == (
        "a.csv: x; map it (columns={'T ime': 'time_s'}), fs=1000, time_unit='ms', "
        "zone='Europe/Berlin', the argument zone (such as UTC), or read it with via='mne'"
    )


def test_summary_groups_by_one_name():
    night = ts.analyze(EMG_ONLY)
    pd.testing.assert_frame_equal(night.summary(by="label"), night.summary(by=["label"]))
