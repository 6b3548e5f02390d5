import pytest

import twitchsense as ts
from tests.recordings import make_recording


@pytest.fixture(scope="package")
def night():
    return ts.analyze(make_recording(16))
