"""What ``record`` tells a person: the device's name, the next command, and a missing adapter."""

import asyncio
import re
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from firmware_sim.peers.by_kind import MODELS
from tests.nightfile.builders import write_night
from twitchsense.acquire.adapter import Adapter, AdapterError
from twitchsense.acquire.status import SessionStatus
from twitchsense.cli.app import main
from twitchsense.cli.event_printer import EventPrinter
from twitchsense.cli.record import close_night
from twitchsense.cli.record_status import (
    print_night_so_far,
    print_status,
    print_totals,
    report_missing_gains,
)
from twitchsense.nightfile.records import Device, DeviceSetting
from twitchsense.nightfile.writer import NightFileWriter

NAMED = SessionStatus(connected=True, n_connections=1, name="NPG-Lite", seconds={"emg": 9.0})


def recorder(status, lacks_gain=False):
    session = SimpleNamespace(address="AA:BB", status=status, lacks_gain=lacks_gain, device_key="")
    queue = SimpleNamespace(n_overflows=0)
    return SimpleNamespace(sessions=[session], queue=queue, storage_error="")


def test_without_an_adapter_the_recording_ends_in_time(monkeypatch, tmp_path):
    async def scan(adapter, seconds, wanted=None, *, unknown=False):
        raise AdapterError("cannot scan for Bluetooth devices: no adapter")

    monkeypatch.setattr(Adapter, "scan", scan)
    monkeypatch.setattr("twitchsense.cli.record.NO_ADAPTER_S", 0.3)
    path = tmp_path / "a.night"
    done = CliRunner().invoke(main, ["record", "--device", "ts-0001", "--out", str(path), "-q"])
    assert done.exit_code == 1
    assert done.stderr == (
        "twitchsense: nothing was recorded: cannot scan for Bluetooth devices: no adapter\n"
    )
    assert list(tmp_path.iterdir()) == []  # no empty night is left


def test_a_night_that_is_continued_is_kept_without_an_adapter(tmp_path):
    path = tmp_path / "a.night"
    writer = NightFileWriter(path, {"zone": "UTC"})
    assert writer.is_empty()
    close_night(writer)
    assert not path.exists()
    NightFileWriter(path, {"zone": "UTC"}).close()
    close_night(NightFileWriter(path))
    assert path.exists()


def test_status_shows_the_name_of_the_device(monkeypatch, capsys):
    monkeypatch.setattr("twitchsense.cli.record_status.STATUS_PERIOD_S", 0.01)

    async def run():
        task = asyncio.create_task(print_status(recorder(NAMED), None, 0.0, quiet=False))
        await asyncio.sleep(0.05)
        task.cancel()

    asyncio.run(run())
    line = capsys.readouterr().err.splitlines()[0]
    assert line.startswith("NPG-Lite (AA:BB): ")
    assert line.endswith("connected, 1 connection")


