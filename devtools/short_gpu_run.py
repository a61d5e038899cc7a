"""Carry a base model and corpora to a machine with a GPU that has no network, in pieces, and bring a model back.

    python -m devtools.short_gpu_run pack gemma-3-270m --data ../shared/data --output pieces   # here
    python -m devtools.short_gpu_run unpack pieces                                             # there
    python -m devtools.short_gpu_run cut runs/gemma --output back                              # there
    python -m devtools.short_gpu_run join back --output runs                                   # here

A base travels as its GGUF file holds it, dequantised on arrival to the very numbers that `bioner models pull` makes.
Of the embeddings only the rows of tokens that the corpora and prompts hold travel; the others are zero there. So what
is trained there fits the whole base here. Every piece and every result is checked by its digest.
"""

import argparse
import hashlib
import io
import json
import lzma
import random
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoTokenizer

from bioner_core.evaluation.assembly import record_sentences
from bioner_core.evaluation.corpora import read_corpus
from bioner_core.labels.label_set import bundled_label_sets, load_label_set
from bioner_core.models.base_model import base_folder, fetch_file, pulled_folder
from bioner_core.models.bases import PULLABLE, PullableBase
from bioner_core.models.tag_choice import free_tags
from bioner_core.models.vocabulary import TaggingVocabulary
from bioner_core.tagging.scheme import TagScheme
from bioner_core.text.folding import fold
from bioner_core.training.prompt_variation import usual_prompt, varied_prompt

PIECE_BYTES = 15 * 1024 * 1024
"""A piece's size: what is brought back may be at most 16 MiB a file."""

_LIST = "pieces.json"
_VARIED_PROMPTS = 4_000


def pack(base: PullableBase, data: Path, output: Path, *, with_corpora: bool = True) -> None:
    """Write a base, and the corpora unless they travel with another, in pieces."""
    with tempfile.TemporaryDirectory() as work:
        arrays, about = _quantised(base, _used_ids(base, data), Path(work))
        save_arrays(arrays, Path(work) / "base.safetensors", {"about": json.dumps(about)})
        members = {f"{base.name}/base.safetensors": Path(work) / "base.safetensors"}
        for file in base_folder(base.name).iterdir():
            if file.suffix != ".safetensors":
                members[f"{base.name}/{file.name}"] = file
        if with_corpora:
            members |= {f"data/{one.relative_to(data)}": one for one in sorted(data.rglob("*.jsonl.gz"))}
        _write_pieces(_tar(members), output)


def unpack(pieces: Path, shared: Path) -> None:
    """Join the pieces, put the base where bioner looks for it, and the corpora under `shared`/data.

    Raises:
        SystemExit: a piece is missing or damaged, or the base is not what was packed.
    """
    with tarfile.open(fileobj=io.BytesIO(_read_pieces(pieces))) as archive:
        archive.extractall(shared, filter="data")
    for folder in sorted(shared.iterdir()):
        if (folder / "base.safetensors").is_file():
            _restore(folder, pulled_folder(PULLABLE[folder.name]))


def cut(folder: Path, output: Path) -> None:
    """Write a folder in pieces."""
    members = {f"{folder.name}/{one.relative_to(folder)}": one for one in sorted(folder.rglob("*")) if one.is_file()}
    _write_pieces(_tar(members), output)


def join(pieces: Path, output: Path) -> None:
    """Make a folder again from its pieces."""
    with tarfile.open(fileobj=io.BytesIO(_read_pieces(pieces))) as archive:
        archive.extractall(output, filter="data")


def _used_ids(base: PullableBase, data: Path) -> list[int]:
    """The base's token ids in any corpus text, in usual prompts, and in many varied ones."""
    tokenizer = AutoTokenizer.from_pretrained(
        str(base_folder(base.name)), local_files_only=True, trust_remote_code=False
    )
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
        count = _VARIED_PROMPTS // len(label_sets)
        drawn += [varied_prompt(label_set, names, vocabulary=vocabulary, chooser=chooser) for _ in range(count)]
        for one in drawn:
            used.update(one.tokens.prefix)
            used.update(token for separator in one.tokens.separators for token in separator)
    return sorted(one for one in used if one < 1 << 30)


