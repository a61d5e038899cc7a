"""A model in this process: texts or documents in, mentions out; and its scores against a gold corpus."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bioner_core.document_pass.finish import finish_mentions
from bioner_core.document_pass.settings import FinishSettings
from bioner_core.documents import Document, Passage
from bioner_core.errors import ConfigurationError, ModelError
from bioner_core.evaluation.corpora import read_corpus, with_types
from bioner_core.evaluation.run import EvaluationRun, evaluate_annotator, scored_types
from bioner_core.formats.languages import detect_language
from bioner_core.inference.annotation import Annotator, RowResult
from bioner_core.inference.document_rows import AnnotatedDocument, PlannedDocument, plan_rows, settle_document
from bioner_core.inference.row_isolation import annotate_in_batches
from bioner_core.labels.label_set import LANGUAGES, LabelSet, LabelSetChoice, load_label_set
from bioner_core.mentions import Mention
from bioner_core.models.directory import DEFAULT_MODEL, label_sets_of
from bioner_core.models.precision import AUTO
from bioner_core.store.layout import ShardDescriptor
from bioner_core.store.mention_ids import document_prefix

_DOCUMENTS_PER_BATCH = 64
"""Documents whose sentences are made batches of together: enough that a batch has sentences of like length."""

_TEXT = "text"


@dataclass(frozen=True, slots=True)
class TaggedText:
    """A text and what was found in it: `text[m.start:m.end] == m.text` for each mention, outer ones first.

    `mentions` are the accepted ones; `candidates` also those that the selector turned down.
    """

    text: str
    candidates: tuple[Mention, ...]

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """The accepted mentions."""
        return tuple(one for one in self.candidates if one.accepted)

    def to_html(self) -> str:
        """The text with its mentions as lines over it: markup for a notebook, without script or style sheet."""
        from bioner_core.viewer.marks import render_fragment

        return render_fragment(self.text, self.candidates, lang=language_of(self.text))

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        return self.to_html()


class Model:
    """Finds entities. Made by `load_model`; holds the network, so make one and keep it.

    `annotator` is what answers sentence by sentence; `label_sets` are those that it was loaded with. With
    `document_pass` short forms follow their long forms, and names are looked for again, in the whole of each text.
    """

    def __init__(self, annotator: Annotator, label_sets: Sequence[LabelSet], *, document_pass: bool = True) -> None:
        self.annotator = annotator
        self.label_sets = tuple(label_sets)
        self._choices = [LabelSetChoice(one.name, one.languages) for one in self.label_sets]
        self.finish = FinishSettings.of(getattr(annotator, "thresholds", {}), document_pass=document_pass)

    @property
    def fingerprint(self) -> str:
        """A digest of everything that the candidates depend on; `finish.fingerprint` is that of the rest."""
        return self.annotator.fingerprint

    def tag(self, text: str, *, lang: str | None = None) -> TaggedText:
        """The entities of one text of any length. It is cut into sentences; offsets are those of the text.

        `lang` is `en` or `zh`; if it is not given, it is told from the script. A text is read with the label sets of
        its language. Where the model was loaded with none, nothing is found; a `lang` that was given is refused then.

        Raises:
            ConfigurationError: `text` is no str, or `lang` is none of these, or of no label set of the model.
            ModelError: a sentence could not be annotated.
        """
        (found,) = self.tag_all([text], lang=lang)
        return found

    def tag_all(self, texts: Iterable[str], *, lang: str | None = None) -> Iterator[TaggedText]:
        """The entities of many texts, in their order; `tag` says more. Sentences of several texts share batches.

        Raises:
            ConfigurationError: `texts` is one text; or as for `tag`.
            ModelError: a sentence could not be annotated; texts before it have been given.
        """
        if isinstance(texts, str | bytes):
            raise ConfigurationError("texts: one text; give a list of texts, [text], or call tag(text)")
        if lang is not None:
            self._check_language(lang)
        # Checked here, and not when the first answer is asked for: what follows is a generator.
        return self._tag_all(texts, lang)

    def _check_language(self, lang: str) -> None:
        if lang not in LANGUAGES:
            raise ConfigurationError(f"lang: {lang!r}; choose from {', '.join(LANGUAGES)}, or leave it out")
        if not any(one.fits(lang) for one in self._choices):
            names = ", ".join(one.name for one in self.label_sets)
            raise ConfigurationError(
                f"lang: {lang!r}, but of the label sets that the model was loaded with ({names}) none is for it; "
                "load one that is, or leave lang out"
            )

    def _tag_all(self, texts: Iterable[str], lang: str | None) -> Iterator[TaggedText]:
        documents = (_as_document(text, number, lang) for number, text in enumerate(texts))
        for one in self.annotate(documents):
            if one.rejects:
                raise ModelError(f"a sentence could not be annotated: {one.rejects[-1].reject.message}")
            yield TaggedText(one.document.passages[0].text, one.mentions)

    def annotate(self, documents: Iterable[Document]) -> Iterator[AnnotatedDocument]:
        """The mentions of documents, in their order. A sentence that fails is among the document's `rejects`."""
        planned = (plan_rows(document, self._choices) for document in documents)
        while some := list(itertools.islice(planned, _DOCUMENTS_PER_BATCH)):
            answers = iter(annotate_in_batches(self.annotator, [row.request for one in some for row in one.rows]))
            for one in some:
                yield _settled(one, list(itertools.islice(answers, len(one.rows))), self.finish, self._choices)


