"""Does a job need a model? Asked before Beam is imported and Ray started."""

from bioner_core.errors import BionerError
from bioner_core.formats.inputs import public_name
from bioner_core.store.committed import needs_no_decoding
from bioner_core.store.layout import input_key
from bioner_core.store.names import StoreNames, list_names
from pipelines.job import AnnotationJob
from pipelines.plan import descriptors_of, recorded_plan
from pipelines.shard_input import file_digest


def needs_no_model(job: AnnotationJob) -> bool:
    """Whether earlier runs have committed all of this job, or all of its candidates, which are then finished anew.

    Reads each input once for its digest, and parses none. False also when that cannot be told.
    """
    names = list_names(job.store)
    return all(_is_decoded(job, input_file, names) for input_file in job.inputs)


def _is_decoded(job: AnnotationJob, input_file: str, names: StoreNames) -> bool:
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
