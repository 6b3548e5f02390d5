"""The hand-worked bytes both sides are held to."""

from __future__ import annotations

import tomllib
from pathlib import Path

import firmware_sim

PATH = Path(firmware_sim.__file__).parent / "vectors" / "v1.toml"
VECTORS = tomllib.loads(PATH.read_text(encoding="utf-8"))


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)