def load_model(
    name_or_path: str = DEFAULT_MODEL,
    *,
    label_sets: Sequence[str | LabelSet] = (),
    device: str | None = None,
    precision: str = AUTO,
    document_pass: bool = True,
) -> Model:
    """Load a model by the name of one that ships, or by its folder. Its base must have been pulled once.

    `label_sets` are names, TOML files or values; none means those of the model's card, or else the default ones, each
    for texts of its language. With `document_pass` short forms follow their long forms, and names are looked for again,
    in the whole of each text.

    Raises:
        ModelError: the model or its base is missing or damaged; the message says what to run.
        ConfigurationError: there is no such label set, device or precision, or `label_sets` is no list of them.
    """
    if isinstance(label_sets, str | LabelSet):
        shown = repr(label_sets) if isinstance(label_sets, str) else "..."
        raise ConfigurationError(f"label_sets: one label set; give a list: label_sets=[{shown}]")
    chosen = [one if isinstance(one, LabelSet) else load_label_set(one) for one in label_sets]
    chosen = chosen or list(label_sets_of(name_or_path))
    # torch and transformers take seconds to import: whoever only reads stores or label sets does without them.
    from transformers.utils import logging

    from bioner_core.inference.annotator import load_annotator

    logging.disable_progress_bar()
    annotator = load_annotator(chosen, model=name_or_path, device=device, precision=precision)
    return Model(annotator, chosen, document_pass=document_pass)


def language_of(text: str) -> str:
    """`zh` where at least a fifth of the letters are Chinese characters, else `en`: as for documents of files."""
    return detect_language(text)


def _as_document(text: str, number: int, lang: str | None) -> Document:
    if not isinstance(text, str):
        raise ConfigurationError(f"text: {type(text).__name__}; give a str (bytes: decode them first)")
    told = lang or language_of(text)
    return Document(f"{_TEXT}:{number}", _TEXT, 1, told, (Passage(_TEXT, "", told, text),))


def _settled(
    planned: PlannedDocument,
    answers: Sequence[RowResult],
    finish: FinishSettings,
    label_sets: Sequence[LabelSetChoice],
) -> AnnotatedDocument:
    document = planned.document
    record = document.meta.record_number
    place = ShardDescriptor("", document.source, document.meta.input_file, "", record, record + 1, "")
    prefix = document_prefix(document.doc_id, document.version)
    settled = settle_document(planned, answers, descriptor=place, id_prefix=prefix)
    mentions = finish_mentions(document, settled.mentions, settings=finish, label_sets=label_sets)
    return replace(settled, mentions=mentions)


def evaluate(
    model: Model, gold: str | Path, *, label_set: str, new_names: Mapping[str, str] | None = None
) -> EvaluationRun:
    """Strict scores of a model on a gold corpus, JSON lines as the documents say; `run.evaluation.strict.f1` is the F1.

    `label_set` is the name of one that the model was loaded with; `new_names` gives the label set's name for types that
    the corpus calls otherwise. Records of several sentences are finished as the model finishes documents.

    Raises:
        InputError: the corpus cannot be read.
        ConfigurationError: the model was not loaded with that label set, or the corpus has other types than it.
    """
    chosen = next((one for one in model.label_sets if one.name == label_set), None)
    if chosen is None:
        names = [one.name for one in model.label_sets]
        raise ConfigurationError(f"label_set: {label_set!r}; the model was loaded with {names}")
    records = with_types(read_corpus(gold), new_names or {})
    return evaluate_annotator(
        model.annotator,
        records,
        label_set=label_set,
        types=scored_types(records, chosen),
        has_selector=getattr(model.annotator, "has_selector", False),
        document_pass=None if model.finish.document_pass else False,
    )
