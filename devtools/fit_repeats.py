"""Fit the weights of repeats (`bioner_core.document_pass.settings`), each corpus judged by weights of the others.

    python -m devtools.fit_repeats --fit bc5cdr=dev.jsonl.gz:bc5cdr --fit biored=train.jsonl.gz:genia:Gene=protein \\
        --judge craft=dev.jsonl.gz:bc5cdr:CHEBI=Chemical --limit 40 --candidates FOLDER --json

A corpus is NAME=FILE:LABEL_SET, with OLD=NEW,... behind it where its types have other names. Those behind `--judge` are
never fitted on. What the model gave is kept in the folder, so that a second run decodes nothing.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from bioner.model import load_model
from bioner_core.document_pass.abbreviation_pairs import abbreviation_pairs
from bioner_core.document_pass.finish import finish_document
from bioner_core.document_pass.proposals import REPEAT, proposals
from bioner_core.document_pass.settings import THRESHOLD, WEIGHTS, RepeatFacts, features, probability
from bioner_core.evaluation.corpora import GoldRecord, read_corpus, with_types
from bioner_core.evaluation.finished import gold_document
from bioner_core.evaluation.scoring import RecordSpans, score
from bioner_core.labels.label_set import LabelSetChoice, load_label_set
from bioner_core.mentions import Mention, Span
from bioner_core.store.atomic import replacing

_PULL = 0.5
"""How strongly weights are pulled to those of today: a case more or less must not turn them over."""


@dataclass(frozen=True, slots=True)
class Case:
    """An occurrence of a name that the decoder left unmarked or unaccepted, and whether it is gold."""

    facts: RepeatFacts
    is_gold: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A corpus with what the model gave for it; `types` are those that its gold marks."""

    name: str
    records: Sequence[GoldRecord]
    mentions: Sequence[Sequence[Mention]]
    types: frozenset[str]

    def cases(self) -> list[Case]:
        """Its repeats, but for those within or across an accepted mention, which are never accepted."""
        found: list[tuple[Case, str]] = []
        for record, mentions in zip(self.records, self.mentions, strict=True):
            found += _cases(record, mentions)
        return [case for case, kind in found if kind in self.types]

    def f1(self, weights: Sequence[float] | None) -> float:
        """Strict F1 without the pass (None), or with these weights."""
        scorer = None if weights is None else partial(probability, weights=tuple(weights))
        sides = []
        for record, mentions in zip(self.records, self.mentions, strict=True):
            found = (
                mentions if scorer is None else finish_document(gold_document(record), mentions, scorer=scorer).mentions
            )
            spans = (Span(one.start, one.end, one.type) for one in found if one.accepted)
            sides.append(RecordSpans(record.spans, frozenset(one for one in spans if one.type in self.types)))
        return score(sides).f1


def _cases(record: GoldRecord, mentions: Sequence[Mention]) -> list[tuple[Case, str]]:
    document = gold_document(record)
    accepted = [(one.start, one.end) for one in mentions if one.accepted]
    pairs = abbreviation_pairs(document.passages, known=[(0, start, end) for start, end in accepted])
    facts: list[RepeatFacts] = []

    def told(one: RepeatFacts) -> float:
        facts.append(one)
        return 0.0

    every = LabelSetChoice("")  # a gold document is one passage, of one language
    _, proposed = proposals(document, mentions, label_set=every, pairs=pairs, scorer=told)
    repeats = [one for one in proposed if one.origin == REPEAT and not one.in_place]
    return [
        (Case(fact, Span(one.start, one.end, one.type) in record.spans), one.type)
        for fact, one in zip(facts, repeats, strict=True)
        if not any(start < one.end and one.start < end for start, end in accepted)
    ]


