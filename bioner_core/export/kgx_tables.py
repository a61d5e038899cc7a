"""The two tables of the graph, and the questions that fill them from flat rows.

What a kind of node or edge does not have is null. A co-mention is two surface entities in one sentence whose mentions
share no character; a mention inside another is `nested_in`. Copies of one article, as PubMed and PMC have it, count
once: of a pair, those sentences of the copy that has most. The score of a pair is the product of its two selector
scores, the best of them where a sentence has several; their sum over sentences is `expected_sentence_count`. Of edges
between two entities `publications` are at most 50 articles, and the supporting text is the sentence that scores best,
with the places of both mentions in it, `start|end` in code points.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GraphTable:
    """How a table of the graph is made.

    `stored` are the columns that are gathered, with DuckDB's names of their types, by `questions`, one per kind of row,
    in the order of the file; `said` are expressions for columns that follow from those, `$by` among them: where the
    export is from.
    """

    stored: dict[str, str]
    said: dict[str, str]
    questions: dict[str, str]


EXACT_SUM = "CREATE MACRO exact_sum(score) AS sum((score * 1e12)::BIGINT) / 1e12"
"""A sum of numbers from 0 to 1 that is the same in whatever order threads add them up: of whole numbers of 1e-12."""

_NODE_COLUMNS = {
    **dict.fromkeys(("id", "category", "name", "xref", "source"), "VARCHAR"),
    "version": "BIGINT",
    **dict.fromkeys(("lang", "journal", "year", "input_file"), "VARCHAR"),
    "record_number": "BIGINT",
    **dict.fromkeys(("model_fingerprint", "type", "label_set", "normal_form", "section"), "VARCHAR"),
    **dict.fromkeys(("passage_index", "sentence_index", "start_offset", "end_offset"), "INTEGER"),
    **dict.fromkeys(("selector_score", "max_selector_score", "tag_score"), "DOUBLE"),
    "accepted": "BOOLEAN",
    **dict.fromkeys(("mention_count", "document_count"), "BIGINT"),
}
_PREDICATES = (
    *("part_of", "mentions", "mentioned_by", "related_to", "occurs_together_in_literature_with"),
    "same_as",
)
_RELATIONS = ("mentioned_in", "refers_to", "nested_in", "co_mentioned_in_sentence", "copy_of")


def _one_of(names: tuple[str, ...]) -> str:
    return f"ENUM ({', '.join(repr(name) for name in names)})"


_EDGE_COLUMNS = {
    **dict.fromkeys(("subject", "object"), "VARCHAR"),
    "relation": _one_of(_RELATIONS),
    "slot": _one_of(_PREDICATES),
    **dict.fromkeys(("selector_score", "max_selector_score", "expected_sentence_count"), "DOUBLE"),
    **dict.fromkeys(("mention_count", "sentence_count", "document_count"), "BIGINT"),
    **dict.fromkeys(("publications", "supporting_document", "supporting_text"), "VARCHAR"),
    **dict.fromkeys(("subject_location_in_text", "object_location_in_text"), "VARCHAR"),
}
_EDGE_FACTS = {
    "id": "'bioner.edge:' || md5(concat_ws(' ', subject, relation, object))",
    "subject": "subject",
    "predicate": "'biolink:' || slot",
    "object": "object",
    "original_predicate": "'bioner:' || relation",
    "category": "'biolink:Association'",
    "primary_knowledge_source": "'infores:bioner'",
    "knowledge_level": "'not_provided'",
    "agent_type": "'text_mining_agent'",
    "provided_by": "$by",
}

_NODES = {
    "documents": """
SELECT id, 'biolink:Publication' AS category, name, source, version, lang, journal, year, xref, input_file,
    record_number, model_fingerprint
FROM documents
""",
    "mentions": """
SELECT id, 'biolink:InformationContentEntity' AS category, name, lang, type, label_set, section, passage_index,
    sentence_index, start_offset, end_offset, selector_score, tag_score, accepted, model_fingerprint
FROM mentions
""",
    "entities": """
SELECT entity AS id, min(entity_category) AS category, coalesce(min(concept_name), min(name)) AS name,
    min(normal_form) AS normal_form, min(type) AS type, min(label_set) AS label_set, count(*) AS mention_count,
    count(DISTINCT article) AS document_count, exact_sum(selector_score) / count(*) AS selector_score,
    max(selector_score) AS max_selector_score
FROM mentions GROUP BY entity ORDER BY id
""",
}

_WITH_SENTENCE = """
    SELECT p.*, s.sentence, s.sentence_start AS first,
        coalesce(
            least(places[1], places[3]) >= s.sentence_start
            AND greatest(places[2], places[4]) <= s.sentence_start + length(s.sentence), false
        ) AS is_whole
"""
_SENTENCE_OF = "LEFT JOIN sentences AS s USING (document, passage_index, sentence_index)"
_SUPPORT = """
        arg_max(
            CASE WHEN is_whole THEN {
                'document': document, 'text': sentence,
                'subject': concat_ws('|', places[1] - first, places[2] - first),
                'object': concat_ws('|', places[3] - first, places[4] - first)
            } END,
            (
                is_whole, score, document, -passage_index, -sentence_index,
                -places[1], -places[2], -places[3], -places[4]
            )
        ) AS support
