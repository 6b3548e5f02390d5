"""The compiled engine: C kernels that give the same bits as the numpy and scipy code.

The kernels are loaded with ctypes. Which engine runs: `twitchsense.dsp.engine`.
"""

from typing import Final

#: Names of the engines.
ENGINES: Final = ("auto", "native", "scipy")
