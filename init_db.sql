-- The whole schema, for PostgreSQL 17 and later. Idempotent: every statement creates only what is missing.
--
-- An upload becomes an image, and an image becomes a deletion: each step moves a row from one table to the
-- next in one transaction. An object is stored only under a key that one of these tables names.
--
-- Work on a row of uploads, image_variants or image_analysis needs its lease. lease_until: nobody else takes
-- the row before then, because it is in progress or in backoff. lease_token: grows with every lease; the
-- statement that finishes the work names it, so a holder that lost the lease changes nothing. attempts: how
-- often work was begun. A deletion has only lease_until: two workers at once do no harm.

CREATE TABLE IF NOT EXISTS image_metadata (
    -- UUIDv7: made by the service, ordered by time, so newest first is ORDER BY id DESC.
    id              uuid PRIMARY KEY,
    version         integer NOT NULL DEFAULT 1,

    title           text NOT NULL DEFAULT '',
    description     text NOT NULL DEFAULT '',
    category        text COLLATE "C" NOT NULL DEFAULT '',
    tags            text[] NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 32),

    filename        text NOT NULL,
    s3_key          text NOT NULL,
    mime_type       text NOT NULL,
    size_bytes      bigint NOT NULL CHECK (size_bytes > 0),
    -- As displayed, after the EXIF orientation.
    width           integer NOT NULL CHECK (width > 0),
    height          integer NOT NULL CHECK (height > 0),
    frames          integer NOT NULL DEFAULT 1 CHECK (frames > 0),
    sha256          bytea NOT NULL CHECK (octet_length(sha256) = 32),
    placeholder     text,
    exif            jsonb NOT NULL DEFAULT '{}',
    -- Signed into permanent links, and raised to revoke them.
    link_version    integer NOT NULL DEFAULT 0,

    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),

    -- Search columns, which the service derives from the others (imageapi/search/tokens.py).
    search_text     text NOT NULL DEFAULT '',
    -- Length of the prefix of search_text that holds title and tags.
    strong_length   integer NOT NULL DEFAULT 0,
    tokens          integer[] NOT NULL DEFAULT '{}',
    tag_keys        text[] NOT NULL DEFAULT '{}',
    title_key       text COLLATE "C" NOT NULL DEFAULT ''
) WITH (
    -- The default, a fifth of the table, is two million dead rows at ten million images.
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02
);

-- No plan depends on the contents of these columns.
ALTER TABLE image_metadata
    ALTER COLUMN exif SET STATISTICS 0,
    ALTER COLUMN placeholder SET STATISTICS 0,
    ALTER COLUMN search_text SET STATISTICS 0,
    ALTER COLUMN tokens SET STATISTICS 0;

-- Lists: one index for each order, one for each order within a category, and one for filters and searches.
-- Time order uses the primary key.
CREATE INDEX IF NOT EXISTS image_metadata_title ON image_metadata (title_key, id);
CREATE INDEX IF NOT EXISTS image_metadata_size ON image_metadata (size_bytes, id);
CREATE INDEX IF NOT EXISTS image_metadata_category ON image_metadata (category, id);
CREATE INDEX IF NOT EXISTS image_metadata_category_title ON image_metadata (category, title_key, id);
CREATE INDEX IF NOT EXISTS image_metadata_category_size ON image_metadata (category, size_bytes, id);
-- No pending list: every search would have to read it, and an unlucky upload to merge it.
CREATE INDEX IF NOT EXISTS image_metadata_tokens ON image_metadata USING gin (tokens) WITH (fastupdate = off);
-- The first image with the same bytes.
CREATE INDEX IF NOT EXISTS image_metadata_sha256 ON image_metadata (sha256, id);

-- Pending and failed uploads. The row is written before any object.
CREATE TABLE IF NOT EXISTS uploads (
    -- Also the id of the image that it becomes.
    id              uuid PRIMARY KEY,
    -- title, description, category and tags.
    metadata        jsonb NOT NULL,
    filename        text NOT NULL,
    mime_type       text NOT NULL,
    size_bytes      bigint NOT NULL CHECK (size_bytes > 0),
    -- Null while unknown: a presigned upload may leave it open until its file has been read.
    sha256          bytea CHECK (octet_length(sha256) = 32),
    -- Key of the image's object. Null until the type of a presigned file is known; until then the file is at
    -- incoming/<id>.
    s3_key          text,
    -- Error code of a refused or undone upload. It never becomes an image.
    failure         text,

    -- Until then the file may arrive or be retried, or a client may ask why it was refused. Afterwards the
    -- sweep settles the upload.
    expires_at      timestamptz NOT NULL,
    lease_until     timestamptz NOT NULL DEFAULT '-infinity',
    lease_token     bigint NOT NULL DEFAULT 0,
    attempts        integer NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Uploads of the same bytes in progress.
CREATE INDEX IF NOT EXISTS uploads_sha256 ON uploads (sha256);
-- Expired uploads, for the sweep.
CREATE INDEX IF NOT EXISTS uploads_expires_at ON uploads (expires_at, id);

-- The upload of each Idempotency-Key. The sweep removes keys older than a week.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key             text COLLATE "C" PRIMARY KEY,
    -- SHA-256 over everything in which two requests with one key must agree.
    request_hash    bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    -- A UUIDv7, so it also dates the key.
    image_id        uuid NOT NULL
);

