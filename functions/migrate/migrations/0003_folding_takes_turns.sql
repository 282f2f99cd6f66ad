-- Adds up at most so many changes; says how many there were. In bites, so that no backlog is too much for it.
-- One at a time: who comes second waits, since counts read while another's are not yet committed would be old.
CREATE OR REPLACE FUNCTION fold_facets(most integer) RETURNS bigint LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(x'666f6c64'::bigint);
    WITH noted AS (
        DELETE FROM facet_changes WHERE ctid = ANY (ARRAY(SELECT ctid FROM facet_changes LIMIT most))
        RETURNING kind, name, change),
    folded AS (
        INSERT INTO facet_counts AS counts (kind, name, images)
            SELECT kind, name, sum(change) FROM noted GROUP BY kind, name ORDER BY kind, name
        ON CONFLICT (kind, name) DO UPDATE SET images = counts.images + excluded.images)
    SELECT count(*) FROM noted;
$$;
