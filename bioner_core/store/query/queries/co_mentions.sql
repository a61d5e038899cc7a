-- Pairs of different entities in one sentence, none inside the other, counted in sentences and articles.
-- first: only pairs with this entity; empty for all =
-- first_type: type of the one entity; empty for all =
-- second_type: type of the other entity; empty for all =
-- limit: how many pairs = 50
WITH wanted AS (
    SELECT * FROM entity_pairs
    WHERE
        $first IN ('', first_entity) AND $first_type IN ('', first_type) AND $second_type IN ('', second_type)
    UNION ALL
    SELECT second_entity, second_type, first_entity, first_type, sentences, documents FROM entity_pairs
    WHERE
        $first IN ('', second_entity) AND $first_type IN ('', second_type) AND $second_type IN ('', first_type)
        -- each pair once, also where both of its entities are such as are asked for first
        AND NOT ($first IN ('', first_entity) AND $first_type IN ('', first_type) AND $second_type IN ('', second_type))
)
SELECT * FROM wanted
ORDER BY sentences DESC, first_entity, second_entity, first_type, second_type
LIMIT $limit::INTEGER
