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

    CHECK (status <> 'ready' OR (sha256 IS NOT NULL AND width IS NOT NULL AND height IS NOT NULL))
);

CREATE UNIQUE INDEX IF NOT EXISTS image_metadata_idempotency_key
    ON image_metadata (idempotency_key) WHERE idempotency_key IS NOT NULL;

-- List: newest first among the ready, in all and in one category.
CREATE INDEX IF NOT EXISTS image_metadata_ready ON image_metadata (id DESC) WHERE status = 'ready';
CREATE INDEX IF NOT EXISTS image_metadata_ready_category ON image_metadata (category, id DESC) WHERE status = 'ready';

-- Finding the first image with the same bytes.
CREATE INDEX IF NOT EXISTS image_metadata_sha256 ON image_metadata (sha256, id);

-- What a sweep looks at: rows that are on their way in or out. Small, since nearly all are ready.
CREATE INDEX IF NOT EXISTS image_metadata_unsettled ON image_metadata (sweep_after) WHERE status <> 'ready';

-- Renditions that have been made or are being made; the object's key is variants/<image_id>/<name>.
CREATE TABLE IF NOT EXISTS image_variants (
    image_id        uuid NOT NULL REFERENCES image_metadata (id) ON DELETE CASCADE,
    name            text NOT NULL,
    status          text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'ready')),
    -- Whoever inserts the row renders; when it has not turned ready by then, the next one may.
    claimed_until   timestamptz NOT NULL,
    PRIMARY KEY (image_id, name)
);

CREATE INDEX IF NOT EXISTS image_variants_unsettled ON image_variants (claimed_until) WHERE status <> 'ready';
