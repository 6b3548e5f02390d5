"""Damaged binary captures: a short, repeatable part of `benchmarks.fuzz_archives`."""

from benchmarks.fuzz_archives import fuzz, whole_files


def test_damaged_files_are_read_or_refused_in_one_line(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    outcomes = fuzz(220, 7, tmp_path / "a")
    kinds = set(whole_files(tmp_path / "b"))
    assert {name.rpartition(":")[0] for name in outcomes} == kinds
    assert sum(n for name, n in outcomes.items() if name.endswith("read")) > 50
    assert sum(n for name, n in outcomes.items() if name.endswith("refused")) > 50
