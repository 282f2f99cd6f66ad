-- The whole schema. Safe to run again: every statement makes only what is missing.

CREATE TABLE IF NOT EXISTS image_metadata (
    -- UUIDv7: made by the service, ordered by time, so that newest first is ORDER BY id DESC.
    id              uuid PRIMARY KEY,
    -- pending: the row is there, its object perhaps not.  ready: both are, and list shows it.
    -- deleting: the object goes first, then the row.      failed: what arrived was refused (failure says why).
    status          text NOT NULL CHECK (status IN ('pending', 'ready', 'deleting', 'failed')),
    failure         text,
    version         integer NOT NULL DEFAULT 1,

    title           text NOT NULL DEFAULT '',
    description     text NOT NULL DEFAULT '',
    category        text NOT NULL DEFAULT '',
    tags            text[] NOT NULL DEFAULT '{}',

    filename        text NOT NULL,
    -- Collated as S3 sorts, so that a sweep can walk both side by side.
    s3_key          text COLLATE "C" NOT NULL UNIQUE,
    mime_type       text NOT NULL,
    size_bytes      bigint NOT NULL CHECK (size_bytes > 0),
    -- As a viewer sees them, after the EXIF orientation. Null until the picture has been read.
    width           integer CHECK (width > 0),
    height          integer CHECK (height > 0),
    frames          integer NOT NULL DEFAULT 1 CHECK (frames > 0),
    -- Null until the bytes have been read (presigned uploads that have not arrived).
    sha256          bytea CHECK (length(sha256) = 32),
    duplicate_of    uuid,
    placeholder     text,
    exif            jsonb NOT NULL DEFAULT '{}',

    idempotency_key text,
    -- SHA-256 over everything that makes two requests with one Idempotency-Key the same request.
    request_hash    bytea,

    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    -- Until then whatever brought the row into its state may still be at work; afterwards a sweep settles it.
    sweep_after     timestamptz NOT NULL DEFAULT now() + interval '5 minutes',
    -- How often a sweep has tried.
    sweeps          integer NOT NULL DEFAULT 0,

    -- What the image is found by, made by the service when it turns ready and when it is changed.
    search_text     text NOT NULL DEFAULT '',
    -- How much of search_text, from its beginning, is title and tags.
    strong_length   integer NOT NULL DEFAULT 0,
    tokens          integer[] NOT NULL DEFAULT '{}',
    tag_keys        text[] NOT NULL DEFAULT '{}',
    title_key       text COLLATE "C" NOT NULL DEFAULT '',

    CHECK (status <> 'ready' OR (sha256 IS NOT NULL AND width IS NOT NULL AND height IS NOT NULL))
);

CREATE UNIQUE INDEX IF NOT EXISTS image_metadata_idempotency_key
    ON image_metadata (idempotency_key) WHERE idempotency_key IS NOT NULL;

-- List: one index for each order in which it can be walked, one for each such order within a category, and one for all
-- that narrows it down.
CREATE INDEX IF NOT EXISTS image_metadata_ready ON image_metadata (id DESC) WHERE status = 'ready';
CREATE INDEX IF NOT EXISTS image_metadata_title ON image_metadata (title_key, id) WHERE status = 'ready';
CREATE INDEX IF NOT EXISTS image_metadata_size ON image_metadata (size_bytes DESC, id DESC) WHERE status = 'ready';
CREATE INDEX IF NOT EXISTS image_metadata_category ON image_metadata (category, id DESC) WHERE status = 'ready';
CREATE INDEX IF NOT EXISTS image_metadata_category_title
    ON image_metadata (category, title_key, id) WHERE status = 'ready';
CREATE INDEX IF NOT EXISTS image_metadata_category_size
    ON image_metadata (category, size_bytes DESC, id DESC) WHERE status = 'ready';
-- The last one knows each order as well, so that a search can ask for the next stretch of a list without reading all
-- that matches: buckets of time and of sizes, beginnings of titles, and random samples (keys.py makes the same keys).
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
-- What functions of the release before ask for, while a deploy runs or when it is undone. To go with the next one.
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
-- A short list of what is not merged yet: a search has to read all of it.
CREATE INDEX IF NOT EXISTS image_metadata_tokens
    ON image_metadata USING gin (tokens, image_list_keys(id, title_key, size_bytes))
    WITH (gin_pending_list_limit = 256) WHERE status = 'ready';

-- Finding the first image with the same bytes.
CREATE INDEX IF NOT EXISTS image_metadata_sha256 ON image_metadata (sha256, id);

