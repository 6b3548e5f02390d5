"""``twitchsense devices``: list the wearables in range."""

from __future__ import annotations

import asyncio
import json

import click

from twitchsense.cli.options import verbosity
from twitchsense.text import printable


@click.command(short_help="Scan for wearables, and list them.")
@click.option("--device", metavar="sim", default="", help="'sim': the simulator's radio.")
@click.option("--seconds", type=click.FloatRange(0.5, 120), default=5.0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@verbosity
def devices(device: str, seconds: float, as_json: bool, quiet: bool) -> None:
    """List the wearables in range with name, address and signal strength."""
    from twitchsense.acquire.adapter import Advertisement, open_adapter
    from twitchsense.cli.record import split_device

    plugin, transport = split_device(device)
    options = {"transport": transport} if plugin else {}

    async def scan() -> list[Advertisement]:
        async with open_adapter(plugin, **options) as adapter:
            return await adapter.scan(seconds)

    found = asyncio.run(scan())
    if as_json:
        rows = [{"name": s.name, "address": s.address, "rssi": s.rssi} for s in found]
        click.echo(json.dumps(rows, indent=2))
        return
    for sighting in found:
        strength = "connected" if sighting.rssi is None else f"{sighting.rssi} dBm"
        click.echo(f"{printable(sighting.name, '?')}  {sighting.address}  {strength}")
    if not found and not quiet:
        click.echo(
            "no wearable found: check that it is on, nearby, and not connected to another device",
            err=True,
        )
