"""The list of formats for people."""

from bioner_core.formats.catalogue import format_entries
from bioner_core.formats.registry import READERS, reader_for

BINARY = {"pmc_package", "xlsx", "parquet"}
NAMED_ONLY = {"text"}


def test_each_format_has_an_example_that_its_reader_takes() -> None:
    """Would catch a format that the list lacks, and an example that is read as something else."""
    entries = format_entries()
    assert [one.name for one in entries] == [reader.name for reader in READERS]
    for one in entries:
        found = reader_for(one.example.encode())
        assert (found.name if found else "") == ("" if one.name in BINARY | NAMED_ONLY else one.name)