def fitted(cases: Sequence[Case]) -> tuple[float, ...]:
    """The weights of a logistic model of these cases, pulled to those of today."""
    import torch

    if not cases:
        return WEIGHTS
    rows = torch.tensor([features(one.facts) for one in cases], dtype=torch.float64)
    right = torch.tensor([float(one.is_gold) for one in cases], dtype=torch.float64)
    start = torch.tensor(WEIGHTS, dtype=torch.float64)
    weights = start.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200)

    def loss() -> Any:
        optimizer.zero_grad()
        likelihood = torch.nn.functional.binary_cross_entropy_with_logits(rows @ weights, right, reduction="sum")
        total = likelihood + _PULL * ((weights - start) ** 2).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return tuple(round(value, 3) for value in weights.tolist())


def leave_one_out(to_fit: Sequence[Judged], to_judge: Sequence[Judged]) -> list[dict[str, Any]]:
    """A row per corpus: its cases, and what today's weights and those of the other corpora make of it."""
    cases = {one.name: one.cases() for one in (*to_fit, *to_judge)}
    rows = []
    for one in (*to_fit, *to_judge):
        weights = fitted([case for other in to_fit if other.name != one.name for case in cases[other.name]])
        own = cases[one.name]
        rows.append(
            {
                "corpus": one.name,
                "documents": len(one.records),
                "cases": len(own),
                "gold": sum(case.is_gold for case in own),
                "accepted": _accepted(own, WEIGHTS),
                "accepted_by_others": _accepted(own, weights),
                "f1_off": round(100 * one.f1(None), 2),
                "f1": round(100 * one.f1(WEIGHTS), 2),
                "f1_by_others": round(100 * one.f1(weights), 2),
                "weights_of_others": weights,
            }
        )
    return rows


def _accepted(cases: Sequence[Case], weights: Sequence[float]) -> str:
    taken = [case for case in cases if probability(case.facts, tuple(weights)) >= THRESHOLD]
    return f"{sum(case.is_gold for case in taken)} of {len(taken)}"


def read_judged(words: str, *, limit: int, candidates: Path, model: str) -> Judged:
    """A corpus as the command line names it, decoded now or before."""
    name, _, rest = words.partition("=")
    file, label_set, *renamed = rest.split(":")
    pairs = dict(one.split("=") for one in renamed[0].split(",")) if renamed else {}
    records = with_types(islice(read_corpus(file), limit), pairs)
    kept = candidates / f"{name}-{label_set}-{limit}.jsonl"
    if not kept.exists():
        _decode(records, label_set, model, kept)
    rows = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    known = set(load_label_set(label_set).type_names)
    types = frozenset(pairs.values()) or frozenset(one.type for record in records for one in record.spans) & known
    gold = [replace(one, spans=frozenset(span for span in one.spans if span.type in types)) for one in records]
    return Judged(name, gold, [[Mention(**one) for one in row] for row in rows], types)


def _decode(records: Sequence[GoldRecord], label_set: str, model: str, kept: Path) -> None:
    loaded = load_model(model, label_sets=[label_set], document_pass=False)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with replacing(kept) as temporary, temporary.open("w", encoding="utf-8") as file:
        for one in loaded.annotate(map(gold_document, records)):
            file.write(json.dumps([asdict(mention) for mention in one.mentions]) + "\n")


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devtools.fit_repeats", description=__doc__)
    parser.add_argument("--fit", action="append", required=True, metavar="NAME=FILE:LABEL_SET[:OLD=NEW,...]")
    parser.add_argument("--judge", action="append", default=[], metavar="NAME=FILE:LABEL_SET[:OLD=NEW,...]")
    parser.add_argument("--limit", type=int, default=40, help="documents of each corpus")
    parser.add_argument("--candidates", type=Path, required=True, help="folder for what the model gave")
    parser.add_argument("--model", default="default")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    read = partial(read_judged, limit=chosen.limit, candidates=chosen.candidates, model=chosen.model)
    to_fit, to_judge = [read(one) for one in chosen.fit], [read(one) for one in chosen.judge]
    rows = leave_one_out(to_fit, to_judge)
    weights = fitted([case for one in to_fit for case in one.cases()])
    if chosen.json:
        print(json.dumps({"corpora": rows, "weights_of_all": weights, "weights_today": WEIGHTS}, indent=1))
        return 0
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    print(f"weights of all that were fitted on: {weights}; today: {WEIGHTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
