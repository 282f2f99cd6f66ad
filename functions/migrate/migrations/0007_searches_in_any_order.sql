-- The inverted index learns about orders by title and by size, and about samples, so that a search in any order can ask
-- for a stretch of the list. Building it stops writes, some 20 seconds for a million images. Reads stop at the end only,
-- for the moment that it takes to drop the old index. Functions of the release before still find what they ask for, slower.
CREATE OR REPLACE FUNCTION image_list_keys(id uuid, title_key text, size_bytes bigint) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    -- Since 1970: the first 48 bits of a UUIDv7. Its last ones are random.
    milliseconds bigint := ('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint;
    random bigint := ('x' || right(id::text, 4))::bit(16)::bigint;
    title text := title_key || chr(1);
    length integer;
    digest text;
    keys bigint[] := '{}';
BEGIN
    FOR shift IN 16..44 BY 4 LOOP
        keys := keys || ((shift::bigint << 48) | (milliseconds >> shift));
    END LOOP;
    FOR shift IN 8..24 BY 4 LOOP
        keys := keys || ((1::bigint << 56) | (shift::bigint << 48) | (size_bytes >> shift));
    END LOOP;
    FOR shift IN 3..16 LOOP
        EXIT WHEN random & ((1 << shift) - 1) <> 0;
        keys := keys || ((2::bigint << 56) | shift);
    END LOOP;
    FOREACH length IN ARRAY ARRAY[0, 1, 2, 4, 8, 16] LOOP
        CONTINUE WHEN length = 0 AND ascii(title) >= 128;
        digest := encode(sha256(convert_to(left(title, length), 'UTF8')), 'hex');
        keys := keys || ((3::bigint << 56) | ('x' || left(digest, 14))::bit(56)::bigint);
        EXIT WHEN length >= length(title);
    END LOOP;
    RETURN keys;
END
$$;

-- Under another name first: dropping the old one at the beginning would stop reads until the new one is built.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM pg_indexes WHERE schemaname = current_schema()
            AND indexname = 'image_metadata_tokens' AND indexdef LIKE '%image_list_keys%'
    ) THEN
        CREATE INDEX image_metadata_tokens_in_any_order
            ON image_metadata USING gin (tokens, image_list_keys(id, title_key, size_bytes))
            WITH (gin_pending_list_limit = 256) WHERE status = 'ready';
        DROP INDEX IF EXISTS image_metadata_tokens;
        ALTER INDEX image_metadata_tokens_in_any_order RENAME TO image_metadata_tokens;
    END IF;
END
$$;
