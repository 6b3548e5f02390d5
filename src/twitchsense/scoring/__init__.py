"""Labels, trains, leg movements, rates per valid hour, and agreement with annotations."""
