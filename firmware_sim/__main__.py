"""Command line of the simulator: `python -m firmware_sim capture --out DIR ...`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from firmware_sim.capture import CaptureSettings, SimulatedCapture
from firmware_sim.capture_files import write_capture
from firmware_sim.sample_captures import write_samples
from firmware_sim.scenarios import NAMES

#: Exit status for invalid arguments.
BAD_INPUT = 2


class _Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        """Print an error in one line and exit with status 2."""
        sys.stderr.write(f"{self.prog}: {message} (see --help)\n")
        raise SystemExit(BAD_INPUT)


def _number(low: float, high: float) -> Callable[[str], float]:
    """Return a converter for numbers within limits."""

    def convert(text: str) -> float:
        value = float(text)
        if not (math.isfinite(value) and low <= value <= high):
            raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}")
        return value

    convert.__name__ = "number"
    return convert


def _seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 to 2^63 - 1")
    return value


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(prog="firmware_sim", description="A simulated leg wearable.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("capture", help="write a recording and its ground truth as CSV")
    one.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    one.add_argument("--minutes", type=_number(0.1, 1440.0), required=True, metavar="M")
    one.add_argument("--seed", type=_seed, required=True, metavar="N")
    one.add_argument("--scenario", choices=NAMES, default="night")
    one.add_argument("--fs-emg", type=_number(250.0, 2000.0), default=1000.0, metavar="HZ")
    one.add_argument("--fs-acc", type=_number(20.0, 400.0), default=100.0, metavar="HZ")
    one.add_argument("--channels", type=int, choices=(1, 2), default=2, help="EMG channels")
    one.add_argument(
        "--drift-ppm",
        type=_number(-1000.0, 1000.0),
        default=0.0,
        metavar="PPM",
        help="error of the sampling clock of both streams",
    )
    one.add_argument(
        "--acc-drift-ppm",
        type=_number(-1000.0, 1000.0),
        metavar="PPM",
        help="error of the accelerometer's clock, if it has its own",
    )
    one.add_argument("--leg", choices=("left", "right"), default="")
    one.add_argument(
        "--wide",
        action="store_true",
        help="write one file, in which cells between samples are empty",
    )
    one.add_argument("--gzip", action="store_true", help="write signals as .csv.gz")
    one.add_argument("-v", "--verbose", action="store_true")
    serve = commands.add_parser(
        "serve", help="run a simulated wearable over the Bluetooth host interface"
    )
    serve.add_argument(
        "--transport",
        default="tcp-server:127.0.0.1:9000",
        metavar="HCI",
        help="tcp-server:HOST:PORT, unix-server:PATH, pty, vhci (default: %(default)s)",
    )
    serve.add_argument(
        "--controller",
        metavar="HCI",
        help="a Bluetooth controller to transmit with, such as usb:0",
    )
    serve.add_argument("--minutes", type=_number(0.1, 1440.0), default=600.0, metavar="M")
    serve.add_argument("--seed", type=_seed, default=1, metavar="N")
    serve.add_argument("--scenario", choices=NAMES, default="night")
    serve.add_argument("--legs", choices=("", "left", "right", "both"), default="")
    serve.add_argument("--drift-ppm", type=_number(-1000.0, 1000.0), default=20.0, metavar="PPM")
    serve.add_argument("--error-rate", type=_number(0.0, 0.9), default=0.02, metavar="SHARE")
    serve.add_argument(
        "--faults", default="", metavar="LIST", help="faults to inject, such as range@600+60"
    )
    serve.add_argument(
        "--mutate", default="", metavar="FIELD", help="encode one field of the protocol wrongly"
    )
    serve.add_argument("-v", "--verbose", action="store_true")
    samples = commands.add_parser("data", help="write the sample captures of the repository")
    samples.add_argument("--out", type=Path, required=True, metavar="DIR")
    return parser


def _capture(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    own = options.acc_drift_ppm
    settings = CaptureSettings(
        minutes=options.minutes,
        seed=options.seed,
        scenario=options.scenario,
        fs_emg=options.fs_emg,
        fs_acc=options.fs_acc,
        channels=options.channels,
        drift_ppm=options.drift_ppm,
        acc_drift_ppm=options.drift_ppm if own is None else own,
        leg=options.leg,
    )
    if options.wide:
        if settings.fs_emg % settings.fs_acc:
            parser.error("--wide needs --fs-emg to be a multiple of --fs-acc")
        if settings.drift_ppm != settings.acc_drift_ppm:
            parser.error("--wide needs both streams on one clock: omit --acc-drift-ppm")
    write_capture(SimulatedCapture(settings), options.out, wide=options.wide, packed=options.gzip)


def _serve(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    try:
        from firmware_sim.wearable.faults import parse_faults
        from firmware_sim.wearable.mutations import MUTATIONS
        from firmware_sim.wearable.plug import WearableOptions, next_boot_count
        from firmware_sim.wearable.serve import serve
    except ImportError as error:
        parser.error(f"serving needs the extra sim ({error})")
    try:
        faults = parse_faults(options.faults)
    except ValueError as error:
        parser.error(str(error))
    if options.mutate and options.mutate not in MUTATIONS:
        parser.error(f"no such field as {options.mutate}; there are {', '.join(MUTATIONS)}")
    legs = ("left", "right") if options.legs == "both" else (options.legs,)
    wearable_options = [
        WearableOptions(
            minutes=options.minutes,
            seed=options.seed + number,
            scenario=options.scenario,
            leg=leg,
            drift_ppm=options.drift_ppm,
            error_rate=options.error_rate,
            faults=faults,
            mutate=options.mutate,
            boot_count=next_boot_count(),
        )
        for number, leg in enumerate(legs)
    ]
    with contextlib.suppress(KeyboardInterrupt):
        if options.controller:
            asyncio.run(serve(options.controller, wearable_options, real=True))
        else:
            asyncio.run(serve(options.transport, wearable_options))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO if getattr(options, "verbose", False) else logging.WARNING,
        format="firmware_sim: %(message)s",
    )
    if options.command == "serve":
        return _serve(options, parser)
    try:
        if options.command == "capture":
            _capture(options, parser)
        else:
            write_samples(options.out)
    except OSError as error:
        sys.stderr.write(f"firmware_sim: cannot write {options.out}: {error.strerror}\n")
        return BAD_INPUT
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
