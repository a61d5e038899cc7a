"""Finishes a shard again and kills itself: arguments are store, input and countdown of durable renames."""

import sys
from pathlib import Path

from annotate_fakes import ENGLISH, make_job
from rename_countdown import end_before_rename

from bioner_core.document_pass.settings import FinishSettings
from bioner_core.formats.input_digests import file_digest
from bioner_core.store.layout import Store, input_key
from bioner_core.store.reading import manifests_of_input
from pipelines.plan import descriptors_of, recorded_plan
from pipelines.refinish import finish_again


def main() -> None:
    """Finish again until the countdown ends, just before the last rename."""
    store, name, countdown = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    job = make_job(store, name, label_sets=(ENGLISH,), finish=FinishSettings((("genia", 0.5),)))
    key = input_key(Path(name).name, file_digest(name))
    plan = recorded_plan(Store(store), key, format_name=None)
    assert plan is not None
    [manifest] = manifests_of_input(Store(store), key)
    [descriptor] = descriptors_of(plan, name, committed=[manifest])
    end_before_rename(countdown)
    finish_again(manifest, descriptor, job=job)


if __name__ == "__main__":
    main()
