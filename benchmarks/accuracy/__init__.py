"""How well events are found in recordings composed of real waveforms with exact truth."""
