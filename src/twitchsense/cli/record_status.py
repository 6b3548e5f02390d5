"""What ``twitchsense record`` prints: the status while it records, and the totals at the end."""

from __future__ import annotations

import asyncio
import shlex
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from twitchsense.cli.text_output import format_duration, print_text
from twitchsense.text import printable

if TYPE_CHECKING:
    from twitchsense.acquire.recorder import Recorder
    from twitchsense.acquire.session import Session
    from twitchsense.acquire.status import SessionStatus
    from twitchsense.cli.event_printer import EventPrinter
    from twitchsense.nightfile.writer import NightFileWriter

#: Age (s) of the last data from which a file that is continued may be that of another night.
_OLD_NIGHT_S: Final = 4 * 3600.0
#: Time (s) between two status lines.
STATUS_PERIOD_S: Final = 10.0


def first_connection_s(recorder: Recorder) -> float | None:
    """Return the time (s, of the event loop) of the first connection; None without one."""
    since = [s.status.connected_at for s in recorder.sessions]
    return min((t for t in since if t is not None), default=None)


def print_night_so_far(night: NightFileWriter, now_ns: int) -> None:
    """Say what a night that is continued holds, on stderr.

    Parameters
    ----------
    night : NightFileWriter
    now_ns : int
        UTC by the clock of the recorder, ns.
    """
    from twitchsense.model.channels import NS

    devices = night.recorded_devices()
    holds = "which holds:" if devices else "which holds no data yet"
    print_text(f"Continuing {printable(str(night.path), '?')}, {holds}", err=True)
    for device in devices:
        leg = f", {device.settings['leg']} leg" if "leg" in device.settings else ""
        first, last = (
            datetime.fromtimestamp(time_ns / NS).astimezone()
            for time_ns in (device.first_ns, device.last_ns)
        )
        print_text(
            f"  {printable(device.name, '?')}{leg}: "
            f"{format_duration((device.last_ns - device.first_ns) / NS)}, from "
            f"{first:%d %B %H:%M:%S} to {last:%d %B %H:%M:%S}",
            err=True,
            indent="    ",
        )
    last_ns = max((device.last_ns for device in devices), default=now_ns)
    age_s = (now_ns - last_ns) / NS
    if age_s > _OLD_NIGHT_S:
        print_text(
            f"  The last data are {format_duration(age_s)} old. For another night, press Ctrl-C "
            "and name another --out",
            err=True,
            indent="    ",
        )


async def print_status(
    recorder: Recorder, printer: EventPrinter | None, start_s: float, quiet: bool
) -> None:
    """Print a status line per wearable on stderr every `STATUS_PERIOD_S` seconds.

    ``link`` is the share of the frames since the last line that were received without delay.

    Parameters
    ----------
    recorder : Recorder
    printer : EventPrinter or None
        Counts the movements, if there is one.
    start_s : float
        Time (s, of the event loop) at which the recording began.
    quiet : bool
        Print nothing.
    """
    loop = asyncio.get_running_loop()
    previous = [(0, 0) for _ in recorder.sessions]
    while not quiet:
        await asyncio.sleep(STATUS_PERIOD_S)
        for i, session in enumerate(recorder.sessions):
            status = session.status
            n_live, n_produced = status.n_live - previous[i][0], status.n_produced - previous[i][1]
            previous[i] = (status.n_live, status.n_produced)
            elapsed_s = loop.time() - (first_connection_s(recorder) or start_s)
            text = format_status(_shown_name(session), status, elapsed_s)
            if n_produced > 0:
                text += f", link {min(1.0, n_live / n_produced):.0%}"
            if printer is not None:
                text += f", {printer.n_events} movements"
            print_text(text, err=True, indent="  ")
        if recorder.storage_error:
            print_text(f"NOT STORED: {recorder.storage_error}", err=True)


async def report_missing_gains(recorder: Recorder) -> None:
    """Say once that a device sends EMG without a unit, as soon as it is connected.

    Parameters
    ----------
    recorder : Recorder
    """
    waiting = list(recorder.sessions)
    while waiting:
        for session in [s for s in waiting if s.status.connected]:
            waiting.remove(session)
            _print_missing_gain(session)
        await asyncio.sleep(0.2)


