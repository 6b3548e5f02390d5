"""How the sampling rate changes what is measured and found."""
