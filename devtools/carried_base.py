"""A base model as it travels to a machine without a network, and what it is made into again there.

A pulled base travels as its GGUF file holds it, dequantised on arrival to the very numbers that `bioner models pull`
makes; any other as it is. Of the embeddings only the rows of tokens that the corpora and prompts hold travel; the
others are zero there. So what is trained there fits the whole base here. All of it is checked by its digest.
"""

import hashlib
import importlib
import importlib.util
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoTokenizer

from bioner_core.errors import InputError
from bioner_core.evaluation.corpora import read_corpus, record_sentences
from bioner_core.labels.label_set import bundled_label_sets, load_label_set
from bioner_core.models.base_model import DIGESTS_FILE, base_folder, fetch_file
from bioner_core.models.bases import PULLABLE
from bioner_core.models.tag_choice import free_tags
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.tagging.scheme import TagScheme
from bioner_core.text.folding import fold
from bioner_core.training.prompt_variation import usual_prompt, varied_prompt
from devtools.file_pieces import files_below

CARRIED_FILE = "base.safetensors"
"""The weights of a base that has been carried and not yet been restored."""

VARIED_PROMPTS = 4_000
"""How many prompts are drawn to see which tokens prompts hold, all label sets together."""

_PACKAGES = "packages"
_PLAIN_VIEWS = {2: torch.int16, 4: torch.int32}


def carried_members(base: str, data: Path, *, work: Path) -> dict[str, Path]:
    """The files of a base, a pullable name or a folder, by the names under which they travel."""
    folder, name = base_folder(base), base_name(base)
    arrays, about = _carried_weights(base, used_ids(base, data), work)
    save_arrays(arrays, work / CARRIED_FILE, {"about": json.dumps(about)})
    members = {f"{name}/{CARRIED_FILE}": work / CARRIED_FILE}
    # The digests are of weights with all their rows; those that are restored there are others.
    others = (file for file in folder.iterdir() if file.suffix != ".safetensors" and file.name != DIGESTS_FILE)
    members |= {f"{name}/{file.name}": file for file in others}
    if base in PULLABLE:  # the machine there has no such package; it is plain Python
        found = importlib.util.find_spec("gguf")
        package = Path(str(found.origin)).parent if found is not None else Path()
        members |= {
            name: file
            for name, file in files_below(package, under=f"{_PACKAGES}/gguf").items()
            if file.suffix == ".py" and "scripts" not in file.parts
        }
    return members


def base_name(base: str) -> str:
    """The name of a base: its pullable name, or that of its folder."""
    return base if base in PULLABLE else Path(base).resolve().name


def restore_base(folder: Path, target: Path) -> None:
    """Make a base of what was carried of it in `folder`.

    Raises:
        InputError: its numbers are not those that were packed.
    """
    file = folder / CARRIED_FILE
    arrays = load_arrays(file)
    with safe_open(file, framework="np") as opened:
        about = json.loads((opened.metadata() or {})["about"])
    weights: dict[str, Tensor] = {}
    whole = hashlib.sha256()
    for name, facts in sorted(about["tensors"].items()):
        rows = _rows(arrays[name], facts, packages=folder.parent / _PACKAGES)
        whole.update(f"{name} ".encode() + _bytes(rows))
        weights[name] = rows
        if f"{name} ids" in arrays:
            weights[name] = torch.zeros(facts["shape"], dtype=rows.dtype)
            weights[name][torch.from_numpy(arrays[f"{name} ids"])] = rows
    if whole.hexdigest() != about["sha256"]:
        raise InputError(f"{folder.name}: its numbers are not those that were packed; carry the pieces again")
    target.mkdir(parents=True, exist_ok=True)
    save_file(weights, target / "model.safetensors", {"format": "pt"})
    for one in folder.iterdir():
        if one != file:
            one.replace(target / one.name)
    file.unlink()


