"""Detected events as a marker stream of the Lab Streaming Layer (LSL).

The stream has the name ``twitchsense``, the type ``Markers`` and one channel of text. Each text
is a JSON object; its timestamp is the onset of the event on the LSL clock of this computer, as
near as it is known while recording.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from typing import Any, Final

from twitchsense.acquire.lsl_adapter import load_pylsl
from twitchsense.live.event_updates import EventUpdate
from twitchsense.model.channels import NS

NAME: Final = "twitchsense"
#: Age (s) from which an event is not sent: a view that is opened late reads the whole night.
_MAX_AGE_S: Final = 600.0


class MarkerOutlet:
    """Sends events to whoever receives the stream.

    Parameters
    ----------
    now_ns : callable
        Returns the present time on the clock of the recorder (UTC, ns).

    Raises
    ------
    MissingExtraError
        If pylsl is not installed.
    AdapterError
        If its library cannot be loaded.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        pylsl = load_pylsl()
        source = f"{NAME}-{secrets.token_hex(4)}"
        info = pylsl.StreamInfo(NAME, "Markers", 1, pylsl.IRREGULAR_RATE, "string", source)
        channel = info.desc().append_child("channels").append_child("channel")
        channel.append_child_value("label", "event")
        channel.append_child_value("type", "JSON")
        self._outlet = pylsl.StreamOutlet(info)
        self._clock = pylsl.local_clock
        self._now_ns = now_ns
        #: Number and text of each event that may still change.
        self._open: dict[Hashable, tuple[int, str]] = {}
        self._count = 0

    def push(self, key: Hashable, update: EventUpdate, drift_ns: int = 0) -> None:
        """Send an event that is new or has changed; nothing if a receiver would learn nothing.

        Parameters
        ----------
        key : hashable
            Identifies the event for as long as it may change.
        update : EventUpdate
        drift_ns : int
            Correction of its times, ns.
        """
        onset_ns = update.candidate.onset_ns + drift_ns
        age_s = (self._now_ns() - onset_ns) / NS
        number, before = self._open.pop(key, (0, ""))
        if not number and age_s > _MAX_AGE_S:
            return
        if not number:
            self._count += 1
            number = self._count
        text = describe_event(update, number, onset_ns)
        if not update.final:
            self._open[key] = number, text
        if text != before:
            self._outlet.push_sample([text], self._clock() - age_s)


def describe_event(update: EventUpdate, number: int, onset_ns: int) -> str:
    """Return the text of an event.

    Parameters
    ----------
    update : EventUpdate
    number : int
        Number of the event; a later text of the same number replaces an earlier one.
    onset_ns : int
        UTC, ns.

    Returns
    -------
    str
        JSON: ``event`` (its kind), ``state`` (``provisional``, ``final``, ``withdrawn``),
        ``number``, ``onset_utc``, ``duration_s``, ``channel``, ``leg``.
    """
    candidate = update.candidate
    state = "withdrawn" if update.withdrawn else "final" if update.final else "provisional"
    fields: dict[str, Any] = {
        "event": candidate.kind,
        "state": state,
        "number": number,
        "onset_utc": datetime.fromtimestamp(onset_ns / NS, UTC).isoformat(timespec="milliseconds"),
        "duration_s": round((candidate.offset_ns - candidate.onset_ns) / NS, 3),
        "channel": candidate.channel,
        "leg": candidate.leg or None,
    }
    return json.dumps(fields)
