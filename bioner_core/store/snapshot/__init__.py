"""Snapshots as they lie in a store: their tables, their manifest, and their readers."""
