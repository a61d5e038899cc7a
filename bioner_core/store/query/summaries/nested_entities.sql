WITH in_documents AS (
    SELECT
        o.type AS outer_type, i.type AS inner_type, lower(o.text) AS outer_entity, lower(i.text) AS inner_entity,
        i.doc_id, count(*) AS mentions
    FROM (SELECT doc_id, parent_id, type, text FROM mentions WHERE depth > 0) AS i
    JOIN (SELECT doc_id, mention_id, type, text FROM mentions) AS o
        ON i.doc_id = o.doc_id AND i.parent_id = o.mention_id
    GROUP BY ALL
)
SELECT outer_type, inner_type, outer_entity, inner_entity, sum(mentions)::BIGINT AS mentions, count(*) AS documents
FROM in_documents
GROUP BY outer_type, inner_type, outer_entity, inner_entity
ORDER BY mentions DESC, outer_entity, inner_entity, outer_type, inner_type
