"""Foreign headers, mapped to ours: ``--map "Time=time_s,EMG(uV)=emg1_uv"``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twitchsense.errors import InputError

#: A column mapped to this is left out.
IGNORE = "ignore"


class HeaderMap:
    """Turns their column names into ours.

    Parameters
    ----------
    pairs : mapping of str to str
        Theirs to ours. Case matters only if two headers differ in nothing else.
    """

    def __init__(self, pairs: Mapping[str, str] | None = None) -> None:
        self._exact = {k.strip(): v.strip() for k, v in (pairs or {}).items()}
        self._folded = {k.casefold(): v for k, v in self._exact.items()}
        self._used: set[str] = set()

    def ours(self, theirs: str) -> str:
        """Return our name of a column; its own if it is not mapped."""
        self._used.add(theirs)
        self._used.add(theirs.casefold())
        return self._exact.get(theirs, self._folded.get(theirs.casefold(), theirs))

    def check_used(self, source: str, headers: Sequence[str]) -> None:
        """Refuse a mapping of a header that no file has.

        Raises
        ------
        InputError
            Listing the headers there are.
        """
        for theirs in self._exact:
            if theirs.casefold() not in self._used:
                listed = ", ".join(h for h in headers if h) or "none"
                raise InputError(
                    source,
                    f"--map names the column '{theirs}', which is not in the header",
                    f"choose from: {listed}",
                    "header",
                )
