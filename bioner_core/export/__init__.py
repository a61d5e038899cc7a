"""The newest state of a store in the formats of others."""
