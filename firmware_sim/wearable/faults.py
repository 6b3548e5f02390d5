"""Fault injection: faults by name and time.

A fault is written ``name@start[+seconds][=value]``, times in seconds since the start:
``range@600+120`` (out of range for two minutes), ``noise@0+300=0.2`` (20 % of the packets
fail), ``reboot@3600``, ``silence@700+60`` (connected, but no data), ``skip@800=0.5`` (0.5 s of
samples are lost before they are framed), ``hangup@900`` (the device disconnects),
``damage@0+60=0.01`` (1 % of the frames arrive with a wrong bit), ``button@30`` (a marker).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

NAMES: Final = ("range", "noise", "reboot", "silence", "skip", "hangup", "damage", "button")
_PATTERN = re.compile(r"([a-z]+)@([\d.]+)(?:\+([\d.]+))?(?:=([\d.]+))?")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes
    ----------
    name : str
        One of `NAMES`.
    start, seconds : float
        Start and duration (s).
    value : float
        Rate or duration, depending on the fault.
    """

    name: str
    start: float
    seconds: float = 0.0
    value: float = 0.0


def parse_fault(text: str) -> Fault:
    """Parse one fault.

    Parameters
    ----------
    text : str
        As described above.

    Returns
    -------
    Fault

    Raises
    ------
    ValueError
        If the text is not a fault.
    """
    found = _PATTERN.fullmatch(text.strip())
    if found is None or found[1] not in NAMES:
        raise ValueError(f"{text!r} is not a fault; write one of {', '.join(NAMES)} as name@600+60")
    numbers = [float(number) if number else 0.0 for number in found.groups()[1:]]
    return Fault(found[1], *numbers)


def parse_faults(text: str) -> tuple[Fault, ...]:
    """Parse faults separated by commas; sorted by start."""
    return tuple(sorted(map(parse_fault, filter(None, text.split(","))), key=lambda f: f.start))
