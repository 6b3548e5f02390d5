"""LSL streams over the network of this computer are recorded, also across an outage."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import twitchsense as ts
from tests.acquire.lsl_network import Sender, install_driver, require_lsl
from twitchsense.acquire import lsl_adapter
from twitchsense.acquire.adapter import Adapter
from twitchsense.acquire.backoff import Backoff
from twitchsense.acquire.recorder import Recorder, make_metadata
from twitchsense.cli.app import main
from twitchsense.errors import InputError, install_command
from twitchsense.nightfile.recorder_clock import RecorderClock
from twitchsense.nightfile.writer import NightFileWriter

CHANNELS = [("a", "EMG", "mV"), ("x", "ACC", "g"), ("y", "ACC", "g"), ("z", "ACC", "g")]
FS = 400


def rows(numbers):
    """Samples that tell their number."""
    columns = (numbers % 1000 / 1000, numbers % 64 / 64, -numbers % 32 / 32, 0 * numbers + 1.0)
    return np.stack(columns, 1)


@pytest.mark.slow  # in real time
def test_a_stream_is_recorded_and_found_again_after_it_was_gone(tmp_path, monkeypatch):
    require_lsl()
    install_driver(monkeypatch, tmp_path / "site")
    monkeypatch.setattr(lsl_adapter, "RESOLVE_S", 0.1)
    monkeypatch.setattr(lsl_adapter, "TIMESTAMP_CHECK_S", 0.2)
    path, threads = tmp_path / "a.night", threading.active_count()

    async def record():
        sender = Sender("leg", "Mixed", CHANNELS, FS, rows, source_id="box-1")
        night = NightFileWriter(path, make_metadata())
        backoff = Backoff(first_s=0.01)
        recorder = Recorder(
            Adapter(),
            night,
            ["lsl:Mixed"],
            now_ns=RecorderClock(),
            backoff=backoff,
            options={"timestamps": "regular"},  # a busy computer may send too few to judge
        )
        stop = asyncio.Event()
        task = asyncio.ensure_future(recorder.run(stop))
        status = recorder.sessions[0].status
        for n_connections in (1, 2):
            while status.n_connections < n_connections:
                assert not task.done()
                await asyncio.sleep(0.02)
            if n_connections == 1:
                await asyncio.sleep(0.3)
                sender.skip = 7
                await asyncio.sleep(0.3)
                await asyncio.to_thread(sender.close)
                sender = Sender("leg", "Mixed", CHANNELS, FS, rows, source_id="box-1")
        await asyncio.sleep(0.4)
        stop.set()
        await task
        night.close()
        await asyncio.to_thread(sender.close)
        return recorder

    recorder = asyncio.run(asyncio.wait_for(record(), 60))
    assert recorder.sessions[0].address == "lsl:Mixed"
    assert recorder.sessions[0].status.n_connections == 2
    assert threading.active_count() <= threads
    recording = ts.read(path)
    emg, acc = recording.channels
    assert (emg.columns, acc.columns) == (("emg1_uv",), ("acc_x_g", "acc_y_g", "acc_z_g"))
    parts = [s.samples.read(0, len(s.samples))[:, 0] for s in recording.segments_of("emg1")]
    numbers = [np.rint(p).astype(int) for p in parts]
    assert all(abs(p - n).max() < 1e-3 for p, n in zip(parts, numbers, strict=True))  # µV
    steps = [np.diff(n) % 1000 for n in numbers]
    assert all((s == 1).all() for s in steps)
    assert len(numbers) >= 3
    assert (numbers[1][0] - numbers[0][-1]) % 1000 == 8  # seven are lost, and stay a gap
    first, second = recording.segments_of("emg1")[:2]
    gap_s = (second.start_ns - first.start_ns) / 1e9 - len(parts[0]) / FS
    assert gap_s == pytest.approx(7 / FS, abs=1e-4)
    assert "times by the device's clock" in " ".join(recording.notes)


def stream(name, kind, source_id="", fs=100.0, host="pc", uid="", created=1.0):
    values = {"name": name, "type": kind, "source_id": source_id, "nominal_srate": fs,
              "hostname": host, "channel_count": 2, "created_at": created,
              "uid": uid or name + source_id}  # fmt: skip
    return SimpleNamespace(**{k: (lambda v=v: v) for k, v in values.items()})


def test_a_stream_is_chosen_by_source_id_name_or_type():
    infos = [stream("leg", "EMG", "box-1"), stream("arm", "EMG"), stream("EMG", "ACC", "box-2"),
             stream("marks", "Markers", fs=0.0)]  # fmt: skip
    infos.append(infos[0])  # answers on two networks
    for wanted, address in {
        "box-1": "box-1", "leg": "box-1", "arm": "arm@pc", "EMG": "box-2", "arm@pc": "arm@pc",
        "ACC": "box-2",
    }.items():  # fmt: skip
        assert lsl_adapter.select_stream(infos, wanted).address == address
    assert lsl_adapter.select_stream(infos, "marks") is None
    with pytest.raises(InputError, match=r"lsl:EMG means 2 streams.*lsl:ID\): arm@pc, box-1"):
        lsl_adapter.select_stream(infos[:2], "EMG")
    again = stream("leg", "EMG", "box-1", uid="later", created=9.0)
    for order in ([again, *infos], [*infos, again]):  # the sender started anew
        assert lsl_adapter.select_stream(order, "box-1").device is again
    with pytest.raises(InputError, match="means 3 streams"):
        lsl_adapter.select_stream(infos, "")


def test_streams_of_the_network_are_listed(monkeypatch):
    infos = [stream("leg", "EMG", "box-1"), stream("leg", "EMG", "box-1"), stream("arm", "ACC"),
             stream("marks", "Markers", fs=0.0)]  # fmt: skip
    library = SimpleNamespace(resolve_streams=lambda seconds: infos)
    monkeypatch.setattr(lsl_adapter, "load_pylsl", lambda: library)
    done = CliRunner().invoke(main, ["devices", "--lsl"])
    assert done.output.splitlines() == [
        "arm  lsl:arm@pc  ACC, 2 channels, 100 Hz",
        "leg  lsl:box-1  EMG, 2 channels, 100 Hz",
    ]
    done = CliRunner().invoke(main, ["devices", "--lsl", "--json"])
    assert [row["address"] for row in json.loads(done.output)] == ["arm@pc", "box-1"]
    infos.clear()
    done = CliRunner().invoke(main, ["devices", "--lsl"])
    assert "no LSL stream found" in done.output


@pytest.mark.parametrize("command", ["record", "check"])
def test_without_the_library_nothing_is_written_and_the_cure_is_named(
    command, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "pylsl", None)
    out = ["--out", str(tmp_path / "a.night")] if command == "record" else []
    done = CliRunner().invoke(main, [command, "--device", "lsl:a", *out])
    assert done.exit_code == 2
    assert f"needs an extra: {install_command('lsl')}" in done.output
    assert "error in twitchsense" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_package_without_the_binary_library_is_told(tmp_path, monkeypatch):
    (tmp_path / "pylsl.py").write_text("raise RuntimeError('library file was not found.\\nmore')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pylsl", raising=False)
    done = CliRunner().invoke(main, ["check", "--device", "lsl:a"])
    assert done.exit_code != 0
    assert "(library file was not found.); install liblsl from https://" in done.output


def test_a_raw_log_of_a_stream_is_refused(tmp_path):
    arguments = ["record", "--device", "lsl:a", "--raw", str(tmp_path / "l.csv")]
    done = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "a.night")])
    assert done.exit_code == 2
    assert "is for Bluetooth devices" in done.output
