"""State of the sensors of a leg: statistics per second, quality of the EMG, movement, clocks."""
