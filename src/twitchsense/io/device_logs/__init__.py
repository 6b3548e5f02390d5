"""Values of devices as captures: raw logs and night files."""
