"""What a refusal says is done: the options that it names read the file."""

import re

import numpy as np
import pytest

from tests.io import makers
from tests.io.builders import content
from twitchsense.errors import InputError
from twitchsense.io import read

N = 3000
EMG = np.random.default_rng(5).normal(0, 80, N).round(2)
VALUES = makers.numbers(EMG)
OPENSIGNALS = makers.opensignals(EMG).replace('"sampling rate": 1000', '"sampling rate": null')
OPENBCI = makers.openbci(EMG).replace("%Sample Rate = 250 Hz", "%Sample Rate unknown")
FAST = makers.rows([str(40_000_000 + i) for i in range(N)], VALUES)
#: File, words of the problem, name of a channel and its rate.
CASES = {
    "no rate in OpenSignals": ("a.txt", OPENSIGNALS, "no sampling rate", "emg1", 1000),
    "no rate in OpenBCI": ("a.txt", OPENBCI, "no sampling rate", "emg1", 250),
    "no time column": (
        "a.csv", makers.lines("n,emg1_uv", makers.rows(VALUES, VALUES)), "no time column", "emg1",
        1000,
    ),
    "milliseconds": ("a.csv", makers.lines("time_s,emg1_uv", FAST), "not in seconds", "emg1", 1000),
}  # fmt: skip


def options_of(error):
    """Return the arguments of `read` that the options in a message name."""
    kinds = {"fs": float, "time-unit": str}
    text = error.command_message.partition("; ")[2]
    options = re.findall(r"--([a-z-]+) ([^\s,;)]+)", text)
    return {name.replace("-", "_"): kinds[name](value) for name, value in options if name in kinds}


@pytest.mark.parametrize("case", CASES)
def test_the_options_of_a_refusal_read_the_file(tmp_path, case):
    file_name, text, problem, channel, fs = CASES[case]
    path = tmp_path / file_name
    path.write_text(text)
    with pytest.raises(InputError, match=problem) as caught:
        read(path)
    options = options_of(caught.value)
    assert options, caught.value.command_message
    got = read(path, **options)
    assert got.channel(channel).fs == pytest.approx(fs)
    assert sum(len(x) for _, x in content(got)[channel]) == N
