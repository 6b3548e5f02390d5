"""Training of the models of the detector and of sleep."""
