"""Signal processing: filters, mains hum, ECG, noise floor, hysteresis segmentation.

Every stage is causal, and its output does not depend on how the signal is cut into
chunks.
"""
