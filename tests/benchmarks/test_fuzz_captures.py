"""A slice of the fuzz run: damaged captures are read or refused, never a traceback."""

import pytest

from benchmarks.fuzz_captures import run


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
def test_damaged_captures_are_read_or_refused(tmp_path, seed):
    found = run(60, seed, tmp_path)
    assert found["failures"] == []
    assert sum(found["outcomes"].values()) == 60
    assert found["outcomes"]["read"] > 5
    assert found["outcomes"]["refused"] > 5
