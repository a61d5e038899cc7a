"""Out to a curator and back: items of a store with pre-annotations, and a corpus of what was corrected."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bioner_core.errors import ConfigurationError, InputError
from bioner_core.export.brat import file_name
from bioner_core.export.provenance import Tally, one_line
from bioner_core.gold.forms import read_form
from bioner_core.gold.lines import read_lines, write_lines
from bioner_core.gold.record import GoldRecord, MisfitKind
from bioner_core.labels.label_set import load_label_set
from bioner_core.review.agreement import Agreement, agreement
from bioner_core.review.choice import ReviewSettings, choose_items
from bioner_core.review.item import ReviewItem
from bioner_core.review.tasks import write_brat, write_configuration, write_tasks
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.store.layout import Store
from bioner_core.store.newest import NewestState, open_newest
from bioner_core.store.state_facts import shard_facts, state_in_words

TASK_FORMS = ("label-studio", "brat")
"""The forms in which items go out."""


def exported_file(output: Path) -> Path:
    """Where `export_review` keeps what the model said of each item, which `import_review` compares with."""
    return output.with_name(f"{output.name}.exported.jsonl")


def export_review(
    store: Store,
    output: Path,
    *,
    form_name: str,
    settings: ReviewSettings,
    on_document: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Write the items of a store that teach most, for a curator, and beside them what the model said.

    For Label Studio the file `OUTPUT.config.xml` is the labelling configuration. Returns counts.

    Raises:
        ConfigurationError: an unknown form or label set, `output` is in use, or the store has nothing to review.
        StoreError: the store is damaged, or a file cannot be written.
    """
    if form_name not in TASK_FORMS:
        raise ConfigurationError(f"--format: {form_name!r} is not one of {', '.join(TASK_FORMS)}")
    newest = open_newest(store)
    _check_label_set(newest, settings.label_set)
    if exported_file(output).exists() or output.exists():
        raise ConfigurationError(f"--output: {str(output)!r} is there already, and may be in a curator's hands; "
                                 "name another")  # fmt: skip

    def documents() -> Iterator[DocumentMentions]:
        for found in newest.documents():
            on_document()
            yield found

    items = choose_items(documents, settings)
    if not items:
        raise ConfigurationError(
            "--store: it has no mention to review; annotate documents, or take any sentences: --choose random"
        )
    replaced = 0
    if form_name == "brat":
        replaced = write_brat(items, output, origin=newest.origin)
    else:
        write_tasks(items, output)
        write_configuration(_types(items), output.with_name(f"{output.name}.config.xml"))
    write_lines((one.as_record() for one in items), exported_file(output))
    reasons = Counter(one.reason for one in items)
    mentions = sum(len(one.accepted) for one in items)
    counts = {"items": len(items), "mentions": mentions, "replaced_characters": replaced}
    return {**counts, "reasons": dict(reasons), "exported_from": newest.origin, "seed": settings.seed}


def _check_label_set(newest: NewestState, label_set: str | None) -> None:
    known = shard_facts(newest).label_sets
    if label_set is not None and label_set not in known:
        has = ", ".join(sorted(known)) or "none"
        raise ConfigurationError(f"--label-set: {label_set!r} is not in {state_in_words(newest)}; it has: {has}")


def _types(items: list[ReviewItem]) -> set[str]:
    """All types that a curator may want: those of the label sets, where they are known here, and those that occur."""
    types = {one.type for item in items for one in item.mentions}
    for name in sorted({one.label_set for item in items for one in item.mentions}):
        try:
            types |= set(load_label_set(name).type_names)
        except ConfigurationError:
            continue  # a set of the user's own: a store knows its name alone
    return types


@dataclass(frozen=True, slots=True)
class ReviewReport:
    """What came back: `missing` items did not, or nobody has annotated them; `lost` counts entities that do not fit."""

    agreement: Agreement
    missing: int
    foreign: int
    lost: int

    def to_json(self) -> dict[str, Any]:
        """The report as one object."""
        counts = {"missing": self.missing, "foreign": self.foreign, "lost_entities": self.lost}
        return {**counts, **self.agreement.to_json()}


def import_review(corrected: Path, *, exported: Path, output: Path, form_name: str | None = None) -> ReviewReport:
    """Write a corpus of the corrected items, and compare them with what the model said.

    `exported` is the file that `exported_file` names. Items that nobody has annotated are no part of the corpus.

    Raises:
        InputError: a file is broken or cannot be read, a text was changed, or no item came back.
        StoreError: the corpus cannot be written.
    """
    before = {one.record_id: one for one in read_lines(exported)}
    by_name = {file_name(one): one for one in before} | {one: one for one in before}
    pairs: dict[str, tuple[GoldRecord, GoldRecord]] = {}
    foreign = lost = 0
    for found in read_form(corrected, form_name):
        lost += sum(one.kind is not MisfitKind.UNANNOTATED for one in found.losses)
        if found.record is None:
            continue
        record_id = found.record.record_id
        # A brat folder has its files in folders of a thousand, and their paths are the ids.
        item_id = by_name.get(record_id) or by_name.get(record_id.rpartition("/")[2])
        if item_id is None:
            foreign += 1
        else:
            pairs[item_id] = (before[item_id], _as_exported(found.record, before[item_id], corrected))
    if not pairs:
        raise InputError(f"{corrected}: has no annotated item of {exported}; give the file that was exported with it")
    write_lines((curator for _, curator in pairs.values()), output)
    return ReviewReport(agreement(list(pairs.values())), len(before) - len(pairs), foreign, lost)


def _as_exported(record: GoldRecord, exported: GoldRecord, path: Path) -> GoldRecord:
    """The curator's spans in the text as the store has it: brat's lines have blanks for breaks."""
    if record.text not in (exported.text, one_line(exported.text, Tally())):
        raise InputError(
            f"{path}, item {record.record_id}: its text is not the one that was exported, so no offset can be trusted; "
            "export it again and correct the entities alone"
        )
    return replace(exported, spans=record.spans, concepts=record.concepts)
