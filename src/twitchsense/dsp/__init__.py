"""Signal processing stages: filters, mains, ECG canceller, noise floor, hysteresis.

Every stage is causal and independent of how the signal is cut into chunks.
"""
