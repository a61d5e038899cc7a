"""Where an export comes from, and what it holds: in the file where its format has a place, and beside it always."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bioner_core.export.selection import Selection
from bioner_core.store.document_mentions import DocumentMentions


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
