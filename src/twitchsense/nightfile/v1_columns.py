"""Column names of the streams of twitchsense v1 wearables."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from twitchsense.devices.v1_frames import DeviceInfo
from twitchsense.nightfile.column_layout import DeviceColumns, StreamColumns, name_columns


def stream_columns(
    infos: Mapping[str, DeviceInfo],
) -> dict[str, dict[Hashable, tuple[str, ...]]]:
    """Return the column names of the streams of each device; see `name_columns`.

    Parameters
    ----------
    infos : mapping of str to DeviceInfo
        By device key, in the order of recording.

    Returns
    -------
    dict of str to dict
        By device key and stream id. Streams of unknown kind are left out.
    """
    return name_columns({key: device_columns(info) for key, info in infos.items()})


def device_columns(info: DeviceInfo) -> DeviceColumns:
    """Return what a device contributes to the names of columns.

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
