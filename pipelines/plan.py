"""Cutting inputs into shards: the same input always gives the same shards.

How many records make one is about a minute of work on the device at hand, by what the first records of the input hold.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from bioner_core.documents import Document
from bioner_core.formats.input_digests import file_digest
from bioner_core.formats.reader import UNKNOWN, InputSummary, public_name, read_records, summarise_input
from bioner_core.formats.registry import READERS_VERSION
from bioner_core.inference.document_rows import plan_rows
from bioner_core.labels.label_set import LabelSetChoice
from bioner_core.records import Record
from bioner_core.store.history.known_texts import KnownTexts
from bioner_core.store.layout import ShardDescriptor, Store, input_key, shard_id
from bioner_core.store.manifest import Manifest
from bioner_core.store.names import StoreNames, list_names
from bioner_core.store.sweep import sweep_unfinished
from pipelines.carry_over import plan_carry_over
from pipelines.job import AnnotationJob
from pipelines.plan_record import InputPlan, first_planned, read_plan, write_plan

SHARDS_PER_RUN = 25
"""How many consecutive shards one worker takes at a time, to read them from one pass over their file."""

ShardRun = tuple[ShardDescriptor, ...]
"""Consecutive shards of one input: the element that travels between Beam stages."""


def plan_shards(
    job: AnnotationJob, input_file: str, *, names: StoreNames, texts: KnownTexts | None = None
) -> list[ShardDescriptor]:
    """The shards of one input as a job wants them; what may be carried over into them is found and written down.

    Whoever plans many inputs keeps one `names` and one `texts` for all.

    Raises:
        InputError, StoreError: as `plan_input` and `plan_carry_over`.
    """
    descriptors = plan_input(
        input_file,
        store=job.store,
        shard_records=job.shard_records,
        format_name=job.format_name,
        shard_rows=job.shard_rows,
        label_sets=job.label_sets,
        names=names,
    )
    if job.carry_over:
        run, decode = job.run_fingerprint, job.decode_fingerprint
        plan_carry_over(job.store, descriptors, fingerprint=run, decode=decode, texts=texts)
    return descriptors


def plan_input(
    input_file: str,
    *,
    store: Store,
    shard_records: int,
    format_name: str | None = None,
    shard_rows: float = 0.0,
    label_sets: Sequence[LabelSetChoice] = (),
    names: StoreNames | None = None,
) -> list[ShardDescriptor]:
    """The shards of one input, in record order. An input without records has one empty shard.

    An input that was planned before is cut as it was then, and is not parsed again to count it. A new one is cut into
    shards of `shard_records`, or of fewer that have about `shard_rows` rows with these label sets (0: whatever they
    have), but for stretches that this store has already committed. One that readers of another
    version counted is counted again: if they find other records in it, its last shard and what follows are cut anew.
    Whoever plans many inputs lists the store once, as `names`.

    Raises:
        InputError: the input cannot be opened or read; the message names it.
        StoreError: the store's record of this input is damaged, newer than this software, or cannot be written.
    """
    names, name = names or list_names(store), public_name(input_file)
    # An input that nobody has planned is counted at once, which takes its digest: so it is read twice in all, here and
    # for its records.
    summary = None if names.knows(name) else summarise_input(input_file, format_name=format_name)
    key = input_key(name, summary.digest if summary is not None else file_digest(input_file))
    sweep_unfinished(names, key)
    committed = names.manifests(key)
    earlier = read_plan(store, key)
    since = min([first_planned(store, key, plan=earlier), *(one.known_since for one in committed)])
    known = _of_format(earlier, format_name)
    if known is not None and known.readers_version == READERS_VERSION:
        return descriptors_of(replace(known, planned=since), input_file, committed=committed)
    # The last records of a file that was counted otherwise stand for something else now: a reject for many records.
    kept = committed if known is None else [old for old in committed if old.last < known.records]
    summary = summary or summarise_input(input_file, format_name=format_name)
    size = shard_records
    if shard_rows and summary.format_name != UNKNOWN:
        sample = read_records(input_file, format_name=summary.format_name, last=SAMPLE_RECORDS)
        size = fitting_records(sample, label_sets, rows=shard_rows, most=shard_records)
    plan = replace(_new_plan(summary, kept, shard_records=size), planned=since)
    if known is not None and (known.format_name, known.records) == (plan.format_name, plan.records):
        plan = replace(known, readers_version=READERS_VERSION, planned=since)
    write_plan(store, plan)
    return descriptors_of(plan, input_file, committed=committed)


def recorded_plan(store: Store, key: str, *, format_name: str | None) -> InputPlan | None:
    """The plan that an earlier run made of this content, unless it was for another format than the one asked for.

    One that readers of another version made is none: it is to be made anew.

    Raises:
        StoreError: the plan is damaged.
    """
    plan = _of_format(read_plan(store, key), format_name)
    return plan if plan is not None and plan.readers_version == READERS_VERSION else None


def _of_format(plan: InputPlan | None, format_name: str | None) -> InputPlan | None:
    return plan if plan is not None and format_name in (None, plan.format_name) else None


def descriptors_of(plan: InputPlan, input_file: str, *, committed: Sequence[Manifest]) -> list[ShardDescriptor]:
    """The shards of a plan; each names the committed ones that it `replaces`."""
    ids = {shard_id(plan.key, first, last=last) for first, last in plan.ranges}
    stale = [manifest for manifest in committed if manifest.shard_id not in ids]
    return [
        ShardDescriptor(
            shard_id=shard_id(plan.key, first, last=last),
            source=plan.source,
            input_file=input_file,
            format_name=plan.format_name,
            first=first,
            last=last,
            input_digest=plan.input_digest,
            replaces=tuple(old.shard_id for old in stale if old.first < last and first < old.last),
            planned=plan.planned,
        )
        for first, last in plan.ranges
    ]


def cut_ranges(records: int, size: int, *, taken: Iterable[tuple[int, int]] = ()) -> Iterator[tuple[int, int]]:
    """Cover records 0 to `records` with ranges of at most `size`, without gap or overlap, keeping those `taken`.

    A taken range that overlaps an earlier one, or runs past the end, is not kept.
    """
    position = 0
    for first, last in (*sorted(taken), (records, records)):
        if position <= first and last <= records:
            yield from ((start, min(start + size, first)) for start in range(position, first, size))
            if first < last:
                yield first, last
            position = last


def group_runs(descriptors: Sequence[ShardDescriptor]) -> list[ShardRun]:
    """Consecutive shards in groups that one worker reads in one pass."""
    return [tuple(descriptors[start : start + SHARDS_PER_RUN]) for start in range(0, len(descriptors), SHARDS_PER_RUN)]


def _new_plan(summary: InputSummary, committed: Sequence[Manifest], *, shard_records: int) -> InputPlan:
    taken = [(old.first, old.last) for old in committed if old.format_name == summary.format_name]
    name = public_name(summary.input_file)
    return InputPlan(
        key=input_key(name, summary.digest),
        input_file=name,
        input_digest=summary.digest,
        format_name=summary.format_name,
        source=summary.source,
        records=summary.records,
        ranges=tuple(cut_ranges(summary.records, shard_records, taken=taken)) or ((0, 0),),
        readers_version=READERS_VERSION,
    )


SHARD_SECONDS = 60.0
"""What a kill may cost: the work of one shard."""

SAMPLE_RECORDS = 50
"""So many records from the start of an input say how long its documents are."""


def fitting_records(records: Iterable[Record], label_sets: Sequence[LabelSetChoice], *, rows: float, most: int) -> int:
    """How many records like these have about so many rows (sentences times label sets), from 1 to `most`.

    Looks at the first `SAMPLE_RECORDS` only, so the same input and the same wish give the same answer.
    """
    sample = list(islice(records, SAMPLE_RECORDS))
    found = sum(len(plan_rows(one, label_sets).rows) for one in sample if isinstance(one, Document))
    if not found:
        return most
    return max(1, min(most, math.ceil(rows * len(sample) / found)))
