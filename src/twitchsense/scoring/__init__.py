"""Labels, rates per valid hour, and agreement with human annotations."""
