-- What was rejected and why, by input file.
-- limit: how many rows = 100
SELECT stage, reason, source, input_file, count(*) AS rejects, any_value(message) AS example
FROM rejects
GROUP BY ALL
ORDER BY rejects DESC, stage, reason, input_file
LIMIT $limit::INTEGER
