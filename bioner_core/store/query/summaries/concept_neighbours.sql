WITH placed AS (
    SELECT DISTINCT doc_id, passage_index, sentence_index, start, "end", concept_id FROM linked_mentions
),
in_documents AS (
    SELECT
        a.concept_id, b.concept_id AS other_id, a.doc_id,
        count(DISTINCT (a.passage_index, a.sentence_index)) AS sentences
    FROM placed AS a JOIN placed AS b USING (doc_id, passage_index, sentence_index)
    WHERE a.concept_id < b.concept_id AND (a."end" <= b.start OR b."end" <= a.start)
    GROUP BY ALL
),
-- PubMed's and PMC's copies of one article count once: those sentences of the copy that has most
articles AS ({articles}),
in_articles AS (
    SELECT concept_id, other_id, article, max(sentences) AS sentences
    FROM in_documents JOIN articles USING (doc_id)
    GROUP BY ALL
),
pairs AS (
    SELECT concept_id, other_id, sum(sentences)::BIGINT AS sentences, count(*) AS documents
    FROM in_articles
    GROUP BY ALL
),
names AS (
    SELECT concept_id AS other_id, min(name) AS other_name FROM linked_mentions GROUP BY ALL
),
both_ways AS (
    SELECT concept_id, other_id, sentences, documents FROM pairs
    UNION ALL
    SELECT other_id, concept_id, sentences, documents FROM pairs
)
SELECT concept_id, other_id, other_name, sentences, documents
FROM both_ways JOIN names USING (other_id)
ORDER BY concept_id, sentences DESC, other_id
