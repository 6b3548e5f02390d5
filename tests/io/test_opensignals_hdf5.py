"""OpenSignals HDF5 files: counts become microvolts, each device with its own clock."""

from __future__ import annotations

import numpy as np
import pytest

from tests.io.builders import content, lengths
from twitchsense.errors import InputError
from twitchsense.io import read

h5py = pytest.importorskip("h5py")

N = 3000
EMG = np.round(np.random.default_rng(0).normal(0, 200, N), 2)


def add_device(file, mac, x, fs, device="channeller", bits=16, volts=3.0, gain=1000.0, lost=()):
    """Write a device with one EMG channel."""
    counts = np.rint((x / 1e6 * gain / volts + 0.5) * 2**bits).astype(np.uint16)
    keep = np.setdiff1d(np.arange(len(x)), lost)
    group = file.create_group(mac)
    group.attrs.update(
        {"device": device, "sampling rate": fs, "resolution": np.array([bits], np.int32)}
        | {"date": "2026-3-1", "time": "22:15:0.0"}
    )
    raw = group.create_group("raw")
    raw["channel_3"] = counts[keep][:, None]
    raw["channel_3"].attrs.update({"sensor": "EMG", "label": "PORT3_CHN1"})
    raw["nSeq"] = (keep % 16 if device == "bitalino_rev" else keep)[:, None]


def put(tmp_path, *devices):
    path = tmp_path / "night.h5"
    with h5py.File(path, "w") as file:
        for i, options in enumerate(devices):
            add_device(file, f"00:07:80:3B:46:6{i}", **options)
    return path


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"fs": 1000}, 0.03),
        ({"fs": 2000}, 0.03),
        ({"fs": 1000, "device": "bitalino_rev", "bits": 10, "volts": 3.3, "gain": 1009.0}, 1.6),
    ],
)
def test_counts_become_microvolts(tmp_path, options, error):
    got = read(put(tmp_path, {"x": EMG, **options}), zone="Europe/Berlin")
    assert got.channels[0].fs == options["fs"]
    np.testing.assert_allclose(content(got)["emg1"][0][1][:, 0], EMG, atol=error)
    assert got.start_utc_ns == 1_772_399_700_000_000_000


def test_devices_of_two_rates_have_their_own_clocks(tmp_path):
    got = read(put(tmp_path, {"x": EMG, "fs": 1000}, {"x": EMG[:600], "fs": 200}))
    assert [(c.name, c.fs) for c in got.channels] == [("emg1", 1000), ("emg2", 200)]
    assert lengths(got, "emg2") == [600]
    assert got.end_ns == 3_000_000_000


def test_a_file_without_an_emg_sensor_is_refused_with_its_sensors(tmp_path):
    path = put(tmp_path, {"x": EMG[:50], "fs": 1000})
    with h5py.File(path, "a") as file:
        file["00:07:80:3B:46:60/raw/channel_3"].attrs["sensor"] = "ACC"
    with pytest.raises(InputError, match=r"without an EMG sensor: channel_3 \(ACC\); accelerom"):
        read(path)


def test_rows_that_the_sequence_skips_are_gaps(tmp_path):
    got = read(put(tmp_path, {"x": EMG, "fs": 1000, "lost": range(100, 110)}))
    assert lengths(got, "emg1") == [100, N - 110]


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n" + b"0" * 100, b"text"])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "night.h5"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not an HDF5 file, or it is damaged"):
        read(path)


def test_another_hdf5_file_is_refused(tmp_path):
    path = tmp_path / "night.h5"
    with h5py.File(path, "w") as file:
        file["x"] = [1, 2]
    with pytest.raises(InputError, match=r"not one of OpenSignals") as caught:
        read(path)
    assert "CSV" in caught.value.cure
