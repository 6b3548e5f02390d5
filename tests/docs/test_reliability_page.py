"""Every promise of the page about reliability names a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_a_promise_names_exists():
    page = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) > 30
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text("utf-8"), re.M)
    ]
    assert missing == []


def test_every_row_of_a_table_of_promises_names_a_test():
    page = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    for table in re.findall(r"(?:^\|.*\n)+", page, re.M):
        header, _, *rows = table.splitlines()
        if header.endswith("| test |"):
            assert [row for row in rows if "::test_" not in row] == []
