"""A snapshot as tables that other engines read."""
