"""Parquet files as DuckDB's text names them."""

from bioner_core.errors import ConfigurationError
from bioner_core.store.paths import StorePath


def quoted_path(path: StorePath) -> str:
    """A path as a literal.

    Raises:
        ConfigurationError: it holds a sign that DuckDB takes for a pattern.
    """
    text = str(path)
    if any(sign in text for sign in "*?["):
        raise ConfigurationError(
            f"--store: {text!r} holds one of * ? [, which a query takes for a pattern; rename a folder"
        )
    return "'" + text.replace("'", "''") + "'"
