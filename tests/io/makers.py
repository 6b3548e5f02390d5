"""Text files as makers' programs write them, from arrays of samples.

Each function returns the text of a file. EMG is in µV, acceleration in g, one row a sample.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import numpy as np

#: Local start of the recordings.
START = datetime(2026, 3, 1, 22, 15, 0)


def rows(*columns, sep=","):
    """Return the lines of a table of text columns."""
    return [sep.join(row) for row in zip(*columns, strict=True)]


def lines(*parts):
    """Return the text of lines, and of lists of lines."""
    flat = [line for part in parts for line in (part if isinstance(part, list) else [part])]
    return "\n".join(flat) + "\n"


def numbers(values, form="{:.6g}"):
    """Return values as text."""
    return [form.format(v) for v in values]


def opensignals(emg, fs=1000, device="bitalino_rev", bits=10, name="A1", lost=()):
    """Return a text file of OpenSignals: counts of the converter, and a sequence number."""
    volts, gain = {"bitalino_rev": (3.3, 1009.0), "biosignalsplux": (3.0, 1000.0)}[device]
    counts = np.rint((emg / 1e6 * gain / volts + 0.5) * 2**bits).astype(int)
    bitalino = device == "bitalino_rev"
    columns = ["nSeq", "I1", "I2", "O1", "O2", name] if bitalino else ["nSeq", "DI", name]
    header = {
        "20:16:04:12:01:40": {
            "sensor": ["EMG"], "device name": "A", "column": columns, "sync interval": 2,
            "time": "22:15:0.0", "comments": "", "channels": [1], "date": "2026-3-1", "mode": 0,
            "digital IO": [0, 0, 1, 1], "firmware version": "5.1", "device": device, "position": 0,
            "sampling rate": fs, "label": [name],
            "resolution": [4, 1, 1, 1, 1, bits] if bitalino else [bits], "special": [{}],
        }
    }  # fmt: skip
    index = np.arange(len(counts))
    keep = np.setdiff1d(index, lost)
    sequence = index % 16 if bitalino else index
    middle = "\t0\t0\t0\t0\t" if bitalino else "\t0\t"
    body = [f"{sequence[i]}{middle}{counts[i]}\t" for i in keep]
    head = ["# OpenSignals Text File Format. Version 1", f"# {json.dumps(header)}", "# EndOfHeader"]
    return lines(head, body)


def openbci(emg, acc=None, fs=250, version=5, channels=8, lost=(), unix=1_772_403_300.0):
    """Return a text file of the OpenBCI GUI; `emg` goes to the first channel."""
    n = len(emg)
    rng = np.random.default_rng(4)
    others = rng.normal(0, 5, (n, channels - 1))
    acc = np.zeros((n, 3)) if acc is None else acc
    named = version >= 5
    head = [
        f"%OpenBCI Raw {'EXG' if named else 'EEG'} Data",
        f"%Number of channels = {channels}",
        f"%Sample Rate = {fs}{'' if named else '.0'} Hz",
    ]
    if named:
        head.append("%Board = OpenBCI_GUI$BoardCytonSerial")
        head.append(
            ", ".join(
                ["Sample Index", *(f"EXG Channel {i}" for i in range(channels))]
                + [f"Accel Channel {i}" for i in range(3)]
                + ["Not Used", "Timestamp", "Marker Channel", "Timestamp (Formatted)"]
            )
        )
    else:
        head.append("%First Column = SampleIndex")
    body = []
    for i in np.setdiff1d(np.arange(n), lost):
        clock = unix + i // 8 * 8 / fs  # rows arrive in bursts
        cells = [f"{i % 256}.0" if named else f"{i % 256}", f"{emg[i]:.4f}"]
        cells += [f"{v:.4f}" for v in others[i]] + [f"{v:.3f}" for v in acc[i]]
        if named:
            cells += ["0.0", f"{clock:.6f}", "0.0", "2026-03-01 22:15:00.000"]
        else:
            cells += ["22:15:00.000", f"{clock * 1000:.0f}"]
        body.append(", ".join(cells))
    return lines(head, body)


def brainflow(emg, acc, fs=250):
    """Return a file of BrainFlow from a Cyton: 24 columns without a header."""
    n = len(emg)
    table = np.zeros((n, 24))
    table[:, 0] = np.arange(n) % 256
    table[:, 1] = emg
    table[:, 2:9] = np.random.default_rng(5).normal(0, 5, (n, 7))
    table[:, 9:12] = acc
    table[:, 22] = 1_772_403_300 + np.arange(n) // 10 * 10 / fs
    return lines(["\t".join(f"{v:.6f}" for v in row) for row in table])


def emgworks(emg, acc, emg_fs=1259.259, acc_fs=148.1481, sensor="L TIBIALIS ANTERIOR"):
    """Return a file of EMGworks: each channel with a time column and a rate of its own."""
    names = [f"{sensor}: EMG 1", *(f"{sensor}: ACC.{axis} 1" for axis in "XYZ")]
    units = ["V", "g", "g", "g"]
    rates = [emg_fs, acc_fs, acc_fs, acc_fs]
    data = [emg / 1e6, *acc.T]
    labels = [
        f"Label: {name} Sampling frequency: {fs:.6e} Number of points: {len(x)} "
        f"start: 0.000000e+000 Unit: {unit} Domain Unit: s"
        for name, unit, fs, x in zip(names, units, rates, data, strict=True)
    ]
    header = ",".join(f'X[s],"{name}"' for name in names)
    body = []
    for i in range(len(emg)):
        cells = []
        for x, fs in zip(data, rates, strict=True):
            cells += [f"{i / fs:.7g}", f"{x[i]:.9g}"] if i < len(x) else ["", ""]
        body.append(",".join(cells))
    return lines(labels, "Start Trigger Method: None", "", header, body)


def discover(emg, acc, emg_fs=1259.2593, acc_fs=148.1481):
    """Return a file of Trigno Discover."""
    names = ["EMG 1 Time Series (s)", "EMG 1 (mV)"]
    for axis in "XYZ":
        names += [f"ACC {axis} Time Series (s)", f"ACC {axis} (G)"]
    rates = ["", f"{emg_fs} Hz"] + ["", f"{acc_fs} Hz"] * 3
    data = [emg / 1e3, *acc.T]
    body = []
    for i in range(len(emg)):
        cells = []
        for x, fs in zip(data, [emg_fs, acc_fs, acc_fs, acc_fs], strict=True):
            cells += [f"{i / fs:.6f}", f"{x[i]:.7f}"] if i < len(x) else ["", ""]
        body.append(",".join(cells))
    head = [
        "Application:,Trigno Discover (1.7.0)",
        "Date/Time:,3/1/2026 10:15:00 PM",
        f"Collection Length (seconds):,{len(emg) / emg_fs:.1f}",
        "Right Tibialis (75923)" + "," * 7,
        "sensor mode: 65" + "," * 7,
        ",".join(names),
        ",".join(rates),
    ]
    return lines(head, body)


def shimmer(emg, acc, fs=512, states=False, sep="\t", unix_ms=1_772_403_300_000):
    """Return a file of Consensys."""
    names = ["Shimmer_40AC_Timestamp_Unix_CAL", "Shimmer_40AC_EMG_CH1_24BIT_CAL"]
    names += [f"Shimmer_40AC_Accel_LN_{axis}_CAL" for axis in "XYZ"]
    units = ["ms", "mV", *["m/(s^2)"] * 3]
    head = [f'"sep={sep}"', sep.join([*names, ""])]
    if states:
        head.append(sep.join(["CAL"] * 5 + [""]))
    head.append(sep.join([*units, ""]))
    t = [f"{unix_ms + i * 1000 / fs:.6f}" for i in range(len(emg))]
    columns = [t, numbers(emg / 1e3, "{:.9g}"), *(numbers(a * 9.80665, "{:.8g}") for a in acc.T)]
    return lines(head, [f"{row}{sep}" for row in rows(*columns, sep=sep)])


def actigraph(acc, fs=30, stamped=False, date="M/d/yyyy", header=True):
    """Return a raw CSV file of ActiLife."""
    forms = {"M/d/yyyy": "%m/%d/%Y", "d/M/yyyy": "%d/%m/%Y", "dd.MM.yyyy": "%d.%m.%Y"}
    day = START.strftime(forms[date])
    head = [
        "------------ Data File Created By ActiGraph GT3X+ ActiLife v6.13.3 Firmware v3.2.1 "
        f"date format {date} at {fs} Hz  Filter Normal -----------",
        "Serial Number: NEO1F18120387",
        f"Start Time {START:%H:%M:%S}",
        f"Start Date {day}",
        "Epoch Period (hh:mm:ss) 00:00:00",
        "Download Time 10:31:05",
        f"Download Date {day}",
        "Current Memory Address: 0",
        "Current Battery Voltage: 4.07     Mode = 12",
        "--------------------------------------------------",
    ]
    columns = [numbers(a, "{:.3f}") for a in acc.T]
    names = [f"Accelerometer {axis}" for axis in "XYZ"]
    if stamped:
        times = [START + timedelta(seconds=i / fs) for i in range(len(acc))]
        form = f"{forms[date]} %H:%M:%S."
        columns = [[t.strftime(form) + f"{t.microsecond // 1000:03d}" for t in times], *columns]
        names = ["Timestamp", *names]
    return lines(head, [",".join(names)] if header else [], rows(*columns))


def geneactiv(acc, fs=100, zone="GMT +01:00"):
    """Return a CSV file of a GENEActiv: a header of 100 lines."""
    head = [
        "Device Type,GENEActiv", "Device Model,1.1", "Device Unique Serial Code,012345",
        "Device Firmware Version,Ver4.08a date14Jul14",
        "Calibration Date,2014-01-01 00:00:00:000", "Application name & version,GENEActiv 3.1",
        "", "", "", "", f"Measurement Frequency,{fs} Hz", "Start Time,2026-03-01 22:15:00:000",
        "Last measurement,", "Device Location Code,left ankle", f"Time Zone,{zone}",
    ]  # fmt: skip
    head += [""] * (100 - len(head))
    times = [START + timedelta(seconds=i / fs) for i in range(len(acc))]
    text = [f"{t:%Y-%m-%d %H:%M:%S}:{t.microsecond // 1000:03d}" for t in times]
    cells = [numbers(a, "{:.4f}") for a in acc.T]
    return lines(head, [f"{row},0,0,25.6" for row in rows(text, *cells)])


def axivity(acc, fs=100, header="", tail=""):
    """Return a CSV file of OMGUI, with or without a header."""
    times = [START + timedelta(seconds=i / fs) for i in range(len(acc))]
    text = [f"{t:%Y-%m-%d %H:%M:%S}.{t.microsecond // 1000:03d}{tail}" for t in times]
    return lines([header] if header else [], rows(text, *(numbers(a, "{:.6f}") for a in acc.T)))


def empatica_e4(acc, fs=32):
    """Return ACC.csv of an Empatica E4: start and rate in the first lines, counts of 1/64 g."""
    counts = np.rint(acc * 64).astype(int)
    head = [", ".join(["1772403300.000000"] * 3), ", ".join([f"{fs:.6f}"] * 3)]
    return lines(head, [f"{x},{y},{z}" for x, y, z in counts])


def polar(acc, fs=52, first_ns=599_628_000_000_000_000):
    """Return a file of Polar Sensor Logger: phone time of the packets, sensor time of samples."""
    body = []
    for i, (x, y, z) in enumerate(np.rint(acc * 1000).astype(int)):
        phone = START + timedelta(seconds=i // 36 * 36 / fs)
        body.append(
            f"{phone.isoformat(timespec='milliseconds')};{first_ns + round(i * 1e9 / fs)};"
            f"{x};{y};{z}"
        )
    return lines("Phone timestamp;sensor timestamp [ns];X [mg];Y [mg];Z [mg]", body)


def noraxon(emg, acc, fs=2000):
    """Return a CSV file of a Noraxon program; acceleration in every tenth row."""
    names = ['"Time,s"', '"TIB.ANT. LT, uV"', *(f'"Accel A{axis} LT, mG"' for axis in "xyz")]
    names[2:] = [f"Ultium EMG.Internal Accel 1 A{axis} (mG)" for axis in "xyz"]
    body = []
    for i, x in enumerate(emg):
        slow = [f"{v * 1000:.2f}" for v in acc[i // 10]] if i % 10 == 0 else ["", "", ""]
        body.append(",".join([f"{i / fs:.6f}", f"{x:.4f}", *slow]))
    return lines(",".join([*names, '"Ultium EMG.Sync, On"']), [f"{row},0" for row in body])


def phyphox(acc, fs=100, sep=",", decimal="."):
    """Return a CSV file of phyphox: quoted names, powers of ten."""
    names = ["Time (s)", *(f"Acceleration {axis} (m/s^2)" for axis in "xyz")]
    columns = [np.arange(len(acc)) / fs, *(acc.T * 9.80665)]
    cells = [[f"{v:.9E}".replace(".", decimal) for v in c] for c in columns]
    return lines(sep.join(f'"{n}"' for n in names), rows(*cells, sep=sep))


def movesense_json(acc, fs=52, logged=False):
    """Return a JSON file of Movesense Showcase, or of sbem2json."""
    packets = []
    for i in range(0, len(acc), 4):
        vectors = [
            dict(zip("xyz", (v * 9.80665).round(5).tolist(), strict=True)) for v in acc[i : i + 4]
        ]
        packet = {"Timestamp": round(12_345 + i * 1000 / fs), "ArrayAcc": vectors}
        packets.append({"MeasAcc": packet} if logged else {"acc": packet})
    return json.dumps({"Samples" if logged else "data": packets}, indent=None if logged else 1)


def movesense(acc, fs=52, names=("Timestamp (ms)", "X: (m/s^2)", "Y: (m/s^2)", "Z: (m/s^2)")):
    """Return a CSV file of Movesense Showcase: one time for the four samples of a packet."""
    t = [f"{round(12_345 + i // 4 * 4 * 1000 / fs)}" for i in range(len(acc))]
    cells = [numbers(a * 9.80665, "{:.7g}") for a in acc.T]
    return lines(",".join(names), rows(t, *cells))


def clocks(n, form, tail="", fs=100, day=START.day):
    """Return clock times with milliseconds."""
    times = [START.replace(day=day) + timedelta(seconds=i / fs) for i in range(n)]
    return [f"{t.strftime(form)}.{t.microsecond // 1000:03d}{tail}" for t in times]


def logger(values, times, header, factor):
    """Return a table of times and values."""
    cells = [numbers(v * factor, "{:.9g}") for v in values.T]
    return lines([header] if header else [], rows(times, *cells))