def _quantised(base: PullableBase, ids: Sequence[int], work: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Each weight of the converted base as rows of its GGUF file, or as plain bfloat16 where it is small."""
    rows_by_digest = dict(_rows_by_digest(gguf.GGUFReader(str(fetch_file(base, work)))))
    arrays: dict[str, Any] = {}
    about: dict[str, Any] = {"tensors": {}}
    whole = hashlib.sha256()
    with safe_open(base_folder(base.name) / "model.safetensors", framework="pt") as weights:
        for name in sorted(weights.keys()):
            value: Tensor = weights.get_tensor(name)
            kept = torch.tensor(ids) if "embed_tokens" in name else None
            rows = value if kept is None else value[kept]
            found = [rows_by_digest.get(_digest(row)) for row in rows] if value.dim() == 2 else [None]
            if all(one is not None for one in found):
                arrays[name] = np.stack([np.frombuffer(one[1], dtype=np.uint8) for one in found if one])
                about["tensors"][name] = {"kind": found[0][0], "shape": list(value.shape)}  # type: ignore[index]
            else:
                arrays[name] = rows.contiguous().view(torch.int16).numpy()
                about["tensors"][name] = {"kind": "", "shape": list(value.shape)}
            if kept is not None:
                arrays[f"{name} ids"] = kept.numpy()
            whole.update(f"{name} ".encode() + _bytes(rows))
    return arrays, about | {"sha256": whole.hexdigest()}


def _rows_by_digest(reader: Any) -> Iterator[tuple[bytes, tuple[str, bytes]]]:
    """Every row of every matrix of a GGUF file: the digest of its numbers in bfloat16, its type, and its bytes."""
    for tensor in reader.tensors:
        if len(tensor.shape) == 2 and tensor.tensor_type.name not in ("F32", "F16", "BF16"):
            numbers = _numbers(tensor.data, tensor.tensor_type)
            for row, held in zip(numbers, tensor.data, strict=True):
                yield _digest(row), (tensor.tensor_type.name, held.tobytes())


def _numbers(data: Any, kind: Any) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(gguf.quants.dequantize(data, kind))).to(torch.bfloat16)


def _bytes(value: Tensor) -> bytes:
    return value.contiguous().view(torch.int16).numpy().tobytes()


def _digest(value: Tensor) -> bytes:
    return hashlib.blake2b(_bytes(value), digest_size=16).digest()


def _restore(folder: Path, target: Path) -> None:
    """Dequantise a carried base into the folder of a pulled one."""
    file = folder / "base.safetensors"
    arrays = load_arrays(file)
    with safe_open(file, framework="np") as opened:
        about = json.loads((opened.metadata() or {})["about"])
    weights: dict[str, Tensor] = {}
    whole = hashlib.sha256()
    for name, facts in sorted(about["tensors"].items()):
        if facts["kind"]:
            rows = _numbers(arrays[name], gguf.GGMLQuantizationType[facts["kind"]])
        else:
            rows = torch.from_numpy(arrays[name]).view(torch.bfloat16)
        whole.update(f"{name} ".encode() + _bytes(rows))
        weights[name] = rows
        if f"{name} ids" in arrays:
            weights[name] = torch.zeros(facts["shape"], dtype=torch.bfloat16)
            weights[name][torch.from_numpy(arrays[f"{name} ids"])] = rows
    if whole.hexdigest() != about["sha256"]:
        sys.exit(f"{folder.name}: its numbers are not those that were packed")
    target.mkdir(parents=True, exist_ok=True)
    save_file(weights, target / "model.safetensors", {"format": "pt"})
    for one in folder.iterdir():
        if one != file:
            one.replace(target / one.name)


def _tar(members: dict[str, Path]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, file in members.items():
            archive.add(file, arcname=name, recursive=False)
    return sink.getvalue()


def _write_pieces(content: bytes, output: Path) -> None:
    packed = lzma.compress(content, preset=1)
    output.mkdir(parents=True, exist_ok=True)
    pieces = [packed[start : start + PIECE_BYTES] for start in range(0, len(packed), PIECE_BYTES)]
    names = []
    for number, piece in enumerate(pieces):
        names.append(f"piece{number:02d}.xz")
        (output / names[-1]).write_bytes(piece)
    about = {"sha256": hashlib.sha256(packed).hexdigest(), "pieces": names}
    (output / _LIST).write_text(json.dumps(about), encoding="utf-8")
    print(f"{output}: {len(pieces)} pieces, {len(packed) / 1e6:.1f} MB")


def _read_pieces(folder: Path) -> bytes:
    about = json.loads((folder / _LIST).read_text(encoding="utf-8"))
    missing = [name for name in about["pieces"] if not (folder / name).is_file()]
    if missing:
        sys.exit(f"{folder}: these pieces are missing: {', '.join(missing)}")
    packed = b"".join((folder / name).read_bytes() for name in about["pieces"])
    if hashlib.sha256(packed).hexdigest() != about["sha256"]:
        sys.exit(f"{folder}: the pieces are damaged; carry them again")
    return lzma.decompress(packed)


def main(arguments: Iterable[str] | None = None) -> None:
    """Run one of the four steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    packing = steps.add_parser("pack", help="write a base and the corpora in pieces")
    packing.add_argument("base", choices=sorted(PULLABLE))
    packing.add_argument("--data", type=Path, required=True)
    packing.add_argument("--output", type=Path, required=True)
    packing.add_argument("--without-corpora", action="store_true", help="they travel with another base")
    unpacking = steps.add_parser("unpack", help="make base and corpora from the pieces")
    unpacking.add_argument("pieces", type=Path)
    unpacking.add_argument("--shared", type=Path, default=Path("../shared"))
    for name, what in (("cut", "write a folder in pieces"), ("join", "make a folder from its pieces")):
        one = steps.add_parser(name, help=what)
        one.add_argument("folder", type=Path)
        one.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(None if arguments is None else list(arguments))
    if given.step == "pack":
        pack(PULLABLE[given.base], given.data, given.output, with_corpora=not given.without_corpora)
    elif given.step == "unpack":
        unpack(given.pieces, given.shared)
    elif given.step == "cut":
        cut(given.folder, given.output)
    else:
        join(given.folder, given.output)


if __name__ == "__main__":
    main()
