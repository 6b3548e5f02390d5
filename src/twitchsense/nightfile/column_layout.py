"""Names of the columns of a night: numbered through over its devices, with the legs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from twitchsense.devices.v1.v1_frames import DeviceInfo


@dataclass(frozen=True, slots=True)
class StreamColumns:
    """What a stream contributes to the names.

    Attributes
    ----------
    kind : {'emg', 'acc'}
    width : int
        Number of columns.
    unit : str
        Unit in the names of the columns: ``uv``, ``mv``, ``g``.
    """

    kind: str
    width: int
    unit: str


@dataclass(frozen=True, slots=True)
class DeviceColumns:
    """The streams of a device, by id or name, and its leg.

    Attributes
    ----------
    leg : str or None
        ``left``, ``right`` or None.
    streams : mapping
    """

    leg: str | None
    streams: Mapping[Hashable, StreamColumns]


def name_columns(
    devices: Mapping[str, DeviceColumns],
) -> dict[str, dict[Hashable, tuple[str, ...]]]:
    """Return the column names of the streams of each device.

    If every device has a leg of its own, names contain the leg (``emg1_left_uv``) and each
    device is numbered from one. Otherwise the channels of all devices are numbered through.

    Parameters
    ----------
    devices : mapping of str to DeviceColumns
        By device key, in the order of recording.

    Returns
    -------
    dict of str to dict
        By device key and stream.
    """
    legs = [device.leg for device in devices.values()]
    one_per_leg = None not in legs and len(set(legs)) == len(legs)
    named: dict[str, dict[Hashable, tuple[str, ...]]] = {}
    emg = acc = 0  # channels numbered so far
    many_acc = sum(_n_acc(device) for device in devices.values()) > 1
    for key, device in devices.items():
        side = f"_{device.leg}" if device.leg else ""
        if one_per_leg:
            emg = acc = 0
            many_acc = _n_acc(device) > 1
        columns: dict[Hashable, tuple[str, ...]] = {}
        for name, stream in device.streams.items():
            if stream.kind == "emg":
                columns[name] = tuple(
                    f"emg{emg + i + 1}{side}_{stream.unit}" for i in range(stream.width)
                )
                emg += stream.width
            elif stream.kind == "acc":
                acc += 1
                number = str(acc) if many_acc else ""
                axes = "xyz"[: stream.width]
                columns[name] = tuple(f"acc{number}{side}_{axis}_{stream.unit}" for axis in axes)
        named[key] = columns
    return named


def _n_acc(device: DeviceColumns) -> int:
    return sum(stream.kind == "acc" for stream in device.streams.values())


def v1_columns(
    infos: Mapping[str, DeviceInfo],
) -> dict[str, dict[Hashable, tuple[str, ...]]]:
    """Return the column names of twitchsense v1 wearables; see `name_columns`.

    Parameters
    ----------
    infos : mapping of str to DeviceInfo
        By device key, in the order of recording.

    Returns
    -------
    dict of str to dict
        By device key and stream id. Streams of unknown kind are left out.
    """
    return name_columns({key: v1_device_columns(info) for key, info in infos.items()})


def v1_device_columns(info: DeviceInfo) -> DeviceColumns:
    """Return what a twitchsense v1 wearable contributes to the names of columns.

    Parameters
    ----------
    info : DeviceInfo

    Returns
    -------
    DeviceColumns
        By stream id; streams of unknown kind are left out.
    """
    units = {"emg": "uv", "acc": "g"}
    return DeviceColumns(
        info.leg,
        {
            stream.id: StreamColumns(stream.kind, stream.width, units[stream.kind])
            for stream in info.streams
            if stream.kind in units
        },
    )
