"""Names of PubMed's release files: production year and number, which are the only order that counts.

Source: NLM's README of its download site; numbering runs on from baseline to updates and starts at 1 each year.
"""

import re
from dataclasses import dataclass

_NAME = re.compile(r"(?:pubmed|medline)(\d{2})n(\d{4,6})\.xml(?:\.gz)?")
_CENTURY_TURN = 60
"""Two digits of a release's year from here on are of the last century."""


@dataclass(frozen=True, slots=True, order=True)
class Release:
    """A release file's place: sorts by (year, number)."""

    year: int
    number: int

    @property
    def order(self) -> tuple[int, int]:
        """The place as the ledger writes it."""
        return self.year, self.number


def release_of(name: str) -> Release | None:
    """The place that a base name such as `pubmed26n0001.xml.gz` tells, or None for any other name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    short = int(found.group(1))
    return Release(short + (1900 if short >= _CENTURY_TURN else 2000), int(found.group(2)))
