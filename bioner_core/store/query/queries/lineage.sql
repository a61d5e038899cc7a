-- Where a mention comes from: input file and record, run, model fingerprint, software version.
-- mention: its mention_id
SELECT
    c.mention_id, c.text, c.type, c.accepted, c.doc_id, c.doc_version, s.input_file, l.record_number, s.input_digest,
    s.format_name, s.shard, s.committed, s.run_id, r.job, r.started AS run_started, s.fingerprint, s.label_sets,
    s.schema_version, s.software_version
FROM (
    SELECT * FROM candidates
    -- the id is read as mention_ids.AFTER_DOC_ID does
    WHERE mention_id = $mention AND doc_id = regexp_extract($mention, '^(.*)@\d+(#r\d+)?:p\d+:\d+-\d+:[^:]*:', 1)
) AS c
JOIN lineage AS l ON c.doc_id = l.doc_id AND c.doc_version = l.version
JOIN shards AS s USING (shard)
LEFT JOIN runs AS r USING (run_id)
