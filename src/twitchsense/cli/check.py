"""``twitchsense check``: 20 s before bed, in words."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click

from twitchsense.cli.before_night import check_device, measure_gain, print_check
from twitchsense.cli.device_options import (
    check_libraries,
    check_tense_options,
    gain_option,
    request_devices,
    tense_options,
)
from twitchsense.cli.options import verbosity
from twitchsense.errors import InputError
from twitchsense.text import printable


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
@tense_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@verbosity
def check(
    devices: tuple[str, ...],
    gains: tuple[float, ...],
    options: tuple[str, ...],
    tense: bool,
    tensed_uv: float | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure for 20 s while the leg rests, and say what is wrong and how to cure it."""
    if tense and as_json:
        raise InputError("--tense", "does not go with --json", "leave one out")
    check_tense_options(tense, tensed_uv)
    rows: list[dict[str, Any]] = []
    all_requested = request_devices(devices, (), gains)
    check_libraries(all_requested)
    for requested in all_requested:
        if not quiet:
            click.echo(f"{printable(requested.device)}: let the leg rest for 20 s", err=True)
        if not as_json:
            print_check(requested, options, err=False)
            if tense:
                measure_gain(requested, options, tensed_uv)
            continue
        results = check_device(requested, options)
        rows += [{"device": requested.device, **dataclasses.asdict(r)} for r in results]
    if as_json:
        click.echo(json.dumps({"ok": all(r["ok"] for r in rows), "results": rows}, indent=2))
