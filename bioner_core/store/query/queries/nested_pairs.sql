-- Entities of one type inside entities of another, such as a disease inside a procedure.
-- outer: type of the enclosing entity; empty for all =
-- inner: type of the enclosed entity; empty for all =
-- limit: how many pairs = 50
SELECT outer_type, inner_type, outer_entity, inner_entity, mentions, documents
FROM nested_entities
WHERE $outer IN ('', outer_type) AND $inner IN ('', inner_type)
ORDER BY mentions DESC, outer_entity, inner_entity, outer_type, inner_type
LIMIT $limit::INTEGER
