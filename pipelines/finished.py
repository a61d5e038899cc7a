"""Is a job finished already? Asked before Beam is imported and a model started."""

from bioner_core.errors import BionerError
from bioner_core.formats.inputs import public_name
from bioner_core.store.committed import committed_manifest
from bioner_core.store.layout import input_key
from bioner_core.store.reading import manifests_of_input
from pipelines.job import AnnotationJob
from pipelines.plan import descriptors_of, recorded_plan
from pipelines.shard_input import file_digest


def nothing_to_do(job: AnnotationJob) -> bool:
    """Whether an earlier run has committed all of this job, so that no model need be started for it.

    Reads each input once for its digest, and parses none. False also when that cannot be told.
    """
    return all(_is_finished(job, input_file) for input_file in job.inputs)


def _is_finished(job: AnnotationJob, input_file: str) -> bool:
    try:
        key = input_key(public_name(input_file), file_digest(input_file))
        plan = recorded_plan(job.store, key, format_name=job.format_name)
        if plan is None:
            return False
        descriptors = descriptors_of(plan, input_file, committed=manifests_of_input(job.store, key))
        return all(committed_manifest(job.store, one, fingerprint=job.run_fingerprint) for one in descriptors)
    except BionerError:
        return False  # the job itself will say what is wrong
