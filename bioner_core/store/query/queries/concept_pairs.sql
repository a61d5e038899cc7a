-- Pairs of different concepts in one sentence, none inside the other, counted in sentences and articles.
-- concept: only pairs with this concept; empty for all =
-- limit: how many pairs = 50
WITH placed AS (
    SELECT DISTINCT m.doc_id, m.passage_index, m.sentence_index, m.start, m."end", l.concept_id, l.name
    FROM mentions AS m JOIN links AS l USING (mention_id)
    WHERE l.rank = 1 AND l.concept_id IS NOT NULL
),
in_documents AS (
    SELECT
        a.concept_id AS first_concept, min(a.name) AS first_name, b.concept_id AS second_concept,
        min(b.name) AS second_name, a.doc_id, count(DISTINCT (a.passage_index, a.sentence_index)) AS sentences
    FROM placed AS a JOIN placed AS b USING (doc_id, passage_index, sentence_index)
    WHERE
        a.concept_id < b.concept_id AND (a."end" <= b.start OR b."end" <= a.start)
        AND $concept IN ('', a.concept_id, b.concept_id)
    GROUP BY a.concept_id, b.concept_id, a.doc_id
),
articles AS (
    -- PubMed's and PMC's copies of one article count once: those sentences of the copy that has most
    SELECT doc_id, coalesce('pubmed:' || list_filter(meta.ids, lambda one: one.kind = 'pmid')[1].value, doc_id) AS article
    FROM documents
),
in_articles AS (
    SELECT
        first_concept, min(first_name) AS first_name, second_concept, min(second_name) AS second_name, article,
        max(sentences) AS sentences
    FROM in_documents JOIN articles USING (doc_id)
    GROUP BY first_concept, second_concept, article
)
SELECT
    first_concept, min(first_name) AS first_name, second_concept, min(second_name) AS second_name,
    sum(sentences)::BIGINT AS sentences, count(*) AS documents
FROM in_articles
GROUP BY first_concept, second_concept
ORDER BY sentences DESC, first_concept, second_concept
LIMIT $limit::INTEGER
