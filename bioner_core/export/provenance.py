"""What goes into an export, where it comes from, and what it holds: in the file where its format has a place.

Beside the file it stands always. Characters that a format cannot hold are replaced by exactly one other each, so that
no offset moves.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from bioner_core.mentions import Mention
from bioner_core.store.document_mentions import DocumentMentions


@dataclass(frozen=True, slots=True)
class Selection:
    """The mentions that are wanted: of one label set (None: of all), with what the selector turned down or without.

    `fingerprint` is that of the one model whose documents are wanted; None: of all.
    """

    label_set: str | None = None
    all_candidates: bool = False
    fingerprint: str | None = None

    def holds(self, mention: Mention) -> bool:
        """Whether a mention is wanted."""
        return (self.all_candidates or mention.accepted) and self.label_set in (None, mention.label_set)

    def of(self, found: DocumentMentions) -> DocumentMentions:
        """The document with the wanted mentions alone; the parent of a wanted mention is wanted too."""
        return replace(found, mentions=tuple(filter(self.holds, found.mentions)))


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known before the first document is read.

    `origin` is `snapshot:<id>` or `shards`; `newest_commit` is when the newest shard was committed (ISO 8601, UTC),
    empty for an empty store. Nothing here depends on when or where the export runs: equal stores give equal files.
    """

    origin: str
    newest_commit: str
    software_version: str
    selection: Selection

    @property
    def facts(self) -> dict[str, str]:
        """The same as words, for headers."""
        return {
            "exported_from": self.origin,
            "newest_commit": self.newest_commit,
            "software": f"bioner {self.software_version}",
            "label_set": self.selection.label_set or "all",
            **({"model": self.selection.fingerprint} if self.selection.fingerprint else {}),
            "selected": "all candidates" if self.selection.all_candidates else "accepted",
        }


@dataclass(slots=True)
class Tally:
    """What went out, counted while it goes.

    `fingerprints` counts documents by the model that made their mentions; `replaced_characters` are those that the
    format cannot hold, `left_out` are mentions that it has no room for.
    """

    documents: int = 0
    mentions: int = 0
    replaced_characters: int = 0
    left_out: int = 0
    fingerprints: Counter[str] = field(default_factory=Counter)
    details: dict[str, int] = field(default_factory=dict)

    def counting(self, documents: Iterable[DocumentMentions]) -> Iterator[DocumentMentions]:
        """Pass documents on and count them."""
        for one in documents:
            self.documents += 1
            self.mentions += len(one.mentions)
            self.fingerprints[one.fingerprint] += 1
            yield one

    def as_object(self) -> dict[str, Any]:
        """The counts, for the report beside an export; those that are zero by nature of the format too."""
        return {
            "documents": self.documents,
            "mentions": self.mentions,
            "replaced_characters": self.replaced_characters,
            "left_out_mentions": self.left_out,
            "model_fingerprints": dict(sorted(self.fingerprints.items())),
            **self.details,
        }


_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAKS = re.compile("[\t\n\r\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")


def xml_characters(text: str, tally: Tally) -> str:
    """The text with U+FFFD in place of each character that XML 1.0 forbids (its section 2.2)."""
    found, times = _NO_XML.subn("\ufffd", text)
    tally.replaced_characters += times
    return found


def one_line(text: str, tally: Tally) -> str:
    """The text with a blank in place of each tab and each character that some reader takes for the end of a line."""
    found, times = _BREAKS.subn(" ", text)
    tally.replaced_characters += times
    return found
