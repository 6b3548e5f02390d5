"""JSON that is nested more deeply than the parser goes is damaged JSON, no internal error."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from twitchsense.cli.app import main
from twitchsense.errors import InputError
from twitchsense.io.read import read

DEEP = "[" * 100_000


def test_marks_beside_a_nested_summary_are_read(tmp_path):
    (tmp_path / "summary.json").write_text(DEEP)
    (tmp_path / "events.csv").write_text("onset,duration,leg\n1,1,left\n")
    done = CliRunner().invoke(main, ["score-limb", str(tmp_path / "events.csv")])
    assert done.exit_code == 0, done.output


def test_a_nested_header_of_opensignals_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(
        "# OpenSignals Text File Format\n# {" + '"a":{' * 20_000 + "\n# EndOfHeader\n1\n"
    )
    with pytest.raises(InputError):
        read(path)
