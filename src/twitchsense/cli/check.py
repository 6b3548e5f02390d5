"""``twitchsense check``: 20 s before bed, in words."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from twitchsense.cli.before_night import (
    CHECK_S,
    CheckFailedError,
    check_device,
    measure_gain,
    print_check,
)
from twitchsense.cli.device_options import (
    check_libraries,
    check_tense_options,
    gain_option,
    leg_option,
    request_devices,
    tense_options,
)
from twitchsense.cli.options import verbosity
from twitchsense.cli.simulated_devices import each_simulated
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
@leg_option
@gain_option
@click.option(
    "--option", "options", metavar="KEY=VALUE", multiple=True, help="Of the device or simulator."
)
@tense_options("; with --tensed-uv, print the gain")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@verbosity
def check(
    devices: tuple[str, ...],
    legs: tuple[str, ...],
    gains: tuple[float, ...],
    options: tuple[str, ...],
    tense: bool,
    tensed_uv: float | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure for 20 s while the leg rests, and say what is wrong and how to cure it.

    The exit status is 0 if nothing is wrong, 3 if a line begins with BAD or a device is not found.
    """
    from twitchsense.live.device_check import CheckResult

    if tense and as_json:
        raise InputError("--tense", "does not go with --json", "leave one out")
    check_tense_options(tense, tensed_uv)
    all_requested = request_devices(devices, legs, gains)
    check_libraries(all_requested)
    rows: list[dict[str, Any]] = []
    ok = True
    all_requested = each_simulated(all_requested, options)
    for requested in all_requested:
        if not quiet:
            click.echo(f"{requested.label}: let the leg rest for {CHECK_S:g} s", err=True)
        try:
            if as_json:
                results = check_device(requested, options)
            else:
                several = len(all_requested) > 1
                ok &= print_check(requested, options, err=False, is_one_of_several=several)
                if tense:
                    measure_gain(requested, options, tensed_uv)
                continue
        except CheckFailedError as error:
            ok = False
            results = [CheckResult("device", False, str(error))]
            if not as_json:
                click.echo(f"BAD {printable(str(error))}")
        rows += [{"device": requested.label, **asdict(result)} for result in results]
    ok &= all(row["ok"] is not False for row in rows)
    if as_json:
        click.echo(json.dumps({"ok": ok, "results": rows}, indent=2))
    if not ok:
        click.get_current_context().exit(CheckFailedError.exit_status)
