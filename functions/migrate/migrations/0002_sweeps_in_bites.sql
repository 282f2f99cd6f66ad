-- Sweeps count how often they have tried a row, and changes of the facets are added up in bites.
-- Adding the column stops reads and writes for a moment: it has a constant default, so no row is rewritten.
ALTER TABLE image_metadata ADD COLUMN IF NOT EXISTS sweeps integer NOT NULL DEFAULT 0;

-- Functions from before this fail to list categories and tags until the deploy has replaced them, a minute later.
-- When a later migration fails, this one stays, and they fail until a deploy comes through.
DROP FUNCTION IF EXISTS fold_facets();

-- Adds up at most so many changes; says how many there were. In bites, so that no backlog is too much for it.
CREATE OR REPLACE FUNCTION fold_facets(most integer) RETURNS bigint LANGUAGE sql AS $$
    WITH noted AS (
        DELETE FROM facet_changes WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM facet_changes LIMIT most FOR UPDATE SKIP LOCKED))
        RETURNING kind, name, change),
    folded AS (
        INSERT INTO facet_counts AS counts (kind, name, images)
            SELECT kind, name, sum(change) FROM noted GROUP BY kind, name ORDER BY kind, name
        ON CONFLICT (kind, name) DO UPDATE SET images = counts.images + excluded.images)
    SELECT count(*) FROM noted;
$$;
