"""Installs packages of other people into a folder of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Folder with the packages, for machines without an index; else they are installed.
FOLDER = "TWITCHSENSE_FOREIGN_CLIENTS"


def install(requirement: str, folder: Path) -> Path:
    """Return a folder that holds the package; skip the test where it can't be had."""
    given = os.environ.get(FOLDER)
    if given:
        return Path(given)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--target", str(folder), requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{requirement} cannot be installed: the package index does not answer")
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["pip failed"]
        pytest.skip(f"{requirement} cannot be installed: {reason[0]}")
    return folder


@contextlib.contextmanager
def importable(folder: Path):
    """Let modules be imported from a folder."""
    sys.path.insert(0, str(folder))
    before = set(sys.modules)
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            module = sys.modules[name]
            if str(folder) in str(getattr(module, "__file__", "")):
                del sys.modules[name]
