"""The logger of a Movesense sensor: what it stores, and the files that it gives.

Written from descriptions of the format: chunks of id, length and content after a header of eight
bytes; descriptions of fields and of chunks have the id 0.
"""

from __future__ import annotations

import struct

#: Ids of fields and groups in a file of this sensor.
TIME_ACC, X, Y, Z, VECTOR, BEGIN, END, TIME_ECG, ECG_MV, ECG_COUNT, TEXT = range(11, 22)
ACC_CHUNK, ECG_CHUNK = 300, 90  # the first one needs the long form of an id
FIELDS = {
    TIME_ACC: "<PTH>Samples+Array.MeasAcc.Timestamp\n<FRM>uint32",
    X: "<PTH>Samples.Array.MeasAcc.ArrayAcc+x\n<FRM>float32",
    Y: "<PTH>Samples.Array.MeasAcc.ArrayAcc.y\n<FRM>float32",
    Z: "<PTH>Samples.Array.MeasAcc.ArrayAcc.z\n<FRM>float32",
    VECTOR: f"<GRP>{X},{Y},{Z}",
    BEGIN: "<PTH>[",
    END: "<PTH>]",
    TIME_ECG: "<PTH>Samples+Array.MeasECGmV.Timestamp\n<FRM>uint32",
    ECG_MV: "<PTH>Samples.Array.MeasECGmV.Samples\n<FRM>int16\n<MOD>x*0.001,roundf(y*1000.0f)",
    ECG_COUNT: "<PTH>Samples.Array.MeasECG.Samples\n<FRM>int32",
    TEXT: "<PTH>Samples+Array.Net\n<FRM>utf8",
}


def chunk(number: int, content: bytes) -> bytes:
    """Return a chunk."""
    head = bytes([number]) if number < 255 else b"\xff" + struct.pack("<H", number)
    size = len(content)
    return head + (bytes([size]) if size < 255 else b"\xff" + struct.pack("<I", size)) + content


def describe(number: int, text: str) -> bytes:
    """Return the chunk that describes a field or a group."""
    return chunk(0, struct.pack("<H", number) + text.encode() + b"\0")


class Logbook:
    """The memory: one file for each time of logging.

    Parameters
    ----------
    capacity : int
        Bytes of a file after which nothing is added.
    has_descriptions : bool
        Whether files describe themselves, as those of the model Flash do.

    Attributes
    ----------
    files : dict of int to bytearray
        By number.
    is_logging : bool
    """

    def __init__(self, capacity: int = 1 << 27, has_descriptions: bool = True) -> None:
        self.files: dict[int, bytearray] = {}
        self.is_logging = False
        self._capacity = capacity
        self._has_descriptions = has_descriptions
        self._described: set[int] = set()

    def start(self) -> None:
        """Begin a file."""
        self.is_logging = True
        self._described.clear()
        data = bytearray(b"SBEM0112")
        if self._has_descriptions:
            for number, text in FIELDS.items():
                data += describe(number, text)
        data += chunk(TEXT, b"a text\0")
        self.files[max(self.files, default=0) + 1] = data

    def add(self, kind: str, payload: bytes, count: int) -> None:
        """Log a payload of `count` samples, whose content is that of a notification."""
        data = self.files[max(self.files)]
        if len(data) > self._capacity:
            return
        number = ECG_CHUNK if kind.startswith("ecg") else ACC_CHUNK
        if number not in self._described and self._has_descriptions:
            self._described.add(number)
            value = VECTOR if kind == "acc" else ECG_MV if kind == "ecg/mv" else ECG_COUNT
            time = TIME_ACC if kind == "acc" else TIME_ECG
            members = [time, BEGIN, *[value] * count, END]
            data += describe(number, "<GRP>" + ",".join(map(str, members)))
        data += chunk(number, payload)

    def entries(self) -> bytes:
        """Return the list of files."""
        rows = (struct.pack("<IIQ", n, 1_700_000_000 + n, len(d)) for n, d in self.files.items())
        return bytes([len(self.files)]) + b"".join(rows)

    def pieces(self, number: int, size: int) -> list[bytes]:
        """Return a file in pieces, each with its place; the last one is empty."""
        data = bytes(self.files[number])
        starts = [*range(0, len(data), size), len(data)]
        return [struct.pack("<I", at) + data[at : at + size] for at in starts]
