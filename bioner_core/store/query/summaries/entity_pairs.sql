WITH sentences AS (
    SELECT DISTINCT doc_id, passage_index, sentence_index, type, lower(text) AS entity FROM mentions
),
in_documents AS (
    SELECT
        a.entity AS first_entity, a.type AS first_type, b.entity AS second_entity, b.type AS second_type,
        a.doc_id, count(*) AS sentences
    FROM sentences AS a JOIN sentences AS b USING (doc_id, passage_index, sentence_index)
    WHERE a.entity < b.entity OR (a.entity = b.entity AND a.type < b.type)
    GROUP BY ALL
)
SELECT first_entity, first_type, second_entity, second_type, sum(sentences)::BIGINT AS sentences, count(*) AS documents
FROM in_documents
GROUP BY first_entity, first_type, second_entity, second_type
ORDER BY sentences DESC, first_entity, second_entity, first_type, second_type
