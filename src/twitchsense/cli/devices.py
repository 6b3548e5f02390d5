"""``twitchsense devices``: list the wearables in range."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twitchsense.cli.options import verbosity
from twitchsense.cli.text_output import print_table, print_text, terminal_width
from twitchsense.text import printable

if TYPE_CHECKING:
    from twitchsense.devices.contract import Driver
    from twitchsense.devices.streams import StreamDescription, Timing


@click.command(short_help="Scan for wearables, and list them.")
@click.option("--device", metavar="sim", default="", help="'sim': the simulator's radio.")
@click.option("--seconds", type=click.FloatRange(0.5, 120), default=5.0, show_default=True)
@click.option("--known", is_flag=True, help="List the kinds of devices that have a driver.")
@click.option(
    "--lsl", is_flag=True, help="List the streams of the Lab Streaming Layer in the network."
)
@click.option("--all", "list_all", is_flag=True, help="List also devices without a driver.")
@click.option(
    "--log",
    nargs=2,
    metavar="ADDRESS LOG.csv",
    help="Write what a device sends in --seconds as a raw log, for a report about it.",
)
@click.option(
    "--option", "pairs", metavar="KEY=VALUE", multiple=True, help="Of the simulator: peer=npg."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@verbosity
def devices(
    device: str,
    seconds: float,
    known: bool,
    lsl: bool,
    list_all: bool,
    log: tuple[str, str] | None,
    pairs: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """List the wearables in range with name, address, signal strength and kind.

    With --known, list every kind of device that a driver is installed for, and what it can do.
    """
    if known:
        _print_known(as_json)
        return
    if lsl:
        _print_streams(as_json, quiet)
        return
    from twitchsense.acquire.adapter import Advertisement, open_adapter
    from twitchsense.cli.device_options import parse_options
    from twitchsense.cli.simulated_devices import split_device

    plugin, transport = split_device(device)
    options = {"transport": transport, **parse_options(pairs)} if plugin else {}

    async def scan() -> list[Advertisement]:
        async with open_adapter(plugin, **options) as adapter:
            return await adapter.scan(seconds, unknown=True)

    if log is not None:
        _log_device(plugin, options, log[0], Path(log[1]), seconds, quiet)
        return
    in_range = asyncio.run(scan())
    found = [a for a in in_range if list_all or a.driver is not None]
    if as_json:
        rows = [
            {
                "name": a.name,
                "address": a.address,
                "rssi": a.rssi,
                "kind": None if a.driver is None else a.driver.kind,
                "title": None if a.driver is None else a.driver.title,
            }
            for a in found
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    cells = [
        [
            seen.name,
            seen.address,
            "connected" if seen.rssi is None else f"{seen.rssi} dBm",
            "no driver" if seen.driver is None else f"{seen.driver.kind}: {seen.driver.title}",
        ]
        for seen in found
    ]
    if cells and terminal_width() is not None:
        print_table(["name", "address", "signal", "kind"], cells, left=(0, 1, 3))
    else:
        for row in cells:
            click.echo("  ".join(printable(cell, "?") for cell in row))
    unknown = sum(a.driver is None for a in in_range)
    if unknown and not quiet:
        print_text(
            f"{unknown} other devices have no driver{'' if list_all else ' (--all lists them)'}. "
            "For a report about one of them, make a raw log of what it sends: "
            "twitchsense devices --log ADDRESS LOG.csv --seconds 60",
            err=True,
        )
    if not found and not quiet:
        print_text(
            "no wearable found: check that it is on, nearby, and not connected to another device",
            err=True,
        )


def _print_streams(as_json: bool, quiet: bool) -> None:
    """Print the LSL streams of the network."""
    from twitchsense.acquire.lsl_adapter import find_streams

    streams = find_streams()
    if as_json:
        click.echo(json.dumps([asdict(stream) for stream in streams], indent=2))
        return
    for stream in streams:
        about = f"{stream.type}, {stream.channels} channels, {stream.fs:g} Hz"
        click.echo(
            f"{printable(stream.name, '?')}  lsl:{printable(stream.address, '?')}  "
            f"{printable(about, '?')}"
        )
    if not streams and not quiet:
        click.echo("no LSL stream found: check the firewall, and that it is sending", err=True)


def _log_device(
    plugin: str,
    options: dict[str, Any],
    address: str,
    path: Path,
    seconds: float,
    quiet: bool,
) -> None:
    """Write what a device sends as a raw log."""
    from twitchsense.acquire.adapter import open_adapter
    from twitchsense.acquire.raw_capture import log_device
    from twitchsense.io.device_logs.raw_log_writer import RawLogWriter
    from twitchsense.nightfile.recorder_clock import RecorderClock

    writer = RawLogWriter(path)

    async def run() -> None:
        async with open_adapter(plugin, **options) as adapter:
            await log_device(adapter, address, seconds, RecorderClock(), writer.write)

    try:
        asyncio.run(run())
    finally:
        writer.close()
    if not quiet:
        click.echo(
            f"{writer.n_values} values: {path}. A device that sends nothing waits for a command "
            "of its maker's app.",
            err=True,
        )


def _print_known(as_json: bool) -> None:
    """Print all kinds of devices with a driver."""
    from twitchsense.devices.registry import installed_drivers

    drivers = installed_drivers().values()
    if as_json:
        click.echo(json.dumps([_describe(driver) for driver in drivers], indent=2))
        return
    for driver in drivers:
        click.echo(f"{printable(driver.kind)}: {printable(driver.title)}")
        for stream in driver.typical_streams:
            click.echo(f"  {_stream_text(stream)}")
        abilities = driver.abilities
        click.echo(f"  lost samples: {_RESEND_TEXTS[abilities.resend]}")
        click.echo(f"  without a connection: {_DISCONNECTED_TEXTS[abilities.while_disconnected]}")
        for name, meaning in driver.options.items():
            click.echo(f"  --option {printable(name)}=…: {printable(meaning)}")


_RESEND_TEXTS = {
    "none": "are not sent again",
    "after_night": "are not sent again; an option below uses the memory of models that have one",
    "live": "are sent again at once",
}
_DISCONNECTED_TEXTS = {
    "stops": "it stops, and is started again after the reconnection",
    "continues": "it goes on, and the samples are lost",
    "stores": "it goes on, and stores the samples",
}


def _stream_text(stream: StreamDescription) -> str:
    unit = "counts (no unit: give --gain)" if stream.unit == "count" else stream.unit
    values = "1 channel" if stream.width == 1 else f"{stream.width} channels"
    values = "3 axes" if stream.kind not in ("emg", "ecg") else values
    return (
        f"{stream.name}: {values} at {stream.fs:g} Hz in {unit}; loss "
        f"{_loss_text(stream.timing, stream.fs)}"
    )


def _loss_text(timing: Timing, fs: float) -> str:
    from twitchsense.devices.sample_timing.by_arrival import DELIVERY_JITTER_S
    from twitchsense.devices.streams import SampleClock, SampleCounter

    match timing:
        case SampleCounter(modulus=None) | SampleClock():
            return "is known exactly"
        case SampleCounter(modulus=int(modulus)) if modulus / fs < 2 * DELIVERY_JITTER_S:
            return f"is known up to a multiple of {modulus / fs:.2g} s"
        case SampleCounter(modulus=int(modulus)):
            return f"is known exactly up to {modulus / fs:.2g} s"
        case _:
            return "cannot be seen, except long gaps"


def _describe(driver: Driver) -> dict[str, Any]:
    return {
        "kind": driver.kind,
        "title": driver.title,
        "version": driver.version,
        "resend": driver.abilities.resend,
        "while_disconnected": driver.abilities.while_disconnected,
        "restarts_on": sorted(driver.abilities.restarts_on),
        "options": dict(driver.options),
        "streams": [
            {
                "name": s.name,
                "kind": s.kind,
                "channels": s.width,
                "rate": s.fs,
                "unit": s.unit,
                "loss": _loss_text(s.timing, s.fs),
            }
            for s in driver.typical_streams
        ],
    }
