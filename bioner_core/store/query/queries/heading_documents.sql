-- The documents that have a subject heading, with what kind of publication they are and what notices concern them.
-- heading: its id (D003924, R734.2) or its name
-- limit: how many documents = 100
SELECT
    d.doc_id, d.year, d.journal, h.vocabulary, h.name, list(h.qualifier ORDER BY h.qualifier) AS qualifiers,
    bool_or(h.major) AS major, any_value(d.meta.publication_types) AS publication_types,
    any_value(list_transform(d.meta.corrections, lambda one: one.kind)) AS notices
FROM headings AS h JOIN documents AS d USING (doc_id)
WHERE h.id = $heading OR lower(h.name) = lower($heading)
GROUP BY d.doc_id, d.year, d.journal, h.vocabulary, h.name
ORDER BY d.year DESC, d.doc_id, h.vocabulary, h.name
LIMIT $limit::INTEGER
