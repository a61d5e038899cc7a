"""Which mentions go into an export."""

from dataclasses import dataclass, replace

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
