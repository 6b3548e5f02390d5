"""Damaged binary captures: a short, repeatable part of `benchmarks.fuzz.archives`."""

import pytest

from benchmarks.fuzz.archives import CORPUS, whole_files
from benchmarks.fuzz.loop import run


@pytest.mark.slow
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    outcomes = run(CORPUS, 220, 7, tmp_path / "a")
    assert outcomes.failures == []
    kinds = set(whole_files(tmp_path / "b"))
    assert {name.rpartition(":")[0] for name in outcomes.counts} == kinds
    assert outcomes.total("read") > 50
    assert outcomes.total("refused") > 50