def used_ids(base: str, data: Path) -> list[int]:
    """The base's token ids in any corpus text, in usual prompts, and in many varied ones."""
    tokenizer = AutoTokenizer.from_pretrained(str(base_folder(base)), local_files_only=True, trust_remote_code=False)
    label_sets = [load_label_set(name) for name in bundled_label_sets()]
    tags = sorted({one.tag for label_set in label_sets for one in label_set.types})
    vocabulary = TaggingVocabulary(tokenizer, base_size=1 << 30, tags=[*tags, *free_tags()], characters=())
    used: set[int] = set(range(300))  # control tokens and single bytes
    for file in sorted(data.rglob("*.jsonl.gz")):
        for record in read_corpus(file):
            for sentence in record_sentences(record):
                for text in {sentence.text, fold(sentence.text).text}:
                    used.update(token for unit in vocabulary.unit_ids(text) for token in unit)
    chooser = random.Random(0)  # noqa: S311 - sampling, not secrecy
    names = [name for one in label_sets for kind in one.types for name in (kind.en, kind.zh)]
    for label_set in label_sets:
        drawn = [usual_prompt(label_set, vocabulary=vocabulary, scheme=TagScheme.INLINE)]
        count = VARIED_PROMPTS // len(label_sets)
        drawn += [varied_prompt(label_set, names, vocabulary=vocabulary, chooser=chooser) for _ in range(count)]
        for one in drawn:
            used.update(one.tokens.prefix)
            used.update(token for separator in one.tokens.separators for token in separator)
    return sorted(one for one in used if one < 1 << 30)


def _carried_weights(base: str, ids: Sequence[int], work: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Each weight as rows of the base's GGUF file, or as plain numbers where it is small or there is no such file."""
    rows_by_digest: dict[bytes, tuple[str, bytes]] = {}
    if base in PULLABLE:
        gguf = importlib.import_module("gguf")
        rows_by_digest = dict(_rows_by_digest(gguf, gguf.GGUFReader(str(fetch_file(PULLABLE[base], work)))))
    arrays: dict[str, Any] = {}
    about: dict[str, Any] = {"tensors": {}}
    whole = hashlib.sha256()
    with safe_open(base_folder(base) / "model.safetensors", framework="pt") as weights:
        for name in sorted(weights.keys()):
            value: Tensor = weights.get_tensor(name)
            kept = torch.tensor([one for one in ids if one < len(value)]) if "embed_tokens" in name else None
            rows = value if kept is None else value[kept]
            found = [rows_by_digest.get(_digest(row)) for row in rows] if value.dim() == 2 else [None]
            held = [one for one in found if one is not None]
            facts = {"shape": list(value.shape), "number_format": str(value.dtype).removeprefix("torch."), "kind": ""}
            if len(held) == len(found):
                arrays[name] = np.stack([np.frombuffer(data, dtype=np.uint8) for _, data in held])
                facts["kind"] = held[0][0]
            else:
                arrays[name] = rows.contiguous().view(_PLAIN_VIEWS[rows.element_size()]).numpy()
            about["tensors"][name] = facts
            if kept is not None:
                arrays[f"{name} ids"] = kept.numpy()
            whole.update(f"{name} ".encode() + _bytes(rows))
    return arrays, about | {"sha256": whole.hexdigest()}


def _rows_by_digest(gguf: Any, reader: Any) -> Iterator[tuple[bytes, tuple[str, bytes]]]:
    """Every row of every matrix of a GGUF file: the digest of its numbers in bfloat16, its type, and its bytes."""
    for tensor in reader.tensors:
        if len(tensor.shape) == 2 and tensor.tensor_type.name not in ("F32", "F16", "BF16"):
            numbers = _numbers(gguf, tensor.data, tensor.tensor_type)
            for row, held in zip(numbers, tensor.data, strict=True):
                yield _digest(row), (tensor.tensor_type.name, held.tobytes())


def _rows(array: Any, facts: dict[str, Any], *, packages: Path) -> Tensor:
    """The numbers of a weight that was carried; GGUF's own package travels too, since few machines have it."""
    if not facts["kind"]:
        return torch.from_numpy(array).view(getattr(torch, facts["number_format"]))
    if importlib.util.find_spec("gguf") is None:
        sys.path.append(str(packages))
    gguf = importlib.import_module("gguf")
    return _numbers(gguf, array, gguf.GGMLQuantizationType[facts["kind"]])


def _numbers(gguf: Any, data: Any, kind: Any) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(gguf.quants.dequantize(data, kind))).to(torch.bfloat16)


def _bytes(value: Tensor) -> bytes:
    return value.contiguous().view(_PLAIN_VIEWS[value.element_size()]).numpy().tobytes()


def _digest(value: Tensor) -> bytes:
    return hashlib.blake2b(_bytes(value), digest_size=16).digest()
