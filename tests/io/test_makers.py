"""Files of makers' programs are recognised without a mapping: values, rates, legs and clocks."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from tests.io import makers
from tests.io.builders import content, lengths
from twitchsense.errors import InputError
from twitchsense.io import read

N = 3000
RNG = np.random.default_rng(0)
EMG = np.round(RNG.normal(0, 200, N), 2)
ACC = np.round(RNG.normal([0.02, -0.1, 0.99], 0.01, (N, 3)), 3)
SLOW = np.repeat(ACC[: N // 10], 10, axis=0)  # one new sample in ten rows
SHORT = ACC[:352]  # 148 Hz beside 1259 Hz
#: 2026-03-01 22:15 UTC and in Berlin, ns.
UTC, BERLIN = 1_772_403_300_000_000_000, 1_772_399_700_000_000_000

SECONDS = makers.numbers(np.arange(N) / 100, "{:.2f}")
MILLI = makers.numbers(np.arange(N) / 1000, "{:.3f}")
#: Times of a logger, header, factor to g, and start: a header of three axes, or none.
LOGGERS = [
    ((makers.numbers(UTC / 1e9 + np.arange(N) / 100, "{:.4f}"), "", 1), UTC),
    (
        (
            makers.numbers(UTC // 10**6 + 10 * np.arange(N), "{:.0f}"),
            "epoc (ms),x-axis (g),y-axis (g),z-axis (g)",
            1,
        ),
        UTC,
    ),
    ((SECONDS, "time,gFx,gFy,gFz", 1), None),
    (
        (
            makers.numbers(10_000 * np.arange(N), "{:.0f}"),
            "SampleTimeFine,Acc_X,Acc_Y,Acc_Z",
            9.80665,
        ),
        None,
    ),
    ((makers.clocks(N, "%d.%m.%Y %H:%M:%S"), "Time,X,Y,Z", 1), BERLIN),
    (
        (makers.clocks(N, "%m/%d/%Y %I:%M:%S", " PM", day=31), "Timestamp UTC,X,Y,Z", 1),
        UTC + 30 * 86_400 * 10**9,
    ),
]
#: Times, header and factor to µV, and the channel: the header states the units.
UNIT_HEADERS = [
    ((MILLI, "Time (s),EMG1 (uV)", 1), "emg1"),
    ((makers.numbers(np.arange(N), "{:.0f}"), "Time [ms],EMG_L [mV]", 1e-3), "emg1_left"),
    ((MILLI, "Time,EMG\ns,mV", 1e-3), "emg1"),
    ((MILLI, "Zeit (s),RT TIB.ANT. (µV)", 1), "emg1_right"),
    ((MILLI, "# night of the 1st\nTime (s),EMG LAT (V)", 1e-6), "emg1_left"),
    ((MILLI, "time_s,EMG 1 [nV]", 1e3), "emg1"),
    ((makers.numbers(np.arange(N), "{:.0f}"), "t/ms,EMG/mV", 1e-3), "emg1"),
]

#: Name of the file: text, channel, rate (Hz), samples, largest difference, start in Berlin.
FILES = {
    "bitalino.txt": (makers.opensignals(EMG), "emg1", 1000, EMG, 1.6, BERLIN),
    "plux.txt": (
        makers.opensignals(EMG, 2000, "biosignalsplux", 16, "CH1"), "emg1", 2000, EMG, 0.03, BERLIN
    ),
    "bitalino_sensor.txt": (
        makers.opensignals(EMG).replace('["EMG"]', '["EMGBITREV"]'),
        "emg1", 1000, EMG, 1.6, BERLIN,
    ),
    "OpenBCI-RAW.txt": (makers.openbci(EMG, SLOW), "emg1", 250, EMG, 1e-3, UTC),
    "OpenBCI-accel.txt": (makers.openbci(EMG, SLOW), "acc", 25, ACC[: N // 10], 1e-6, UTC),
    "OpenBCI-old.txt": (makers.openbci(EMG, version=4), "emg1", 250, EMG, 1e-3, UTC),
    "BrainFlow-RAW.csv": (makers.brainflow(EMG, SLOW), "emg1", 250, EMG, 1e-3, UTC),
    "emgworks.csv": (makers.emgworks(EMG, SHORT), "emg1_left", 1259.259, EMG, 1e-3, None),
    "emgworks_acc.csv": (makers.emgworks(EMG, SHORT), "acc_left", 148.1481, SHORT, 1e-6, None),
    "emgworks_de.csv": (
        makers.emgworks(EMG, SHORT).replace("ACC.", "ACC ").replace(",", ";").replace(".", ","),
        "emg1_left", 1259.259, EMG, 1e-3, None,
    ),
    "actigraph_imu.csv": (
        makers.actigraph(ACC, 100, stamped=True)
        .replace("Accelerometer Z\n", "Accelerometer Z,Temperature,Gyroscope X,Gyroscope Y,"
                 "Gyroscope Z,Magnetometer X,Magnetometer Y,Magnetometer Z\n"),
        "acc", 100, ACC, 1e-3, BERLIN,
    ),
    "actigraph_12h.csv": (
        makers.actigraph(ACC, 30).replace("Start Time 22:15:00", "Start Time 10:15:00 PM"),
        "acc", 30, ACC, 1e-3, BERLIN,
    ),
    "emgworks_im.csv": (
        makers.emgworks(EMG, SHORT, sensor="L TA").partition("Method: None")[2]
        .replace("L TA: EMG 1", "L TA: EMG1 (IM)").replace("ACC.X 1", "ACC1.X (IM)")
        .replace("ACC.Y 1", "ACC1.Y (IM)").replace("ACC.Z 1", "ACC1.Z (IM)"),
        "acc_left", 148.1481, SHORT, 1e-6, None,
    ),
    "emgworks_avanti.csv": (
        makers.emgworks(EMG, SHORT).partition("Method: None")[2].replace("EMG 1", "EMG 1 [V]")
        .replace("ACC.X 1", "Acc 1.X [g]").replace("ACC.Y 1", "Acc 1.Y [g]")
        .replace("ACC.Z 1", "Acc 1.Z [g]"),
        "acc_left", 148.1481, SHORT, 1e-6, None,
    ),
    "emgworks_bare.csv": (
        makers.emgworks(EMG, SHORT).partition("Method: None")[2],
        "emg1_left", 1259.259, EMG, 1e-3, None,
    ),
    "discover.csv": (makers.discover(EMG, SHORT), "emg1_right", 1259.2593, EMG, 1e-3, None),
    "discover_acc.csv": (makers.discover(EMG, SHORT), "acc_right", 148.1481, SHORT, 1e-6, None),
    "shimmer.csv": (makers.shimmer(EMG, ACC), "emg1", 512, EMG, 1e-3, UTC),
    "shimmer_acc.csv": (makers.shimmer(EMG, ACC, sep=","), "acc", 512, ACC, 1e-6, UTC),
    "shimmer_states.csv": (makers.shimmer(EMG, ACC, states=True), "emg1", 512, EMG, 1e-3, UTC),
    "actigraph.csv": (makers.actigraph(ACC), "acc", 30, ACC, 1e-6, BERLIN),
    "actigraph_times.csv": (makers.actigraph(ACC, 50, True), "acc", 50, ACC, 1e-6, BERLIN),
    "actigraph_day.csv": (makers.actigraph(ACC, date="d/M/yyyy"), "acc", 30, ACC, 1e-6, BERLIN),
    "actigraph_de.csv": (
        makers.actigraph(ACC, 100, True, "dd.MM.yyyy"), "acc", 100, ACC, 1e-6, BERLIN
    ),
    "actigraph_bare.csv": (makers.actigraph(ACC, header=False), "acc", 30, ACC, 1e-6, BERLIN),
    "geneactiv.csv": (makers.geneactiv(ACC), "acc_left", 100, ACC, 1e-6, BERLIN),
    "geneactiv_utc.csv": (makers.geneactiv(ACC, 50, "GMT +00:00"), "acc_left", 50, ACC, 1e-6, UTC),
    "axivity.csv": (makers.axivity(ACC), "acc", 100, ACC, 1e-6, BERLIN),
    "axivity_names.csv": (
        makers.axivity(ACC, header="Time,Accel-X (g), Accel-Y (g), Accel-Z (g)"),
        "acc", 100, ACC, 1e-6, BERLIN,
    ),
    "axivity_zone.csv": (
        makers.axivity(ACC, header="time,x,y,z", tail="+0000 [Europe/London]"),
        "acc", 100, ACC, 1e-6, UTC,
    ),
    "ACC.csv": (makers.empatica_e4(ACC), "acc", 32, np.rint(ACC * 64) / 64, 1e-6, UTC),
    "Polar_H10_ACC.txt": (makers.polar(ACC), "acc", 52, ACC, 1e-6, BERLIN),
    "noraxon.csv": (makers.noraxon(EMG, ACC), "emg1_left", 2000, EMG, 1e-3, None),
    "noraxon_acc.csv": (makers.noraxon(EMG, ACC), "acc", 200, ACC[: N // 10], 1e-5, None),
    "noraxon_de.csv": (
        makers.noraxon(EMG, ACC).replace("Time,s", "Zeit,s"), "acc", 200, ACC[: N // 10], 1e-5, None
    ),
    "phyphox.csv": (makers.phyphox(ACC), "acc", 100, ACC, 1e-6, None),
    "phyphox_de.csv": (makers.phyphox(ACC, 100, ";", ","), "acc", 100, ACC, 1e-6, None),
    "movesense.csv": (makers.movesense(ACC), "acc", 52, ACC, 1e-6, None),
    "movesense.json": (makers.movesense_json(ACC), "acc", 52, ACC, 1e-5, None),
    "movesense_log.json": (makers.movesense_json(ACC, logged=True), "acc", 52, ACC, 1e-5, None),
    "movesense_bare.csv": (
        makers.movesense(ACC, names=("timestamp", "x", "y", "z")), "acc", 52, ACC, 1e-6, None
    ),
    **{
        f"logger_{i}.csv": (makers.logger(ACC, *form), "acc", 100, ACC, 1e-5, start)
        for i, (form, start) in enumerate(LOGGERS)
    },
    **{
        f"units_{i}.csv": (makers.logger(EMG[:, None], *form), channel, 1000, EMG, 1e-3, None)
        for i, (form, channel) in enumerate(UNIT_HEADERS)
    },
}  # fmt: skip


def put(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", FILES)
def test_values_rate_and_clock_of_a_makers_file(tmp_path, name):
    text, channel, fs, samples, largest, start = FILES[name]
    got = read(put(tmp_path, name, text), zone="Europe/Berlin")
    assert got.channel(channel).fs == pytest.approx(fs, rel=1e-6)
    parts = content(got)[channel]
    found = np.concatenate([x for _, x in parts])
    np.testing.assert_allclose(np.squeeze(found), samples, atol=largest)
    assert got.start_utc_ns is None if start is None else abs(got.start_utc_ns - start) < 10**6
    assert len(parts) == 1 or channel == "acc"  # equal neighbours in held rows are gaps


@pytest.mark.parametrize("name", FILES)
def test_without_a_zone_the_file_is_read_as_well(tmp_path, name):
    text, channel, fs, samples, *_ = FILES[name]
    got = read(put(tmp_path, name, text))
    assert sum(lengths(got, channel)) == len(samples)
    assert abs(got.start_ns) < 1000 or 12.3e9 < got.start_ns < 12.4e9  # Movesense: since its start
    assert any("read as" in note for note in got.notes)


@pytest.mark.parametrize("value", ["0.04041.234", "1.", "null", '"1"', "1_0", "--1", ""])
@pytest.mark.parametrize("logged", [False, True])
def test_a_damaged_sample_of_movesense_json_is_refused_with_its_packet(tmp_path, value, logged):
    name, packets = json.loads(makers.movesense_json(ACC, logged=logged)).popitem()
    packet = next(iter(packets[100].values()))
    packet["ArrayAcc"][2]["y"] = "damaged"
    text = json.dumps({name: packets}, indent=1).replace('"damaged"', value)
    with pytest.raises(InputError, match="a sample is not three numbers") as caught:
        read(put(tmp_path, "m.json", text))
    assert caught.value.place == f"Timestamp {packet['Timestamp']}"


@pytest.mark.parametrize("lost", [[100], list(range(100, 107)), [10, 500, 501, 2000]])
def test_rows_that_a_counter_skips_are_gaps(tmp_path, lost):
    for text in (makers.opensignals(EMG, lost=lost), makers.openbci(EMG, lost=lost)):
        got = read(put(tmp_path, "night.txt", text))
        assert sum(lengths(got, "emg1")) == N - len(lost)
        assert any(f"skips {len(lost)} rows" in note for note in got.notes)


def test_a_loss_longer_than_the_counter_is_found_by_the_times_of_arrival(tmp_path):
    lost = list(range(1000, 1700))  # 2.8 s at 250 Hz; the counter has 256 values
    got = read(put(tmp_path, "OpenBCI.txt", makers.openbci(EMG, lost=lost)))
    assert lengths(got, "emg1") == [1000, N - 1700]
    assert content(got)["emg1"][1][0] == 1700 * 4_000_000


@pytest.mark.parametrize("stated", [125, 500])
def test_a_rate_that_is_half_or_double_is_refused_and_the_cure_works(tmp_path, stated):
    text = makers.openbci(np.tile(EMG, 4)).replace("Rate = 250", f"Rate = {stated}")
    path = put(tmp_path, "OpenBCI.txt", text)
    with pytest.raises(
        InputError, match=rf"{stated} Hz is stated, but rows arrived at 25"
    ) as caught:
        read(path)
    rate = float(caught.value.cure.rpartition(" ")[2])
    assert read(path, fs=rate).channels[0].fs == pytest.approx(250, rel=0.01)


@pytest.mark.parametrize(
    ("name", "text", "problem", "cure"),
    [
        ("a.csv", makers.actigraph(ACC).replace("s) 00:00:00", "s) 00:01:00"), "counts", "RAW"),
        ("m.json", '{"data": [{"ecg": [1, 2]}]}', "no acceleration of a Movesense", "export CSV"),
        ("BVP.csv", "1772403300.0\n64.0\n0.1\n0.2\n", "E4 without acceleration", "ACC.csv"),
        ("p.txt", "Phone timestamp;sensor timestamp [ns];ecg [uV]\n", "Polar file without", "_ACC"),
        ("o.txt", "# OpenSignals Text File Format\n# {bad\n# EndOfHeader\n", "damaged", "again"),
        ("x.csv", makers.axivity(ACC * 4096), "gravity in none of g", "--map"),
        ("b.csv", makers.brainflow(EMG, ACC).replace("\t0.000000\n", "\n"), "BrainFlow", "header"),
        ("g.csv", makers.geneactiv(ACC, zone="GMT +99999999999:00"), "not exist", "correct"),
        ("g.csv", makers.geneactiv(ACC, zone="GMT -01:60"), "not exist", "correct"),
    ],
)  # fmt: skip
def test_what_is_recognised_but_not_supported_is_named(tmp_path, name, text, problem, cure):
    with pytest.raises(InputError) as caught:
        read(put(tmp_path, name, text))
    assert problem in caught.value.problem
    assert cure in caught.value.cure


def test_the_users_mapping_precedes_the_makers_names(tmp_path):
    path = put(tmp_path, "OpenBCI.txt", makers.openbci(EMG))
    ignored = {f"EXG Channel {i}": "ignore" for i in range(1, 8)}
    got = read(path, columns={**ignored, "EXG Channel 0": "emg_left_uv"})
    assert [c.name for c in got.channels] == ["emg_left"]
    (note,) = [n for n in got.notes if "read as OpenBCI GUI" in n]
    assert "--map decides on EXG Channel 0, EXG Channel 1" in note


def test_a_raw_channel_that_is_mapped_to_emg_gets_the_makers_transfer(tmp_path):
    text = makers.opensignals(EMG).replace('["EMG"]', '["RAW"]')
    path = put(tmp_path, "bitalino.txt", text)
    with pytest.raises(InputError, match=r"OpenSignals without an EMG .*\{'A1': 'emg1_uv'\}"):
        read(path)
    got = read(path, columns={"A1": "emg1_uv"})
    np.testing.assert_allclose(content(got)["emg1"][0][1][:, 0], EMG, atol=1.6)


def test_columns_of_opensignals_that_hold_no_counts_are_not_converted_again(tmp_path):
    text = makers.opensignals(EMG, 2000, "biosignalsplux", 16, "CH1")
    head, rows = text.split("# EndOfHeader\n")
    rows = "".join(f"{i}\t0\t{x / 1000:.6f}\t\n" for i, x in enumerate(EMG))
    got = read(put(tmp_path, "converted.txt", f"{head}# EndOfHeader\n{rows}"))
    np.testing.assert_allclose(content(got)["emg1"][0][1][:, 0], EMG, atol=1e-3)
    assert any("CH1 holds no counts" in note for note in got.notes)
    with pytest.raises(InputError, match=r"column CH1: holds \d+, which is no count"):
        read(put(tmp_path, "bits.txt", text.replace('"resolution": [16]', '"resolution": [8]')))


def test_an_accelerometer_of_opensignals_is_not_to_be_read_as_emg(tmp_path):
    text = makers.opensignals(EMG).replace('["EMG"]', '["ACC"]')
    with pytest.raises(InputError, match="OpenSignals without an EMG") as caught:
        read(put(tmp_path, "bitalino.txt", text))
    assert "A1 (ACC)" in caught.value.problem
    assert "calibration" in caught.value.cure
    assert "emg" not in caught.value.cure


def test_files_of_one_night_and_no_zone_share_their_clock(tmp_path):
    one = put(tmp_path, "bitalino.txt", makers.opensignals(EMG))
    two = put(tmp_path, "ankle.csv", makers.axivity(ACC[100:]).replace("22:15:00.0", "22:15:00.0"))
    got = read(one, two)
    assert got.start_utc_ns is None
    assert {c.name for c in got.channels} == {"emg1", "acc"}


LABCHART = makers.lines(
    "Interval=\t0.001 s", "ExcelDateTime=\t4.6082927e+04\t01.03.2026 22:15:00",
    "TimeFormat=\tStartOfBlock", "DateFormat=\t", "ChannelTitle=\tEMG LAT\tECG",
    "Range=\t10 mV\t10 mV",
    makers.rows(MILLI, makers.numbers(EMG / 1000), makers.numbers(EMG), sep="\t"),
)  # fmt: skip
ACQKNOWLEDGE = makers.lines(
    "night.acq", "0.5 msec/sample", "2 channels", "EMG100C", "mV", "Respiration", "V",
    "min,CH1,CH2,", ",3000,3000,",
    [f"{row}," for row in makers.rows(makers.numbers(np.arange(N) / 120_000, "{:.8f}"),
                                      makers.numbers(EMG / 1000), makers.numbers(EMG), sep=",")],
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "channel", "fs"),
    [(LABCHART, "emg1_left", 1000), (ACQKNOWLEDGE, "emg1", 2000)],
)
def test_text_files_that_are_named_are_read_as_the_cure_says(tmp_path, text, channel, fs):
    path = put(tmp_path, "night.txt", text)
    with pytest.raises(InputError, match="text file; read it with") as caught:
        read(path)
    words = caught.value.cure.replace("read it with ", "").split()
    options = dict(zip(words[::2], words[1::2], strict=True))
    got = read(
        path,
        skip_rows=int(options["--skip-rows"]),
        names=options["--columns"].split(","),
        fs=float(options["--fs"]) if "--fs" in options else None,
    )
    assert [(c.name, c.fs) for c in got.channels] == [(channel, fs)]
    np.testing.assert_allclose(content(got)[channel][0][1][:, 0], EMG, atol=1e-2)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("%STOP\n00,0001F4,000003\n", "SD card"),
        ("a\n0.5.5 msec/sample\n", "AcqKnowledge"),
        ("a\n0 sec/sample\nmany\n", "AcqKnowledge"),
        ("Interval=\nChannelTitle=\n", "LabChart"),
        ('"INFORMATION"\n"a"\n"SUMMARY"\n', "Spike2"),
    ],
)
def test_text_of_other_programs_is_named(tmp_path, text, what):
    with pytest.raises(InputError, match=what):
        read(put(tmp_path, "night.txt", text))


def test_an_infinite_index_of_openbci_is_no_internal_error(tmp_path):
    lines = makers.openbci(EMG, SLOW).split("\n")
    lines[30] = "inf" + lines[30][lines[30].index(",") :]
    lines[31] = "inf" + lines[31][lines[31].index(",") :]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = read(put(tmp_path, "OpenBCI.txt", "\n".join(lines)))
    assert got.channels[0].fs == pytest.approx(250, rel=1e-3)
