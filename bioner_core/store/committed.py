"""Whether a shard needs work: the question that makes a rerun cheap."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bioner_core.errors import DamagedFileError
from bioner_core.store.layout import ShardDescriptor, Store
from bioner_core.store.manifest import Manifest, read_manifest
from bioner_core.store.schemas import SCHEMA_VERSION


def committed_manifest(store: Store, descriptor: ShardDescriptor, *, fingerprint: str) -> Manifest | None:
    """The shard's manifest if it is for this very work and its files are there with the right sizes, else None.

    Raises:
        StoreError: a newer version of bioner wrote the manifest.
    """
    manifest = whole_manifest(store, descriptor.shard_id)
    if manifest is None or not _is_for(manifest, descriptor, fingerprint):
        return None
    # Invariant: a shard is skipped only if all that its answers depend on is equal and its files have their sizes. The
    # content is not read here: that is what `bioner verify` is for.
    return manifest if files_are_there(store, manifest) else None


def unfinished_manifest(store: Store, descriptor: ShardDescriptor, *, fingerprint: str, decode: str) -> Manifest | None:
    """The shard's manifest if its candidates are those that decoding would give, and were finished otherwise.

    Such a shard needs to be finished again, and no model. `fingerprint` is that of the run, `decode` its decode
    fingerprint.

    Raises:
        StoreError: a newer version of bioner wrote the manifest.
    """
    manifest = whole_manifest(store, descriptor.shard_id)
    if manifest is None or manifest.fingerprint == fingerprint or manifest.decode_fingerprint != decode:
        return None
    return manifest if _is_of_records(manifest, descriptor) and files_are_there(store, manifest) else None


def needs_no_decoding(store: Store, descriptor: ShardDescriptor, *, fingerprint: str, decode: str) -> bool:
    """Whether a shard is committed, or its candidates are, so that no model is needed for it.

    Raises:
        StoreError: a newer version of bioner wrote the manifest.
    """
    if committed_manifest(store, descriptor, fingerprint=fingerprint) is not None:
        return True
    return unfinished_manifest(store, descriptor, fingerprint=fingerprint, decode=decode) is not None


def whole_manifest(store: Store, shard: str) -> Manifest | None:
    """The manifest of a shard, or None where there is none or a damaged one: either way the shard is to be made.

    Raises:
        StoreError: a newer version of bioner wrote it.
    """
    with suppress(DamagedFileError):
        return read_manifest(store, shard)
    return None


def files_are_there(store: Store, manifest: Manifest) -> bool:
    """Whether all files of a shard are there with their sizes."""
    return not any(torn_files(store, manifest))


def torn_files(store: Store, manifest: Manifest) -> Iterator[str]:
    """The files of a shard, as the manifest names them, that are gone or have another size."""
    return (file.path for file in manifest.files if not _has_size(store.file(file.path), file.bytes))


def _is_for(manifest: Manifest, descriptor: ShardDescriptor, fingerprint: str) -> bool:
    same_work = manifest.fingerprint == fingerprint and manifest.schema_version == SCHEMA_VERSION
    return same_work and _is_of_records(manifest, descriptor)


def _is_of_records(manifest: Manifest, descriptor: ShardDescriptor) -> bool:
    return (
        manifest.input_digest == descriptor.input_digest
        and manifest.format_name == descriptor.format_name
        and (manifest.first, manifest.last) == (descriptor.first, descriptor.last)
    )


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False
