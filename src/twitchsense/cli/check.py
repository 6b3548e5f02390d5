"""``twitchsense check``: 20 s before bed, in words."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from twitchsense.cli.device_options import RequestedDevice, gain_option, request_devices
from twitchsense.cli.options import verbosity
from twitchsense.cli.record import parse_options
from twitchsense.cli.simulated_devices import find_simulated, split_device
from twitchsense.errors import InputError, TwitchsenseError
from twitchsense.text import printable

if TYPE_CHECKING:
    from twitchsense.acquire.status import SessionStatus
    from twitchsense.live.device_check import CheckResult

#: Duration of the check, s.
CHECK_S: Final = 20.0
#: Maximum time (s) to find and connect a device.
CONNECT_S: Final = 30.0


@click.command(short_help="Check signal, noise, radio and battery before bed.")
@click.option(
    "--device",
    "devices",
    metavar="ID|NAME|KIND[:ID]|lsl:NAME|sim",
    multiple=True,
    required=True,
    help="As for record; several devices are checked one after the other.",
)
@gain_option
@click.option(
    "--option", "options", metavar="KEY=VALUE", multiple=True, help="Of the device or simulator."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@verbosity
def check(
    devices: tuple[str, ...],
    gains: tuple[float, ...],
    options: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure for 20 s while the leg rests, and say what is wrong and how to cure it."""
    rows: list[dict[str, Any]] = []
    for requested in request_devices(devices, (), gains):
        if not quiet:
            click.echo(f"{printable(requested.device)}: let the leg rest for 20 s", err=True)
        results = _check(requested, options)
        rows += [{"device": requested.device, **dataclasses.asdict(r)} for r in results]
        if not as_json:
            for result in results:
                mark = "ok " if result.ok else "BAD"
                click.echo(f"{mark} {printable(result.topic)}: {printable(result.text)}")
    if as_json:
        click.echo(json.dumps({"ok": all(r["ok"] for r in rows), "results": rows}, indent=2))


def _check(requested: RequestedDevice, options: tuple[str, ...]) -> list[CheckResult]:
    from twitchsense.io.read import read
    from twitchsense.live.device_check import CheckResult, check_channels, check_link
    from twitchsense.settings import Settings

    # EMG without a unit is read as if a count were a µV; then only contact and range are judged
    settings = {"gain": "1000", **requested.settings}
    with tempfile.TemporaryDirectory(prefix="twitchsense-check-") as folder:
        path = Path(folder) / "check.night"
        status, seconds, counts = asyncio.run(_record(requested, settings, options, path))
        has_unit = "gain" in requested.settings or not counts
        try:
            recording = read(path)
        except InputError as error:
            return [CheckResult("signal", False, error.problem), *check_link(status, seconds)]
        results = check_channels(recording, Settings(), has_unit=has_unit)
    if not has_unit:
        results.append(
            CheckResult(
                "unit",
                False,
                "EMG has no unit; give --gain (counts per mV), or it is recorded and not analysed",
            )
        )
    return results + check_link(status, seconds)


async def _record(
    requested: RequestedDevice, settings: dict[str, str], options: tuple[str, ...], path: Path
) -> tuple[SessionStatus, float, bool]:
    """Record one device; return its status, the seconds, and whether its EMG has no unit."""
    from twitchsense.acquire.adapter import open_adapter
    from twitchsense.acquire.recorder import Recorder, make_metadata
    from twitchsense.nightfile.recorder_clock import RecorderClock
    from twitchsense.nightfile.writer import NightFileWriter

    plugin, transport = split_device(requested.device)
    parsed = parse_options(options)
    simulator = {"transport": transport, **parsed} if plugin else {}
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    night = NightFileWriter(path, make_metadata())
    try:
        async with open_adapter(plugin, **simulator) as adapter:
            name = requested.device
            if plugin:
                name = (await find_simulated(adapter, bool(transport) or "peer" in parsed, stop))[0]
            recorder = Recorder(
                adapter,
                night,
                [name],
                now_ns=RecorderClock(),
                settings={name: settings},
                options={} if plugin else {key: str(value) for key, value in parsed.items()},
            )
            (session,) = recorder.sessions
            task = asyncio.ensure_future(recorder.run(stop))
            deadline_s = loop.time() + CONNECT_S
            while session.status.connected_at is None and loop.time() < deadline_s:
                if task.done():
                    break
                await asyncio.sleep(0.2)
            connected_s = session.status.connected_at
            if connected_s is not None:
                await asyncio.sleep(max(0.0, connected_s + CHECK_S - loop.time()))
            seconds = loop.time() - (connected_s or loop.time())
            stop.set()
            await task
    finally:
        night.close()
    if connected_s is None:
        raise TwitchsenseError(
            f"{requested.device} was not found in {CONNECT_S:g} s "
            f"({session.status.last_error or 'no answer'}); is it on, charged and nearby?"
        )
    return session.status, seconds, session.has_emg_in_counts