"""
_SUPPORTED_BY = """
    array_to_string(list_slice(publications, 1, 50), '|') AS publications,
    support.document AS supporting_document, support.text AS supporting_text,
    support.subject AS subject_location_in_text, support.object AS object_location_in_text
"""
"""What edges between entities have in common: publications, the best sentence, and where both stand in it."""

_EDGES = {
    "document_copy_of": """
SELECT d.id AS subject, 'same_as' AS slot, o.id AS object, 'copy_of' AS relation
FROM documents AS d JOIN documents AS o ON d.article = o.id WHERE d.id <> o.id ORDER BY subject
""",
    "mention_in_document": """
SELECT id AS subject, 'part_of' AS slot, document AS object, 'mentioned_in' AS relation,
    selector_score
FROM mentions
""",
    "mention_of_entity": """
SELECT id AS subject, 'mentions' AS slot, entity AS object, 'refers_to' AS relation,
    selector_score
FROM mentions
""",
    "mention_nested_in": """
SELECT id AS subject, 'part_of' AS slot, parent AS object, 'nested_in' AS relation,
    selector_score
FROM mentions WHERE parent IS NOT NULL
""",
    "entity_in_document": """
SELECT entity AS subject, 'mentioned_by' AS slot, document AS object,
    'mentioned_in' AS relation, exact_sum(selector_score) / count(*) AS selector_score,
    max(selector_score) AS max_selector_score, count(*) AS mention_count,
    count(DISTINCT (passage_index, sentence_index)) AS sentence_count, any_value(article) AS publications
FROM mentions GROUP BY entity, document ORDER BY subject, object
""",
    "entity_nested_in": f"""
WITH nested AS (
    SELECT i.entity AS subject, o.entity AS object, i.article, i.document, i.passage_index, i.sentence_index,
        i.selector_score * o.selector_score AS score,
        [i.start_offset, i.end_offset, o.start_offset, o.end_offset] AS places
    FROM mentions AS i JOIN mentions AS o ON i.parent = o.id AND i.document = o.document
    WHERE i.entity <> o.entity
),
supported AS ({_WITH_SENTENCE} FROM nested AS p {_SENTENCE_OF}),
edges AS (
    SELECT subject, object, exact_sum(score) / count(*) AS mean, max(score) AS best, count(*) AS number,
        count(DISTINCT article) AS articles, list_sort(list(DISTINCT article)) AS publications, {_SUPPORT}
    FROM supported GROUP BY subject, object
)
SELECT subject, 'related_to' AS slot, object, 'nested_in' AS relation, mean AS selector_score,
    best AS max_selector_score, number AS mention_count, articles AS document_count, {_SUPPORTED_BY}
FROM edges ORDER BY subject, object
""",  # noqa: S608 - words of our own
    "entities_in_sentence": f"""
WITH pairs AS (
    SELECT a.entity AS subject, b.entity AS object, a.article, a.document, a.passage_index, a.sentence_index,
        max(a.selector_score * b.selector_score) AS score,
        arg_max(
            [a.start_offset, a.end_offset, b.start_offset, b.end_offset],
            (a.selector_score * b.selector_score, -a.start_offset, -b.start_offset, -a.end_offset, -b.end_offset)
        ) AS places
    FROM mentions AS a JOIN mentions AS b ON a.document = b.document AND a.passage_index = b.passage_index
        AND a.sentence_index = b.sentence_index AND a.entity < b.entity
    WHERE a.end_offset <= b.start_offset OR b.end_offset <= a.start_offset
    GROUP BY a.entity, b.entity, a.article, a.document, a.passage_index, a.sentence_index
),
copies AS (
    SELECT subject, object, article, document, count(*) AS sentences
    FROM pairs GROUP BY subject, object, article, document
),
counted AS (
    SELECT subject, object, article, arg_max(document, (sentences, document)) AS document
    FROM copies GROUP BY subject, object, article
),
supported AS (
    {_WITH_SENTENCE} FROM pairs AS p JOIN counted USING (subject, object, article, document) {_SENTENCE_OF}
),
edges AS (
    SELECT subject, object, exact_sum(score) AS expected, max(score) AS best, count(*) AS number,
        count(DISTINCT article) AS articles, list_sort(list(DISTINCT article)) AS publications, {_SUPPORT}
    FROM supported GROUP BY subject, object
)
SELECT subject, 'occurs_together_in_literature_with' AS slot, object,
    'co_mentioned_in_sentence' AS relation, expected / number AS selector_score,
    best AS max_selector_score, expected AS expected_sentence_count, number AS sentence_count,
    articles AS document_count, {_SUPPORTED_BY}
FROM edges ORDER BY subject, object
""",  # noqa: S608 - words of our own
}

GRAPH = {
    "nodes": GraphTable(_NODE_COLUMNS, {"provided_by": "$by"}, _NODES),
    "edges": GraphTable(_EDGE_COLUMNS, _EDGE_FACTS, _EDGES),
}
"""The tables by the name of their files."""
