-- The commonest subject headings and substances that indexers gave, and how often each is a main topic.
-- vocabulary: mesh, mesh-chemical, jats-subject or clc; empty for all =
-- limit: how many headings = 50
SELECT
    vocabulary, id, name, count(DISTINCT doc_id) AS documents, count(DISTINCT doc_id) FILTER (major) AS as_main_topic
FROM headings
WHERE $vocabulary IN ('', vocabulary)
GROUP BY vocabulary, id, name
ORDER BY documents DESC, vocabulary, id, name
LIMIT $limit::INTEGER
