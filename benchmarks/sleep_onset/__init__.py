"""Sleep onset without a hypnogram: composed nights, training of the model, and its figures."""
