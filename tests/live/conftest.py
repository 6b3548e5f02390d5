from __future__ import annotations

import pytest

from tests.nightfile.builders import write_night


@pytest.fixture
def night(tmp_path):
    return write_night(tmp_path / "tonight.night", 12)
