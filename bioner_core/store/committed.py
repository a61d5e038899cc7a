"""Whether a shard needs work: the question that makes a rerun cheap."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from bioner_core.errors import DamagedFileError
from bioner_core.file_digest import sha256_of_file
from bioner_core.store.layout import TABLES, ShardDescriptor, Store
from bioner_core.store.manifest import Manifest, StoredFile, read_manifest
from bioner_core.store.manifest_cache import manifest_cache
from bioner_core.store.objects.object_path import ObjectPath
from bioner_core.store.paths import StorePath
from bioner_core.store.schemas import SCHEMA_VERSION


def committed_manifest(store: Store, descriptor: ShardDescriptor, *, fingerprint: str) -> Manifest | None:
    """The shard's manifest if it is for this very work and its files are there with the right sizes, else None.

    Looks anew, whatever was found before. What it finds of a shard that needs work is kept for `whole_manifest`, where
    asking again costs a request (`ManifestCache`).

    Raises:
        StoreError: a newer version of bioner wrote the manifest.
    """
    cache = manifest_cache(store)
    cache.forget(descriptor.shard_id)
    manifest = whole_manifest(store, descriptor.shard_id)
    if manifest is None or not _is_for(manifest, descriptor, fingerprint):
        cache.keep(descriptor.shard_id, manifest)
        return None
    # Invariant: a shard is skipped only if all that its answers depend on is equal and its files have their sizes. The
    # content is not read here: that is what `bioner verify` is for.
    return manifest if files_are_there(store, manifest) else None


def unfinished_manifest(store: Store, descriptor: ShardDescriptor, *, fingerprint: str, decode: str) -> Manifest | None:
    """The shard's manifest if its candidates are those that decoding would give, and were finished otherwise.

    Such a shard needs to be finished again, and no model, unless a file of it is damaged: of the files only their sizes
    are looked at. `fingerprint` is that of the run, `decode` its decode fingerprint.

    Raises:
        StoreError: a newer version of bioner wrote the manifest.
    """
    manifest = whole_manifest(store, descriptor.shard_id)
    if manifest is None or manifest.fingerprint == fingerprint or manifest.decode_fingerprint != decode:
        return None
    return manifest if _is_of_records(manifest, descriptor) and files_are_there(store, manifest) else None


def needs_no_decoding(store: Store, descriptor: ShardDescriptor, *, fingerprint: str, decode: str) -> bool:
    """Whether a shard is committed, or its candidates are, so that no model is needed for it.

    Candidates that are to be finished again are copied, so their files are read and compared with their digests.

    Raises:
        StoreError: a newer version of bioner wrote the manifest.
    """
    if committed_manifest(store, descriptor, fingerprint=fingerprint) is not None:
        return True
    unfinished = unfinished_manifest(store, descriptor, fingerprint=fingerprint, decode=decode)
    return unfinished is not None and not any(changed_files(store, unfinished))


def whole_manifest(store: Store, shard: str) -> Manifest | None:
    """The manifest of a shard, or None where there is none or a damaged one: either way the shard is to be made.

    Raises:
        StoreError: a newer version of bioner wrote it.
    """
    found = manifest_cache(store).found(shard)
    if found is not None:
        return found.manifest
    with suppress(DamagedFileError):
        return read_manifest(store, shard)
    return None


def files_are_there(store: Store, manifest: Manifest) -> bool:
    """Whether all files of a shard are there with their sizes."""
    return not any(torn_files(store, manifest))


def torn_files(store: Store, manifest: Manifest, *, listed: Mapping[str, int] | None = None) -> Iterator[str]:
    """The files of a shard, as the manifest names them, that are gone or have another size.

    What `listed` says of sizes need not be asked for where it is right (`listed_sizes`).
    """
    known = listed or {}
    doubtful = (file for file in manifest.files if known.get(file.path) != file.bytes)
    return (file.path for file in doubtful if not has_size(store.file(file.path), file.bytes))


def changed_files(store: Store, manifest: Manifest) -> Iterator[str]:
    """The files of a shard that are gone, cannot be read, or are not what was committed, in words; reads all of them.

    Raises:
        ObjectStorageError: the service does not answer, or refuses.
    """
    for file in manifest.files:
        try:
            if sha256_of_file(store.file(file.path)) != file.sha256:
                yield changed_words(store, file, manifest=manifest)
        except OSError as error:
            yield changed_words(store, file, manifest=manifest, fault=f"cannot be read ({error})")


def changed_words(
    store: Store, file: StoredFile, *, manifest: Manifest, fault: str = "has changed since it was written"
) -> str:
    """That a file of a shard is damaged, and what to do."""
    return (
        f"{store.file(file.path)}: {fault}. Restore it, or remove manifests/{manifest.shard_id}.json and annotate "
        f"{manifest.input_file} again; `bioner verify` lists all that is wrong"
    )


def listed_sizes(store: Store) -> dict[str, int]:
    """The bytes of each file of the tables on object storage, where one listing costs less than a look at each.

    Empty for a store in a folder.

    Raises:
        ObjectStorageError: the service does not answer, or refuses.
    """
    if not isinstance(store.root, ObjectPath):
        return {}
    folders = [store.root / table for table in TABLES]
    return {store.name_of(path): found.st_size for folder in folders for path, found in folder.listed()}


def _is_for(manifest: Manifest, descriptor: ShardDescriptor, fingerprint: str) -> bool:
    same_work = manifest.fingerprint == fingerprint and manifest.schema_version == SCHEMA_VERSION
    return same_work and _is_of_records(manifest, descriptor)


def _is_of_records(manifest: Manifest, descriptor: ShardDescriptor) -> bool:
    return (
        manifest.input_digest == descriptor.input_digest
        and manifest.format_name == descriptor.format_name
        and (manifest.first, manifest.last) == (descriptor.first, descriptor.last)
    )


def has_size(path: StorePath, size: int) -> bool:
    """Whether a file is there, with so many bytes."""
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False
