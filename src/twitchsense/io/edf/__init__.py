"""EDF, EDF+ and BDF: header, reader and writer."""
