"""Finds damage in the write-ahead log of a night file, after which SQLite reads nothing of it.

SQLite reads a log up to the first frame whose checksum is wrong, without an error, because the
end of a log may be incomplete. Commits behind such a frame mean that the log was damaged later
(https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.nightfile.lock import beside

_HEADER: Final = struct.Struct(">8I")
_FRAME: Final = struct.Struct(">6I")
#: Magic numbers of logs whose checksums are computed from words of either byte order.
_WORDS: Final = {0x377F0682: "<u4", 0x377F0683: ">u4"}
_MASK: Final = 0xFFFFFFFF

Sums = tuple[int, int]
Words = NDArray[np.uint32]


def count_unread_frames(path: Path) -> int:
    """Return the number of pages in the log of a night file that SQLite cannot read.

    Parameters
    ----------
    path : Path
        The night file; no process may be writing it.

    Returns
    -------
    int
        Pages from the first damaged one to the last commit; 0 if there is no log, or if only
        its end is incomplete.

    Raises
    ------
    OSError
        If the log cannot be read.
    """
    log = beside(path, "-wal")
    if not log.is_file() or log.stat().st_size <= _HEADER.size:
        return 0
    with log.open("rb") as file:
        header = file.read(_HEADER.size)
        magic, _, size, _, *salts, sum_0, sum_1 = _HEADER.unpack(header)
        is_sound = magic in _WORDS and _Checksum(24, magic).extend(header[:24], (0, 0)) == (
            sum_0,
            sum_1,
        )
        if not is_sound or not 512 <= size <= 65536:
            return max(1, (log.stat().st_size - _HEADER.size) // (_FRAME.size + 4096))
        checksum = _Checksum(8 + size, magic)
        sums, is_chain, n_chain, number, last_commit = (sum_0, sum_1), True, 0, 0, 0
        while len(frame := file.read(_FRAME.size + size)) == _FRAME.size + size:
            number += 1
            _, commit, *rest = _FRAME.unpack_from(frame)
            if is_chain:
                sums = checksum.extend(frame[:8] + frame[_FRAME.size :], sums)
                is_chain = rest == [*salts, *sums]
                n_chain += is_chain
            elif commit and rest[:2] == salts:
                last_commit = number
        return max(0, last_commit - n_chain)


class _Checksum:
    """The checksum of SQLite's log for blocks of one size.

    Of each pair of words x0, x1 it computes s0 += x0 + s1 and s1 += x1 + s0, modulo 2**32. That
    is linear, so the sums of a block are products with the powers of one matrix.
    """

    def __init__(self, n_bytes: int, magic: int) -> None:
        self._dtype = _WORDS[magic]
        powers = [(1, 0, 0, 1)]
        for _ in range(n_bytes // 8):
            a, b, c, d = powers[-1]
            powers.append(
                ((a + c) & _MASK, (b + d) & _MASK, (a + 2 * c) & _MASK, (b + 2 * d) & _MASK)
            )
        self._power = powers.pop()
        self._weights = np.array(powers[::-1], np.uint32).T

    def extend(self, block: bytes, sums: Sums) -> Sums:
        """Return the sums after a block."""
        words = np.frombuffer(block, self._dtype).astype(np.uint32)
        first, both = words[0::2], words[0::2] + words[1::2]
        a, b, c, d = self._weights
        p, q, r, s = self._power
        added_0 = int((a * first + b * both).sum(dtype=np.uint32))
        added_1 = int((c * first + d * both).sum(dtype=np.uint32))
        return (
            (p * sums[0] + q * sums[1] + added_0) & _MASK,
            (r * sums[0] + s * sums[1] + added_1) & _MASK,
        )