-- What a sweep looks at: rows that are on their way in or out. Small, since nearly all are ready.
CREATE INDEX IF NOT EXISTS image_metadata_unsettled ON image_metadata (sweep_after) WHERE status <> 'ready';

-- Renditions that have been made or are being made, and the reduced copies of large pictures; the object's key is
-- variants/<image_id>/<name>.
CREATE TABLE IF NOT EXISTS image_variants (
    image_id        uuid NOT NULL REFERENCES image_metadata (id) ON DELETE CASCADE,
    name            text NOT NULL,
    status          text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'ready')),
    -- Whoever inserts the row renders; when it has not turned ready by then, the next one may.
    claimed_until   timestamptz NOT NULL,
    PRIMARY KEY (image_id, name)
);

CREATE INDEX IF NOT EXISTS image_variants_unsettled ON image_variants (claimed_until) WHERE status <> 'ready';

-- Where the last comparison of objects and rows ran out of time; empty when it came to the end.
CREATE TABLE IF NOT EXISTS sweep_progress (
    only_one        boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    compared_until  text NOT NULL
);

-- What Gemini says of an image, apart from what its owner says of it. The row is also the queue: queued or running,
-- and past due_at, it is to be done. running: until due_at by whoever claimed it.
CREATE TABLE IF NOT EXISTS image_analysis (
    image_id        uuid PRIMARY KEY REFERENCES image_metadata (id) ON DELETE CASCADE,
    status          text NOT NULL CHECK (status IN ('queued', 'running', 'ready', 'failed')),
    attempts        integer NOT NULL DEFAULT 0,
    due_at          timestamptz NOT NULL DEFAULT now(),
    -- The code of the last error.
    failure         text,

    model           text,
    caption         text NOT NULL DEFAULT '',
    tags            text[] NOT NULL DEFAULT '{}',
    text_seen       text NOT NULL DEFAULT '',
    safety          jsonb NOT NULL DEFAULT '{}',

    created_at      timestamptz NOT NULL DEFAULT now(),
    analyzed_at     timestamptz,
    CHECK (status <> 'ready' OR analyzed_at IS NOT NULL)
);

CREATE INDEX IF NOT EXISTS image_analysis_due ON image_analysis (due_at) WHERE status IN ('queued', 'running');

-- How many analyses each day (UTC) has had, for ANALYSIS_DAILY_BUDGET.
CREATE TABLE IF NOT EXISTS analysis_budget (
    day             date PRIMARY KEY,
    calls           integer NOT NULL
);

-- How many ready images each category and each tag has. Counting them would cost more with every image, and a row
-- per category that every upload updates would make uploads wait for each other. So a trigger only notes changes,
-- and fold_facets() adds them up: before the counts are read, and in every sweep.
CREATE TABLE IF NOT EXISTS facet_counts (
    kind            text NOT NULL CHECK (kind IN ('category', 'tag')),
    name            text COLLATE "C" NOT NULL,
    images          bigint NOT NULL,
    PRIMARY KEY (kind, name)
);

CREATE INDEX IF NOT EXISTS facet_counts_most ON facet_counts (kind, images DESC, name);

CREATE TABLE IF NOT EXISTS facet_changes (
    kind            text NOT NULL,
    name            text COLLATE "C" NOT NULL,
    change          integer NOT NULL
);

CREATE OR REPLACE FUNCTION note_facets() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was boolean := TG_OP <> 'INSERT' AND OLD.status = 'ready';
    is_now boolean := TG_OP <> 'DELETE' AND NEW.status = 'ready';
BEGIN
    IF was AND is_now AND OLD.category = NEW.category AND OLD.tag_keys = NEW.tag_keys THEN
        RETURN NULL;
    END IF;
    IF was THEN
        INSERT INTO facet_changes SELECT 'category', OLD.category, -1 WHERE OLD.category <> '';
        INSERT INTO facet_changes SELECT 'tag', tag, -1 FROM unnest(OLD.tag_keys) AS tag;
    END IF;
    IF is_now THEN
        INSERT INTO facet_changes SELECT 'category', NEW.category, 1 WHERE NEW.category <> '';
        INSERT INTO facet_changes SELECT 'tag', tag, 1 FROM unnest(NEW.tag_keys) AS tag;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER image_metadata_facets AFTER INSERT OR UPDATE OR DELETE ON image_metadata
    FOR EACH ROW EXECUTE FUNCTION note_facets();

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