def _print_missing_gain(session: Session) -> None:
    if session.lacks_gain:
        print_text(
            f"{_shown_name(session)}: the EMG has no unit. It is recorded, and analysed once "
            "--gain states the counts per mV (docs/recording.md)",
            err=True,
            indent="  ",
        )


def _shown_name(session: Session) -> str:
    """Return the name of a device with its address, as far as they are known."""
    name = session.status.name
    return session.address if name in ("", session.address) else f"{name} ({session.address})"


def format_status(name: str, status: SessionStatus, elapsed_s: float, state: str = "") -> str:
    """Format the status of one wearable as a line without control characters.

    Parameters
    ----------
    name : str
        Name or address of the device.
    status : SessionStatus
    elapsed_s : float
        Time since the first connection, s.
    state : str
        Shown instead of the connection state.

    Returns
    -------
    str
    """
    if not state:
        state = "connected" if status.connected else f"NOT CONNECTED ({status.last_error})"
    battery = "?" if status.battery is None else f"{status.battery}"
    n = status.n_connections
    connections = "1 connection" if n == 1 else f"{n} connections"
    lost = status.loss_text or f"lost {status.n_lost} frames, {status.n_missing} still missing"
    if not n:
        lost = "nothing received"
    return printable(
        f"{name}: {elapsed_s:.0f} s, valid {status.valid_s:.1f} s, "
        f"{lost}, battery {battery} %, {state}, {connections}",
        "?",
    )


def print_totals(
    recorder: Recorder, elapsed_s: float, out: Path, quiet: bool, n_shown: int = 0
) -> float:
    """Print the contents of the night file, and the command that analyses it.

    Parameters
    ----------
    recorder : Recorder
    elapsed_s : float
        Time since the first connection, s.
    out : Path
        The night file.
    quiet : bool
        Print nothing.
    n_shown : int
        Number of movements that were shown live and not withdrawn.

    Returns
    -------
    float
        Share of the time with valid signal.
    """
    from twitchsense.nightfile.loss_report import read_loss_reports

    if not quiet:
        for session in recorder.sessions:
            text = format_status(_shown_name(session), session.status, elapsed_s, "ended")
            print_text(text, err=True, indent="  ")
            _print_missing_gain(session)
        names = {session.device_key: _shown_name(session) for session in recorder.sessions}
        starts: Counter[str] = Counter()
        for report in read_loss_reports(out):
            starts[report.device] += 1
            lost = ", ".join(f"{n} lost: {reason}" for reason, n in report.lost.items() if n)
            unresolved = sum(b - a + 1 for a, b in report.unresolved)
            text = (
                f"{names.get(report.device, report.device)}, start {starts[report.device]} in this "
                f"night: {report.received} frames received"
            )
            text += f", {lost}" if lost else ""
            text += f", {unresolved} not fetched" if unresolved else ""
            text += ", then it restarted" if report.unbounded_loss else ""
            print_text(text, err=True, indent="  ")
        if recorder.queue.n_overflows:
            n = recorder.queue.n_overflows
            click.echo(f"{n} notifications were dropped because the queue was full", err=True)
        click.echo(f"Night: {printable(str(out), '?')}", err=True)
        if n_shown:
            shown = "1 movement was" if n_shown == 1 else f"{n_shown} movements were"
            print_text(
                f"{shown} shown live, which is provisional: analyze may reject or rename them, "
                "and rejected.csv says why",
                err=True,
                indent="  ",
            )
        if any(session.status.valid_s > 0 for session in recorder.sessions):
            command = shlex.join(
                ["twitchsense", "analyze", str(out), "--out", str(out.with_suffix(""))]
            )
            if any(session.lacks_gain for session in recorder.sessions):
                command += " --gain COUNTS_PER_MV"
            click.echo(f"Next: {printable(command, '?')}", err=True)
    return min((s.status.valid_s for s in recorder.sessions), default=0.0) / max(elapsed_s, 1e-9)
