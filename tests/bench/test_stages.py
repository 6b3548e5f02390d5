import time
from importlib.util import find_spec

import pytest

from twitchsense.bench.stages import STAGES, StageSampler, find_stage


def within(*modules):
    """Return the stage seen by a function called through these modules, outermost first."""
    code = "import sys\ndef call(inner):\n    return inner() if inner else sys._getframe()\n"
    inner = None
    for name in reversed(modules):
        space = {"__name__": name}
        exec(code, space)
        inner = lambda call=space["call"], inner=inner: call(inner)  # noqa: E731
    return find_stage(inner())


@pytest.mark.parametrize("module", STAGES)
def test_every_stage_is_a_module(module):
    assert find_spec(module) is not None


def test_outermost_module_on_the_stack_decides_the_stage():
    night, track = "twitchsense.results.night", "twitchsense.detect.candidates.emg_segment"
    assert within(night, track, "twitchsense.dsp.filters", "scipy.signal") == "filters"
    ecg = within(night, track, "twitchsense.dsp.ecg_canceller", "twitchsense.dsp.filters")
    assert ecg == "ECG canceller"
    assert within(night, track, "twitchsense.dsp.buffers") == "the rest"
    assert within(night, track, "numpy") == "the rest of the detector"
    assert within("twitchsense.io.text.csv", "pandas") == "read"
    assert within("tests.somewhere", "numpy") is None


def test_sampler_attributes_processor_time_to_the_running_stage():
    space = {"__name__": "twitchsense.dsp.mains", "time": time}
    busy = (
        "def run():\n    end = time.process_time() + 0.1\n    while time.process_time() < end: pass"
    )
    exec(busy, space)
    with StageSampler(0.001) as sampler:
        space["run"]()
    seconds = sampler.seconds()
    assert list(seconds) == ["mains canceller"]
    assert 0 < seconds["mains canceller"] < 1
