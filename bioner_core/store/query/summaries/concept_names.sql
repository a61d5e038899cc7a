SELECT concept_id, lower(text) AS text, lang, min(type) AS type, count(*) AS mentions
FROM linked_mentions
GROUP BY ALL
ORDER BY concept_id, mentions DESC, text, lang
