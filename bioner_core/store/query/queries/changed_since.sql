-- Documents that came, came again or were withdrawn since a time; a withdrawal counts also where nothing was there.
-- since: ISO 8601 date or time, UTC
-- limit: how many documents = 1000
SELECT s.committed, 'current' AS change, l.doc_id, l.version, s.input_file, l.record_number, s.run_id
FROM lineage AS l JOIN shards AS s USING (shard)
WHERE s.committed >= $since
UNION ALL
SELECT s.committed, 'withdrawn', d.doc_id, d.version, d.input_file, d.record_number, s.run_id
FROM deletions AS d
JOIN shards AS s
    ON d.source = s.source AND d.input_file = s.input_file AND d.record_number >= s.first AND d.record_number < s.last
WHERE s.committed >= $since AND d.doc_id NOT IN (SELECT doc_id FROM documents)
ORDER BY committed DESC, doc_id
LIMIT $limit::INTEGER
