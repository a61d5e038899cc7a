"""The plan of one input, kept in the store: how its records were cut into shards the first time.

A later run cuts them the same way, whatever shard size it asks for, so committed work is never done twice and no row is
ever stored twice. A lost plan does no harm: it is made anew around the shards that are committed.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from bioner_core.errors import StoreError
from bioner_core.store.atomic import write_text
from bioner_core.store.committed import whole_manifest
from bioner_core.store.layout import Store, shard_id
from bioner_core.store.manifest import Manifest
from bioner_core.store.paths import sorted_paths
from bioner_core.store.reading import manifests_of_input
from bioner_core.store.stored_record import stored_record
from bioner_core.typed_json import loaded_json, with_checksum


@dataclass(frozen=True, slots=True)
class InputPlan:
    """How one content of one input is cut; `ranges` are (first, last) record numbers from 0, last exclusive.

    `input_file` is its public name; `key` is `layout.input_key` of it; `readers_version` is that of the readers that
    counted its records, `planned` when the input was planned first (ISO 8601, UTC); both are empty in plans from before
    they were kept.
    """

    key: str
    input_file: str
    input_digest: str
    format_name: str
    source: str
    records: int
    ranges: tuple[tuple[int, int], ...]
    readers_version: str = ""
    planned: str = field(default="", compare=False)


def write_plan(store: Store, plan: InputPlan) -> None:
    """Keep a plan, in place of any older one of the same content.

    Raises:
        StoreError: the store cannot be written.
    """
    write_text(store.plan(plan.key), json.dumps(with_checksum(asdict(plan)), ensure_ascii=False) + "\n")


def read_plan(store: Store, key: str) -> InputPlan | None:
    """The plan of one content of one input, or None when there is none, or a damaged one: both are made anew.

    Raises:
        StoreError: a newer bioner wrote the plan, or it cannot be read for a reason that another one would not cure.
    """
    path = store.plan(key)
    try:
        plan = stored_record(InputPlan, loaded_json(path.read_text(encoding="utf-8")), where=str(path))
        return plan if plan.key == key else None  # a copy under another name would count its input twice
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error}). Check the file and its permissions") from error
    except ValueError:
        return None


def first_planned(store: Store, key: str, *, plan: InputPlan | None) -> str:
    """When an input with this plan was planned first: now, where it has none.

    Where the plan does not say it, because it is older or damaged, its file does.

    Raises:
        ObjectStorageError: the service does not answer, or refuses.
    """
    if plan is not None and plan.planned:
        return plan.planned
    found = datetime.now(UTC)
    # On object storage no new input is asked for its plan a second time: a look is a request.
    if plan is not None or not store.is_remote:
        with suppress(FileNotFoundError):
            found = min(found, datetime.fromtimestamp(store.plan(key).stat().st_mtime, UTC))
    return found.isoformat(timespec="microseconds")


def manifests_of_plan(store: Store, key: str) -> list[Manifest]:
    """The committed shards of one content of one input, by first record: those that its plan names.

    The store's manifests are listed only where there is no plan.

    Raises:
        StoreError: as `read_plan`, or a newer bioner wrote a manifest.
    """
    plan = read_plan(store, key)
    if plan is None:
        return manifests_of_input(store, key)
    found = (whole_manifest(store, shard_id(key, first, last=last)) for first, last in plan.ranges)
    return [manifest for manifest in found if manifest is not None]


def damaged_plans(store: Store) -> Iterator[str]:
    """The plans that cannot be read, in words."""
    for path in sorted_paths(store.plans.glob("[!.]*.json")):
        try:
            damaged = read_plan(store, path.stem) is None and path.exists()
        except StoreError as error:
            yield str(error)
            continue
        if damaged:
            yield f"plans/{path.name} is damaged. Remove it; the next run of its input makes it anew"


def read_plans(store: Store) -> Iterator[InputPlan]:
    """All plans of a store that can be read, by key.

    Raises:
        StoreError: as `read_plan`.
    """
    for path in sorted_paths(store.plans.glob("[!.]*.json")):
        plan = read_plan(store, path.stem)
        if plan is not None:
            yield plan