def test_the_end_says_that_what_was_shown_live_is_provisional(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("twitchsense.nightfile.loss_report.read_loss_reports", lambda path: [])
    for n_shown, says in ((0, False), (2, True)):
        print_totals(recorder(NAMED), 10.0, tmp_path / "a.night", quiet=False, n_shown=n_shown)
        said = " ".join(capsys.readouterr().err.split())
        assert ("2 movements were shown live, which is provisional" in said) is says
        assert ("rejected.csv says why" in said) is says


def test_live_lines_are_corrected_for_the_drift_as_the_view_is(capsys):
    candidate = SimpleNamespace(
        kind="jerk", onset_ns=20 * 10**9, offset_ns=21 * 10**9, channel="emg1", leg=""
    )
    row = SimpleNamespace(candidate=candidate, final=True, withdrawn=False)
    stream = SimpleNamespace(drift_ns=lambda at_ns: -(10**9))
    EventPrinter().pass_on(row, ("a", 0, 0), stream)
    assert capsys.readouterr().out.startswith("00:00:19 UTC")


@pytest.mark.parametrize("seconds", [9.0, 0.0])
def test_the_end_names_the_next_command(monkeypatch, capsys, tmp_path, seconds):
    monkeypatch.setattr("twitchsense.nightfile.loss_report.read_loss_reports", lambda path: [])
    status = SessionStatus(n_connections=1, seconds={"emg": seconds})
    night = tmp_path / "my night.night"
    print_totals(recorder(status), 10.0, night, quiet=False)
    last = capsys.readouterr().err.splitlines()[-1]
    if seconds:
        assert last == f"Next: twitchsense analyze '{night}' --out '{tmp_path / 'my night'}'"
    else:
        assert last == f"Night: {night}"


@pytest.mark.parametrize("lacks_gain", [True, False])
def test_emg_without_a_unit_is_told_with_the_option_that_states_it(
    monkeypatch, capsys, tmp_path, lacks_gain
):
    monkeypatch.setattr("twitchsense.nightfile.loss_report.read_loss_reports", lambda path: [])
    recorded = recorder(NAMED, lacks_gain)
    asyncio.run(report_missing_gains(recorded))
    assert ("the EMG has no unit" in " ".join(capsys.readouterr().err.split())) == lacks_gain
    print_totals(recorded, 10.0, tmp_path / "a.night", quiet=False)
    *before, last = capsys.readouterr().err.splitlines()
    assert last.endswith(" --gain COUNTS_PER_MV") == lacks_gain
    assert ("the EMG has no unit" in " ".join(before)) == lacks_gain


def test_a_night_knows_a_gain_that_was_stated_before_it_is_continued(tmp_path):
    path = tmp_path / "a.night"
    writer = NightFileWriter(path, {"zone": "UTC"})
    writer.write([Device("AA", "AA", "NPG", "", "", b""), Device("BB", "BB", "NPG", "", "", b"")])
    writer.write([DeviceSetting("AA", 1, "gain", "1241"), DeviceSetting("BB", 1, "leg", "left")])
    writer.close()
    writer = NightFileWriter(path)
    settings = [writer.settings(device) for device in ("AA", "BB", "CC")]
    assert settings == [{"gain": "1241"}, {"leg": "left"}, {}]
    writer.close()


def test_a_night_that_is_continued_is_described(tmp_path, capsys):
    path = write_night(tmp_path / "a.night", 19)
    writer = NightFileWriter(path)
    (device,) = writer.recorded_devices()
    writer.write([DeviceSetting(device.key, 1, "leg", "left")])
    print_night_so_far(writer, device.last_ns)
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"Continuing {path}, which holds:"
    assert re.fullmatch(
        r"  ts-CDEF, left leg: 19 s, from \d\d \w+ [\d:]+ to \d\d \w+ [\d:]+", second
    )
    print_night_so_far(writer, device.last_ns + 14 * 3600 * 10**9)
    assert "The last data are 14.0 h old" in capsys.readouterr().err
    writer.close()
    print_night_so_far(NightFileWriter(tmp_path / "b.night", {"zone": "UTC"}), 0)
    assert "which holds no data yet" in capsys.readouterr().err


def test_the_help_names_every_simulated_device_of_another_maker():
    kinds = ", ".join(sorted(MODELS.keys() - {"twitchsense"}))
    assert f"({kinds})" in " ".join(CliRunner().invoke(main, ["record", "--help"]).output.split())


def test_the_memory_of_a_polar_sensor_is_not_said_to_fill_gaps():
    known = CliRunner().invoke(main, ["devices", "--known"]).output
    polar = known[known.index("polar: ") :]
    assert "lost samples: are not sent again; an option below uses the memory" in polar


def test_a_movement_that_belongs_before_an_earlier_line_is_marked(capsys):
    printer = EventPrinter()
    for number, (onset_s, kind, final) in enumerate(
        [(20, "jerk", True), (16, "twitch", True), (30, "twitch", False), (31, "jerk", True)]
    ):
        candidate = SimpleNamespace(
            kind=kind, onset_ns=onset_s * 10**9, offset_ns=onset_s * 10**9, channel="emg1", leg=""
        )
        update = SimpleNamespace(candidate=candidate, final=final, withdrawn=False)
        printer.print_update(update, ("a", 0, number))
    lines = capsys.readouterr().out.splitlines()
    assert [line.endswith("  (late)") for line in lines] == [False, True, False, False]
