"""Pictures of a night, and the report made of them."""