CREATE INDEX IF NOT EXISTS idempotency_keys_image_id ON idempotency_keys (image_id);

-- Deleted images whose objects still exist.
CREATE TABLE IF NOT EXISTS deletions (
    image_id        uuid PRIMARY KEY,
    s3_key          text NOT NULL,
    variants        text[] NOT NULL,
    lease_until     timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Variants (ready, pending or failed), and the intermediates of large pictures. The object's key is
-- variants/<image_id>/<name>.
CREATE TABLE IF NOT EXISTS image_variants (
    image_id        uuid NOT NULL REFERENCES image_metadata (id) ON DELETE CASCADE,
    name            text COLLATE "C" NOT NULL,
    status          text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'ready', 'failed')),
    -- Error code of a failed render, which may be retried after lease_until.
    failure         text,
    lease_until     timestamptz NOT NULL,
    lease_token     bigint NOT NULL DEFAULT 1,
    attempts        integer NOT NULL DEFAULT 1,
    PRIMARY KEY (image_id, name),
    CHECK ((status = 'failed') = (failure IS NOT NULL))
);

CREATE INDEX IF NOT EXISTS image_variants_pending ON image_variants (image_id, name) WHERE status = 'pending';

-- Gemini's description of an image, separate from its owner's metadata. The row is also the queue: queued or
-- running, and past lease_until, it is due.
CREATE TABLE IF NOT EXISTS image_analysis (
    image_id        uuid PRIMARY KEY REFERENCES image_metadata (id) ON DELETE CASCADE,
    status          text NOT NULL CHECK (status IN ('queued', 'running', 'ready', 'failed')),
    -- The code of the last error.
    failure         text,
    lease_until     timestamptz NOT NULL DEFAULT now(),
    lease_token     bigint NOT NULL DEFAULT 0,
    attempts        integer NOT NULL DEFAULT 0,

    model           text,
    caption         text NOT NULL DEFAULT '',
    tags            text[] NOT NULL DEFAULT '{}',
    text_seen       text NOT NULL DEFAULT '',
    safety          jsonb NOT NULL DEFAULT '{}',

    created_at      timestamptz NOT NULL DEFAULT now(),
    analyzed_at     timestamptz,
    CHECK (status <> 'ready' OR analyzed_at IS NOT NULL)
);

CREATE INDEX IF NOT EXISTS image_analysis_waiting ON image_analysis (lease_until) WHERE status IN ('queued', 'running');

-- Analyses per day (UTC), for ANALYSIS_DAILY_BUDGET.
CREATE TABLE IF NOT EXISTS analysis_budget (
    day             date PRIMARY KEY,
    calls           integer NOT NULL
);

-- Where the last comparison of objects and rows ran out of time; empty if it finished.
CREATE TABLE IF NOT EXISTS sweep_progress (
    only_one        boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    compared_until  text NOT NULL
);

-- Image counts in total, per category and per tag: facet_counts plus the changes not yet added to it. Uploads
-- append a change instead of updating the counts; otherwise uploads into one category would wait for each
-- other.
CREATE TABLE IF NOT EXISTS facet_counts (
    kind            text NOT NULL CHECK (kind IN ('all', 'category', 'tag')),
    -- Empty for 'all', and for images without a category.
    name            text COLLATE "C" NOT NULL,
    images          bigint NOT NULL,
    PRIMARY KEY (kind, name)
);

CREATE INDEX IF NOT EXISTS facet_counts_most ON facet_counts (kind, images DESC, name);

CREATE TABLE IF NOT EXISTS facet_changes (
    position        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- 1 for an image added, -1 for one removed.
    change          integer NOT NULL,
    category        text COLLATE "C" NOT NULL,
    tag_keys        text[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE OR REPLACE FUNCTION note_facets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO facet_changes (change, category, tag_keys) VALUES (-1, OLD.category, OLD.tag_keys);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO facet_changes (change, category, tag_keys) VALUES (1, NEW.category, NEW.tag_keys);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER image_metadata_facets AFTER INSERT OR DELETE ON image_metadata
    FOR EACH ROW EXECUTE FUNCTION note_facets();
CREATE OR REPLACE TRIGGER image_metadata_facets_changed AFTER UPDATE OF category, tag_keys ON image_metadata
    FOR EACH ROW WHEN (OLD.category <> NEW.category OR OLD.tag_keys <> NEW.tag_keys) EXECUTE FUNCTION note_facets();
