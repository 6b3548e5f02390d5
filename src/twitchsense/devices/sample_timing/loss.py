"""Loss of samples, by how surely it is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from twitchsense.devices.streams import SampleCounter, Timing


class LossClass(StrEnum):
    """How the number of lost samples is known.

    The values are keys of ``decode.json``.
    """

    #: From the device's counter or clock: equals the truth.
    EXACT = "exact"
    #: From the counter and the arrival times: the truth may differ by a multiple of the modulus;
    #: or samples that were not taken while the device was not connected.
    AMBIGUOUS = "ambiguous"
    #: From the arrival times alone: an estimate, and shorter losses are not seen.
    UNKNOWN = "unknown"


@dataclass(slots=True)
class LossCount:
    """Lost samples of one stream.

    Attributes
    ----------
    exact, ambiguous, unknown : int
        Number of lost samples, by `LossClass`.
    gaps : int
        Number of places at which samples are missing.
    """

    exact: int = 0
    ambiguous: int = 0
    unknown: int = 0
    gaps: int = 0

    def add(self, loss_class: LossClass, samples: int) -> None:
        """Count a gap; nothing if no sample is missing.

        Parameters
        ----------
        loss_class : LossClass
        samples : int
        """
        if samples > 0:
            setattr(self, loss_class, getattr(self, loss_class) + samples)
            self.gaps += 1

    @property
    def total(self) -> int:
        """Lost samples of all classes."""
        return self.exact + self.ambiguous + self.unknown


def describe_loss(loss: LossCount, received: int, timing: Timing) -> str:
    """Return a phrase about the loss of a stream.

    Parameters
    ----------
    loss : LossCount
    received : int
        Number of samples received.
    timing : SampleCounter, SampleClock or None
        Timing of the stream.

    Returns
    -------
    str
        For example ``1.8 % lost, known exactly``.
    """
    share = f"{100 * loss.total / max(1, loss.total + received):.2g} %"
    if timing is None:
        seen = f"gaps of arrival make up about {share}; " if loss.total else ""
        return f"{seen}shorter loss cannot be seen with this device"
    if not loss.ambiguous:
        return f"{share} lost, known exactly"
    known = f"at least {100 * loss.exact / max(1, loss.total + received):.2g} % lost"
    if isinstance(timing, SampleCounter):
        return f"{known}, about {share} by the times of arrival"
    return f"{known}, about {share} with the time in which the device did not send"
