"""Readers of literature dumps: one small module a format; `reader` is the way in."""
