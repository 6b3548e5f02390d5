"""Reading of captures: agreement with other readers, sampling rates, speed."""
