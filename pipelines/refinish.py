"""What needs no model: jobs whose candidates are all stored, and shards that are finished again from theirs.

A shard whose candidates stand and whose finish has changed is finished again; neither the input nor a service is asked.
A kill leaves the old shard or the new one, as every commit does.
"""

import time
from dataclasses import replace

import pyarrow as pa

from bioner_core.document_pass.finish import decoder_candidates, finish_mentions
from bioner_core.errors import BionerError
from bioner_core.formats.input_digests import file_digest
from bioner_core.formats.inputs import public_name
from bioner_core.store.committed import needs_no_decoding
from bioner_core.store.document_mentions import shard_documents
from bioner_core.store.layout import ShardDescriptor, input_key
from bioner_core.store.manifest import Manifest
from bioner_core.store.mention_ids import mention_prefix
from bioner_core.store.names import StoreNames, list_names
from bioner_core.store.reading import shard_batches
from bioner_core.store.schemas import SCHEMAS
from bioner_core.store.shard_writer import ShardWriter
from bioner_core.store.upgrade import conform
from pipelines.job import AnnotationJob
from pipelines.plan import descriptors_of, recorded_plan
from pipelines.shard import header_of

_KEPT = ("documents", "rejects", "deletions")
"""Tables of which nothing depends on how a shard is finished."""


def finish_again(stored: Manifest, descriptor: ShardDescriptor, *, job: AnnotationJob) -> Manifest:
    """Commit a shard over itself with the mentions that this job makes of its candidates; memory is that of one shard.

    Its counts are those of before but for its mentions, and its seconds those of before and of this work.

    Raises:
        DamagedFileError: a file of the shard is not what was committed; the shard is as it was before.
        StoreError: a file cannot be read, or the disk refuses; the shard is as it was before.
    """
    started = time.monotonic()
    writer = ShardWriter(job.store, header_of(descriptor, job))
    for table in _KEPT:
        for batch in shard_batches(job.store, stored, table=table):
            writer.add_rows(table, pa.Table.from_batches([conform(batch, SCHEMAS[table])]))
    mentions = accepted = 0
    for one in shard_documents(job.store, stored):
        candidates = decoder_candidates(one.mentions)
        if candidates:
            prefix = mention_prefix(candidates[0])
            finished = finish_mentions(
                one.document, candidates, settings=job.finish, label_sets=job.label_sets, id_prefix=prefix
            )
            writer.add_mentions(finished)
            mentions += len(finished)
            accepted += sum(mention.accepted for mention in finished)
    counts = replace(stored.counts, mentions=mentions, mentions_accepted=accepted)
    return writer.commit(counts, seconds=stored.seconds + time.monotonic() - started)


def needs_no_model(job: AnnotationJob) -> bool:
    """Whether earlier runs have committed all of this job, or all of its candidates, which are then finished anew.

    Reads each input that was planned before once for its digest, and parses none; candidates that are to be finished
    again are compared with their digests. False also when that cannot be told.
    """
    names = list_names(job.store)
    return all(_is_decoded(job, input_file, names) for input_file in job.inputs)


def _is_decoded(job: AnnotationJob, input_file: str, names: StoreNames) -> bool:
    if not names.knows(public_name(input_file)):
        return False
    try:
        key = input_key(public_name(input_file), file_digest(input_file))
        plan = recorded_plan(job.store, key, format_name=job.format_name)
        if plan is None:
            return False
        descriptors = descriptors_of(plan, input_file, committed=names.manifests(key))
        run, decode = job.run_fingerprint, job.decode_fingerprint
        return all(needs_no_decoding(job.store, one, fingerprint=run, decode=decode) for one in descriptors)
    except BionerError:
        return False  # the job itself will say what is wrong
