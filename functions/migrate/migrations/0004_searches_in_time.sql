-- The inverted index learns about time, so that a search can ask for what is new without reading all that matches.
-- Building it stops writes, some 15 seconds for a million images. Reads stop at the end only, for the moment that it
-- takes to drop the old index: at most as long as migrating.LOCK_TIMEOUT, after which all of it is tried again.
CREATE OR REPLACE FUNCTION image_time_buckets(id uuid) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    -- Since 1970: the first 48 bits of a UUIDv7.
    milliseconds bigint := ('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint;
BEGIN
    RETURN ARRAY[
        (16::bigint << 48) | (milliseconds >> 16), (20::bigint << 48) | (milliseconds >> 20),
        (24::bigint << 48) | (milliseconds >> 24), (28::bigint << 48) | (milliseconds >> 28),
        (32::bigint << 48) | (milliseconds >> 32)];
END
$$;

-- Under another name first: dropping the old one at the beginning would stop reads until the new one is built.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM pg_indexes WHERE schemaname = current_schema()
            AND indexname = 'image_metadata_tokens' AND indexdef ~ 'image_time_buckets|image_list_keys'
    ) THEN
        CREATE INDEX image_metadata_tokens_in_time
            ON image_metadata USING gin (tokens, image_time_buckets(id)) WITH (gin_pending_list_limit = 256)
            WHERE status = 'ready';
        DROP INDEX IF EXISTS image_metadata_tokens;
        ALTER INDEX image_metadata_tokens_in_time RENAME TO image_metadata_tokens;
    END IF;
END
$$;
