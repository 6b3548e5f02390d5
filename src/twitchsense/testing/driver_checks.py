"""Checks of a device driver: each compares one promise of the contract with a case."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from twitchsense.devices.contract import (
    Advertised,
    Direction,
    Driver,
    SamplePacket,
)
from twitchsense.testing.driver_case import DecodedCase, DriverCase, decode_case
from twitchsense.testing.hostile_values import HostileValueError, push_hostile_values

#: Values that each run of the check `hostile` pushes.
HOSTILE_VALUES: Final = 2000
_SEED: Final = 20_261_130
#: Subsets of a log that the check `independence` decodes.
_SUBSETS: Final = 5


class CheckError(AssertionError):
    """A driver breaks a promise of the contract.

    Parameters
    ----------
    check : str
        Name of the check.
    problem : str
    """

    def __init__(self, check: str, problem: str) -> None:
        self.check = check
        super().__init__(f"{check}: {problem}")


def check_driver(driver: Driver, case: DriverCase) -> None:
    """Run every check.

    Parameters
    ----------
    driver : Driver
    case : DriverCase

    Raises
    ------
    CheckError
        At the first check that fails.
    """
    decoded = decode_case(driver, case.log)
    for name, check in CHECKS.items():
        problem = check(driver, case, decoded)
        if problem:
            raise CheckError(name, problem)


def _declaration(driver: Driver, case: DriverCase, decoded: DecodedCase) -> str:
    """Check that kind, version and typical streams are usable and agree with the log."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", driver.kind):
        return f"kind is {driver.kind!r}, not a short word in lower case"
    if driver.version < 1 or not driver.title:
        return "version or title is missing"
    typical = {s.name: s for s in driver.typical_streams}
    if len(typical) != len(driver.typical_streams) or not typical:
        return "typical_streams is empty, or a name occurs twice"
    for name, spec in decoded.specs.items():
        if name in typical and (spec.kind, spec.unit) != (typical[name].kind, typical[name].unit):
            return f"{name} has another kind or unit than in typical_streams"
    return ""


def _recognition(driver: Driver, case: DriverCase, decoded: DecodedCase) -> str:
    """Check that the device's advertisement is recognised, and others are not."""
    if case.advertised is not None and not 0 < driver.recognize(case.advertised) <= 1:
        return "the advertisement of the device is not recognised"
    others = (Advertised(), Advertised("Headphones", frozenset({"0000110b" + "-0000" * 4})))
    if any(driver.recognize(other) for other in others):
        return "the advertisement of another device is recognised"
    return ""


def _streams(driver: Driver, case: DriverCase, decoded: DecodedCase) -> str:
    """Check that names, units, rates and timings are the expected ones."""
    if set(decoded.specs) != set(case.expected):
        return f"streams are {sorted(decoded.specs)} instead of {sorted(case.expected)}"
    for name, expected in case.expected.items():
        spec = decoded.specs[name]
        if spec.unit != expected.unit or not np.isclose(spec.fs, expected.fs, rtol=1e-6):
            return f"{name} is in {spec.unit} at {spec.fs:g} Hz"
        if spec.timing != expected.timing:
            return f"{name} has the timing {spec.timing} instead of {expected.timing}"
    return ""


def _refusals(driver: Driver, case: DriverCase, decoded: DecodedCase) -> str:
    """Check that as many values are refused as the case says."""
    if decoded.refused != case.refused:
        return f"{decoded.refused} values are refused instead of {case.refused}"
    return ""


def _samples(driver: Driver, case: DriverCase, decoded: DecodedCase) -> str:
    """Check that all samples have the expected values."""
    for name, expected in case.expected.items():
        got, wanted = decoded.samples[name], np.asarray(expected.samples, np.float64)
        if got.shape != wanted.shape:
            return f"{name} has the shape {got.shape} instead of {wanted.shape}"
        right = np.isclose(got, wanted, rtol=expected.relative_tolerance, atol=1e-12)
        if not right.all():
            row, column = np.argwhere(~right)[0]
            return (
                f"{name}, sample {row}, column {column} is {got[row, column]:.9g} instead of "
                f"{wanted[row, column]:.9g}"
            )
    return ""


def _times(driver: Driver, case: DriverCase, decoded: DecodedCase) -> str:
    """Check that samples stand where they were taken, and their times increase."""
    for name, expected in case.expected.items():
        times_s = decoded.times_s[name]
        if (np.diff(times_s) <= 0).any():
            return f"{name}: times do not increase"
        if expected.times_s is None:
            continue
        error = times_s - expected.times_s
        worst = int(np.argmax(np.abs(error)))
        if abs(error[worst]) > expected.time_tolerance_s:
            return f"{name}, sample {worst} is {error[worst]:+.3f} s from its time"
    return ""


def _loss(driver: Driver, case: DriverCase, decoded: DecodedCase) -> str:
    """Check that the reported loss is the true one."""
    for name, expected in case.expected.items():
        if expected.lost is not None and decoded.loss[name].total != expected.lost:
            return f"{name}: {decoded.loss[name].total} samples lost instead of {expected.lost}"
    return ""


def _repetition(driver: Driver, case: DriverCase, decoded: DecodedCase) -> str:
    """Check that a new decoder gives the same packets: drivers keep no state."""
    repeated = decode_case(driver, case.log)
    if list(map(_identity, repeated.packets)) != list(map(_identity, decoded.packets)):
        return "a second decoder gives other packets"
    return ""


def _independence(driver: Driver, case: DriverCase, decoded: DecodedCase) -> str:
    """Check that a lost notification takes away packets, and changes and adds none."""
    whole = {_identity(p)[:3] for p in decoded.packets}
    rng = random.Random(_SEED)
    for share in np.linspace(0.02, 0.6, _SUBSETS).tolist():
        kept = tuple(
            m for m in case.log if m.direction is not Direction.NOTIFY or rng.random() > share
        )
        for packet in decode_case(driver, kept).packets:
            if _identity(packet)[:3] not in whole:
                return f"{packet.stream}: other samples where {share:.0%} of the values are lost"
    return ""


def _hostile(driver: Driver, case: DriverCase, decoded: DecodedCase) -> str:
    """Check that any bytes are decoded, or refused with `PacketError`."""
    try:
        push_hostile_values(driver, case.log, HOSTILE_VALUES)
    except HostileValueError as error:
        return str(error)
    return ""


def _identity(packet: SamplePacket) -> tuple[str, int, bytes, int | None, bool]:
    samples = packet.samples.tobytes()
    return packet.stream, packet.arrival_ns, samples, packet.position, packet.restarted


#: The checks, in their order. Each returns the problem, or an empty text.
CHECKS: Final[Mapping[str, Callable[[Driver, DriverCase, DecodedCase], str]]] = MappingProxyType(
    {
        "declaration": _declaration,
        "recognition": _recognition,
        "streams": _streams,
        "refusals": _refusals,
        "samples": _samples,
        "times": _times,
        "loss": _loss,
        "repetition": _repetition,
        "independence": _independence,
        "hostile": _hostile,
    }
)
