"""Steps of a dialogue: what a driver lets a session read, write and wait for."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Read:
    """Read a characteristic; the session sends the value into the generator.

    Attributes
    ----------
    characteristic : str
    optional : bool
        Whether the device may lack it; the session sends None then, instead of failing.
    """

    characteristic: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """Write a characteristic; the session sends None into the generator.

    Attributes
    ----------
    characteristic : str
    data : bytes
    with_response : bool
        Whether the device confirms the write.
    """

    characteristic: str
    data: bytes
    with_response: bool = True


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Enable the notifications or indications of a characteristic.

    Attributes
    ----------
    characteristic : str
    optional : bool
        Whether the device may lack it.
    """

    characteristic: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Expect:
    """Wait for a notification; the session sends its value into the generator.

    The session takes the oldest notification of the characteristic that begins with `prefix`
    and that arrived since the last `Write`, so that an answer that is faster than the step is
    not missed.

    Attributes
    ----------
    characteristic : str
    prefix : bytes
        First bytes of the answer.
    timeout_s : float
        Longest wait, s.
    optional : bool
        Whether the session sends None after `timeout_s`, instead of failing.
    """

    characteristic: str
    prefix: bytes = b""
    timeout_s: float = 5.0
    optional: bool = False


Step = Read | Write | Subscribe | Expect
#: A dialogue: yields steps, and receives the value of each (None where it has none).
Steps = Generator[Step, bytes | None, None]
