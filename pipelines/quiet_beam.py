"""Apache Beam without its noise: it warns on import about cloud libraries that are not installed and not wanted.

Import Beam from here: `from pipelines.quiet_beam import beam`.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without_warnings() -> Iterator[None]:
    before, placeholder = logging.root.manager.disable, logging.NullHandler()
    logging.root.addHandler(placeholder)  # else the first warning would give the root logger a handler for good
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
        logging.root.removeHandler(placeholder)


with _without_warnings():
    import apache_beam as beam
    from apache_beam.io import filesystems as _filesystems  # noqa: F401  warns too, and would do so later

logging.getLogger("apache_beam").setLevel(logging.ERROR)

__all__ = ["beam"]
