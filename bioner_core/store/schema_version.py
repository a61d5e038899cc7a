"""The version of the tables' schema, by itself: models and their document pass state it where there is no pyarrow."""

SCHEMA_VERSION = 3
"""Rises when a column changes its name, type or meaning, or comes anew; a store written by a higher one is refused."""
