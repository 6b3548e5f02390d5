"""Words for the kinds of marks."""

from __future__ import annotations

import re


def kind_key(word: str) -> str:
    """Return a kind without regard to case, and with underscores for blanks and dashes.

    Parameters
    ----------
    word : str
        Such as ``Gross movement``.

    Returns
    -------
    str
    """
    return re.sub(r"[\s_-]+", "_", word.strip().casefold())
