-- The whole schema, for PostgreSQL 17 and later. Idempotent: every statement creates only what is missing.
--
-- An upload becomes an image, an image goes to the trash and perhaps comes back, and in the end it becomes a
-- deletion: each step moves a row from one table to the next in one transaction. An object is stored only under
-- a key that one of these tables names.
--
-- Work on a row needs its lease. lease_until: nobody else takes the row before then, because it is in progress or
-- in backoff. lease_token: every lease has its own, from one sequence; the statement that finishes the work names
-- it, so a holder that lost the lease changes nothing. attempts: how often work was begun.
CREATE SEQUENCE IF NOT EXISTS lease_tokens;

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
    -- When the image last came back from the trash.
    restored_at     timestamptz,

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
    -- Room for another version of a row beside it: an update that changes no index, such as a revocation of
    -- links, is then HOT, and no index is written.
    fillfactor = 85,
    -- The default, a fifth of the table, is two million dead rows at ten million images.
    autovacuum_vacuum_scale_factor = 0.02,
    -- A vacuum for inserts alone reads the whole GIN index.
    autovacuum_vacuum_insert_scale_factor = 0.1,
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
    -- The API key that asked for the upload, as changes.key_id.
    key_id          text,

    -- Until then the file may arrive or be retried, or a client may ask why it was refused. Afterwards the
    -- sweep settles the upload.
    expires_at      timestamptz NOT NULL,
    lease_until     timestamptz NOT NULL DEFAULT '-infinity',
    lease_token     bigint NOT NULL DEFAULT nextval('lease_tokens'),
    attempts        integer NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Uploads of the same bytes in progress.
CREATE INDEX IF NOT EXISTS uploads_sha256 ON uploads (sha256);
-- Expired uploads, for the sweep.
CREATE INDEX IF NOT EXISTS uploads_expires_at ON uploads (expires_at, id);

-- What each Idempotency-Key created. The sweep removes keys older than a week.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key             text COLLATE "C" PRIMARY KEY,
    -- SHA-256 over everything in which two requests with one key must agree.
    request_hash    bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    -- The upload, which is also its image, API key or webhook. A UUIDv7, so it also dates the key.
    subject_id      uuid NOT NULL
);

CREATE INDEX IF NOT EXISTS idempotency_keys_subject_id ON idempotency_keys (subject_id);

-- Images whose objects have yet to be removed: all, or of an image in the trash, its variants. A removal of all is
-- final. While one is pending, the image does not come back from the trash.
CREATE TABLE IF NOT EXISTS pending_removals (
    image_id        uuid PRIMARY KEY,
    -- Of the original. Null for an image in the trash, which keeps it.
    s3_key          text,
    -- Only grows: a request that was rendering a variant may store it after the removal has begun.
    variants        text[] NOT NULL,
    lease_until     timestamptz NOT NULL,
    lease_token     bigint NOT NULL DEFAULT nextval('lease_tokens')
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
    lease_token     bigint NOT NULL DEFAULT nextval('lease_tokens'),
    attempts        integer NOT NULL DEFAULT 1,
    PRIMARY KEY (image_id, name),
    CHECK ((status = 'failed') = (failure IS NOT NULL))
) WITH (
    -- Each variant leaves a dead row: the update that makes it ready removes it from the index below, so it is
    -- never HOT.
    autovacuum_vacuum_scale_factor = 0.02
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
    lease_token     bigint NOT NULL DEFAULT nextval('lease_tokens'),
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

-- Uses today (UTC): of analyses, for ANALYSIS_DAILY_BUDGET, and of revocations by each API key. Each row is its
-- last day's.
CREATE TABLE IF NOT EXISTS daily_budgets (
    name            text PRIMARY KEY,
    day             date NOT NULL,
    used            integer NOT NULL
);

-- Where the last comparison of objects and rows ran out of time; empty if it finished.
CREATE TABLE IF NOT EXISTS sweep_progress (
    only_one        boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    compared_until  text NOT NULL,
    -- Whether it has kept objects without a row: then it keeps all that it finds until it finishes.
    has_kept_orphans boolean NOT NULL DEFAULT false
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

-- Images in the trash, with all their columns. Their originals stay; variants are removed at once.
CREATE TABLE IF NOT EXISTS trashed_images (
    LIKE image_metadata INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    trashed_at      timestamptz NOT NULL DEFAULT now(),
    -- From then on, the sweep deletes the image for good.
    purge_after     timestamptz NOT NULL,
    -- The row of image_analysis, if there was one.
    analysis        jsonb,
    PRIMARY KEY (id)
);

CREATE INDEX IF NOT EXISTS trashed_images_trashed_at ON trashed_images (trashed_at, id);
CREATE INDEX IF NOT EXISTS trashed_images_purge_after ON trashed_images (purge_after, id);

-- The columns of a table as it is now, for statements that copy whole rows: during a deploy, old code moves the
-- columns that only new code knows. `present`: only these.
CREATE OR REPLACE FUNCTION columns_of(copied regclass, but text[] DEFAULT '{}', present text[] DEFAULT NULL)
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
    WHERE attrelid = copied AND attnum > 0 AND NOT attisdropped
      AND attname <> ALL (but) AND (present IS NULL OR attname = ANY (present))
$$;

-- Copies images to the trash, each only at one of these versions (null: any).
CREATE OR REPLACE FUNCTION copy_to_trash(ids uuid[], versions integer[], days integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    columns text := columns_of('image_metadata');
BEGIN
    EXECUTE 'INSERT INTO trashed_images (' || columns || ', purge_after, analysis) SELECT ' || columns || ',
            now() + make_interval(days => $3),
            (SELECT to_jsonb(analysis) FROM image_analysis AS analysis WHERE image_id = image.id)
        FROM image_metadata AS image WHERE id = ANY($1) AND ($2 IS NULL OR version = ANY($2))'
        USING ids, versions, days;
END $$;

-- Copies images back from the trash, with their analyses, except those with a pending removal. A column that came into
-- image_analysis since has its default.
CREATE OR REPLACE FUNCTION copy_from_trash(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    columns text := columns_of('image_metadata', '{restored_at}');
    trashed record;
BEGIN
    EXECUTE 'INSERT INTO image_metadata (' || columns || ', restored_at) SELECT ' || columns || ', now()
        FROM trashed_images AS trashed
        WHERE id = ANY($1) AND NOT EXISTS (SELECT FROM pending_removals WHERE image_id = trashed.id)' USING ids;
    FOR trashed IN SELECT analysis, ARRAY(SELECT jsonb_object_keys(analysis)) AS present
                   FROM trashed_images JOIN image_metadata USING (id)
                   WHERE id = ANY(ids) AND analysis IS NOT NULL LOOP
        columns := columns_of('image_analysis', present => trashed.present);
        EXECUTE 'INSERT INTO image_analysis (' || columns || ') SELECT ' || columns || '
            FROM jsonb_populate_record(NULL::image_analysis, $1)' USING trashed.analysis;
    END LOOP;
END $$;

-- The version of a row that clients change: triggers raise it only for what they see as a change.
CREATE OR REPLACE FUNCTION raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
    RETURN NEW;
END $$;

-- API keys that were made here; the root key, API_KEY, is not among them. A revoked key keeps its row.
CREATE TABLE IF NOT EXISTS api_keys (
    id              uuid PRIMARY KEY,
    version         integer NOT NULL DEFAULT 1,
    name            text NOT NULL,
    scopes          text[] NOT NULL,
    -- The first characters, by which people recognise it.
    prefix          text NOT NULL,
    -- Of the whole key, which is stored nowhere.
    sha256          bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    -- The id of the key that made it, or 'root'.
    created_by      text NOT NULL,
    expires_at      timestamptz,
    revoked_at      timestamptz,
    -- When a restore of the database was noticed; null once somebody has confirmed the key.
    suspended_at    timestamptz,
    -- To within ten minutes.
    last_used_at    timestamptz
);

CREATE OR REPLACE TRIGGER api_keys_version BEFORE UPDATE ON api_keys FOR EACH ROW
    WHEN ((OLD.name, OLD.expires_at, OLD.revoked_at, OLD.suspended_at)
        IS DISTINCT FROM (NEW.name, NEW.expires_at, NEW.revoked_at, NEW.suspended_at))
    EXECUTE FUNCTION raise_version();

-- What happened, numbered in the order of commits. Only functions of the schema's owner write here: note_*_change(),
-- the triggers of the tables, number_changes(), and drop_changes(), which forgets.
CREATE TABLE IF NOT EXISTS changes (
    sequence        bigint PRIMARY KEY,
    time            timestamptz NOT NULL,
    type            text NOT NULL,
    -- The image, API key or webhook that changed.
    subject_id      uuid NOT NULL,
    -- Of the subject, after the change; null for an analysis.
    version         integer,
    -- Who did it: the id of an API key, or 'root'; null for the service itself.
    key_id          text,
    request_id      text,
    -- The values that differ, before and after. Null where there are none, and once an image is deleted for good.
    before          jsonb,
    after           jsonb
) PARTITION BY RANGE (sequence);

CREATE INDEX IF NOT EXISTS changes_subject ON changes (subject_id, sequence);

-- Partitions have a schema of their own: the service's privileges on tables of `public` do not extend to them.
CREATE SCHEMA IF NOT EXISTS partitions;

-- Sequences in a partition: some 750 MB, and a hundred partitions for a hundred million changes.
CREATE OR REPLACE FUNCTION changes_per_partition() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 1000000 $$;

-- Changes that wait for their sequence. Triggers add them without a lock, so no commit waits for another.
CREATE TABLE IF NOT EXISTS changes_unnumbered (
    -- Taken by COMMIT, under the lock of the changed row: so it orders the changes of one subject.
    position        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time            timestamptz NOT NULL DEFAULT clock_timestamp(),
    type            text NOT NULL,
    subject_id      uuid NOT NULL,
    version         integer,
    key_id          text,
    request_id      text,
    before          jsonb,
    after           jsonb
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Adds a change of an image, a key or a webhook. Called by deferred triggers, so by COMMIT.
CREATE OR REPLACE FUNCTION note_change(type text, subject_id uuid, version integer, before jsonb, after jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes_unnumbered (type, subject_id, version, key_id, request_id, before, after)
    VALUES (type, subject_id, version, nullif(current_setting('image_api.key_id', true), ''),
            nullif(current_setting('image_api.request_id', true), ''), before, after);
END $$;

-- Numbers up to `most` of the changes that wait, and returns their number. All that was committed before the call
-- is in `changes` once this has returned 0. For transactions that are READ COMMITTED.
CREATE OR REPLACE FUNCTION number_changes(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    size CONSTANT bigint := changes_per_partition();
    batch CONSTANT integer := least(most, size);
    newest bigint;
    part bigint;
    numbered integer;
    gone uuid[];
BEGIN
    IF NOT EXISTS (SELECT FROM changes_unnumbered) THEN
        RETURN 0;
    END IF;
    -- NUMBERING in imageapi/database/locks.py. It is released once the numbers are visible, so whoever sees a
    -- change also sees all with smaller numbers.
    PERFORM pg_advisory_xact_lock(2, 0);
    -- The statements below have snapshots of their own, taken under the lock. One taken before it would lack what
    -- the last holder has numbered.
    SELECT coalesce(max(sequence), 0) INTO newest FROM changes;
    -- A partition has the changes of a month at most: otherwise small ones would never be old enough to drop.
    IF (SELECT time < now() - interval '30 days' FROM changes
        WHERE sequence >= newest - newest % size ORDER BY sequence LIMIT 1) THEN
        newest := newest - newest % size + size - 1;
    END IF;
    FOREACH part IN ARRAY ARRAY[(newest + 1) / size, (newest + batch) / size] LOOP
        IF to_regclass('partitions.changes_' || part) IS NULL THEN
            -- Not as PARTITION OF, which would wait for all who read `changes`.
            EXECUTE format('CREATE TABLE partitions.changes_%s (LIKE changes INCLUDING ALL)', part);
            EXECUTE format('ALTER TABLE changes ATTACH PARTITION partitions.changes_%s FOR VALUES FROM (%s) TO (%s)',
                part, part * size, (part + 1) * size);
        END IF;
    END LOOP;
    WITH taken AS (
        DELETE FROM changes_unnumbered WHERE position <= (
            SELECT max(position) FROM (SELECT position FROM changes_unnumbered ORDER BY position LIMIT batch) AS first)
        RETURNING *),
    added AS (
        INSERT INTO changes (sequence, time, type, subject_id, version, key_id, request_id, before, after)
        SELECT newest + row_number() OVER (ORDER BY position), time, type, subject_id, version, key_id, request_id,
               before, after FROM taken
        RETURNING type, subject_id)
    SELECT count(*), array_agg(subject_id) FILTER (WHERE type = 'image.deleted') INTO numbered, gone FROM added;
    -- Of what is deleted for good, no text is kept. All its earlier changes have smaller positions: they are numbered.
    IF gone IS NOT NULL THEN
        UPDATE changes SET before = NULL, after = NULL
            WHERE subject_id = ANY (gone) AND starts_with(type, 'image.') AND (before IS NOT NULL OR after IS NOT NULL);
    END IF;
    RETURN numbered;
END $$;

-- Drops the oldest partition if its newest change is older than a time, never that of the newest change of all.
-- Returns whether it did; while somebody reads for long, such as pg_dump, it does not.
CREATE OR REPLACE FUNCTION drop_changes(older_than timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    size CONSTANT bigint := changes_per_partition();
    oldest CONSTANT bigint := (SELECT min(sequence) FROM changes) / size;
BEGIN
    IF oldest < (SELECT max(sequence) FROM changes) / size
        AND (SELECT time < older_than FROM changes WHERE sequence < (oldest + 1) * size ORDER BY sequence DESC LIMIT 1)
    THEN
        EXECUTE format('DROP TABLE partitions.changes_%s', oldest);
        RETURN true;
    END IF;
    RETURN false;
EXCEPTION
    -- undefined_table: another sweep has dropped it.
    WHEN lock_not_available OR undefined_table THEN RETURN false;
END $$;

-- A time as the API shows it: show_time() in imageapi/model/times.py does the same.
CREATE OR REPLACE FUNCTION shown_time(moment timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- The columns of an image that clients see, as they see them, without version and link_version.
CREATE OR REPLACE FUNCTION shown_columns(image image_metadata) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    -- Hundreds of tokens would take longer to convert than all that is shown.
    image.tokens := '{}';
    image.tag_keys := '{}';
    image.search_text := '';
    image.placeholder := NULL;
    RETURN to_jsonb(image)
        - '{search_text,strong_length,tokens,tag_keys,title_key,placeholder,version,link_version,restored_at}'::text[]
        || jsonb_build_object('sha256', encode(image.sha256, 'hex'), 'created_at', shown_time(image.created_at),
                              'updated_at', shown_time(image.updated_at));
END $$;

-- The pairs of `a` that `b` has not.
CREATE OR REPLACE FUNCTION differing(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(a) WHERE b -> key IS DISTINCT FROM value
$$;

CREATE OR REPLACE FUNCTION note_image_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before jsonb;
    after jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM note_change('image.uploaded', NEW.id, NEW.version, NULL, shown_columns(NEW));
    ELSIF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM trashed_images WHERE id = OLD.id) THEN
            PERFORM note_change('image.deleted', OLD.id, OLD.version, NULL, NULL);
        END IF;
    ELSE
        IF OLD.link_version <> NEW.link_version THEN
            PERFORM note_change('image.links_revoked', NEW.id, NEW.version,
                jsonb_build_object('link_version', OLD.link_version), jsonb_build_object('link_version', NEW.link_version));
        END IF;
        IF OLD.version <> NEW.version THEN
            before := shown_columns(OLD);
            after := shown_columns(NEW);
            PERFORM note_change('image.changed', NEW.id, NEW.version, differing(before, after), differing(after, before));
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION note_trash_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    restored image_metadata;
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM note_change('image.trashed', NEW.id, NEW.version, NULL,
            jsonb_build_object('purge_at', shown_time(NEW.purge_after)));
        RETURN NULL;
    END IF;
    SELECT * INTO restored FROM image_metadata WHERE id = OLD.id;
    IF FOUND THEN
        -- In full, as after an upload: who follows the feed may have forgotten the image.
        PERFORM note_change('image.restored', restored.id, restored.version, NULL, shown_columns(restored));
    ELSE
        PERFORM note_change('image.deleted', OLD.id, OLD.version, NULL, NULL);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION shown_analysis(analysis image_analysis) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('model', analysis.model, 'caption', analysis.caption, 'tags', analysis.tags,
        'text_seen', analysis.text_seen, 'safety', analysis.safety, 'analyzed_at', shown_time(analysis.analyzed_at))
$$;

CREATE OR REPLACE FUNCTION note_analysis_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before jsonb := shown_analysis(OLD);
    after jsonb := shown_analysis(NEW);
BEGIN
    IF OLD.analyzed_at IS NULL THEN
        PERFORM note_change('image.analyzed', NEW.image_id, NULL, NULL, after);
    ELSE
        PERFORM note_change('image.analyzed', NEW.image_id, NULL, differing(before, after), differing(after, before));
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION shown_key(key api_keys) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('id', key.id, 'name', key.name, 'scopes', key.scopes,
        'expires_at', shown_time(key.expires_at), 'suspended_at', shown_time(key.suspended_at))
$$;

CREATE OR REPLACE FUNCTION note_key_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM note_change('key.created', NEW.id, NEW.version, NULL, shown_key(NEW));
    ELSIF OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL THEN
        PERFORM note_change('key.revoked', NEW.id, NEW.version, shown_key(OLD), NULL);
    ELSE
        PERFORM note_change('key.changed', NEW.id, NEW.version, differing(shown_key(OLD), shown_key(NEW)),
            differing(shown_key(NEW), shown_key(OLD)));
    END IF;
    RETURN NULL;
END $$;

-- CREATE OR REPLACE does not take constraint triggers, and only they can be deferred.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_trigger WHERE tgname = 'image_metadata_noted' AND tgrelid = 'image_metadata'::regclass) THEN
        RETURN;
    END IF;
    CREATE CONSTRAINT TRIGGER image_metadata_noted AFTER INSERT ON image_metadata
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.restored_at IS NULL) EXECUTE FUNCTION note_image_change();
    CREATE CONSTRAINT TRIGGER image_metadata_change_noted AFTER UPDATE ON image_metadata
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (OLD.version <> NEW.version OR OLD.link_version <> NEW.link_version) EXECUTE FUNCTION note_image_change();
    CREATE CONSTRAINT TRIGGER image_metadata_deletion_noted AFTER DELETE ON image_metadata
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_image_change();
    CREATE CONSTRAINT TRIGGER trashed_images_noted AFTER INSERT OR DELETE ON trashed_images
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_trash_change();
    CREATE CONSTRAINT TRIGGER image_analysis_noted AFTER UPDATE ON image_analysis
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (NEW.status = 'ready' AND NEW.analyzed_at IS DISTINCT FROM OLD.analyzed_at) EXECUTE FUNCTION note_analysis_change();
    CREATE CONSTRAINT TRIGGER api_keys_noted AFTER INSERT ON api_keys
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_key_change();
    CREATE CONSTRAINT TRIGGER api_keys_change_noted AFTER UPDATE ON api_keys
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.version <> NEW.version) EXECUTE FUNCTION note_key_change();
END $$;

-- The server that the database was last seen on. A backup brings that of its original along.
CREATE TABLE IF NOT EXISTS database_server (
    only_one        boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    identity        text NOT NULL
);

-- Suspends all API keys if the database was not on this server before, so it was restored from a backup: keys that
-- were revoked after the backup are valid again. Returns how many were suspended. `server` identifies the server where
-- PostgreSQL cannot: a cluster that Aurora makes from a snapshot looks like the old one.
CREATE OR REPLACE FUNCTION suspend_restored_keys(server text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    suspended integer := 0;
BEGIN
    IF server IS NULL THEN
        SELECT system_identifier || '/' || pg_database.oid INTO server
        FROM pg_control_system(), pg_database WHERE datname = current_database();
    END IF;
    IF EXISTS (SELECT FROM database_server WHERE identity <> server) THEN
        UPDATE api_keys SET suspended_at = now() WHERE revoked_at IS NULL AND suspended_at IS NULL;
        GET DIAGNOSTICS suspended = ROW_COUNT;
    END IF;
    INSERT INTO database_server (identity) VALUES (server) ON CONFLICT (only_one) DO UPDATE SET identity = server;
    RETURN suspended;
END $$;

-- What POST /api/images/batch did for each Idempotency-Key. The sweep removes keys older than a week.
CREATE TABLE IF NOT EXISTS batches (
    key             text COLLATE "C" PRIMARY KEY,
    request_hash    bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    -- By image id. Each is written in the transaction that makes the change.
    results         jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS batches_created_at ON batches (created_at);

-- Webhooks. Each follows the changes in their order: the next is sent when the one before was accepted.
CREATE TABLE IF NOT EXISTS webhooks (
    id              uuid PRIMARY KEY,
    version         integer NOT NULL DEFAULT 1,
    url             text NOT NULL,
    -- Types of changes.
    types           text[] NOT NULL,
    -- The API key that answers for it, as changes.key_id. Without a valid one, nothing is sent.
    created_by      text NOT NULL,
    -- Signs the deliveries, so it cannot be a hash.
    secret          text NOT NULL,
    -- Former ones, each {"secret", "until"}: they also sign until then, in Unix seconds.
    old_secrets     jsonb NOT NULL DEFAULT '[]',
    rotated_at      timestamptz,
    -- The last change that was delivered, or is of no interest to it.
    sequence        bigint NOT NULL,
    wants_test      boolean NOT NULL DEFAULT false,
    -- Of the change that is delivered next.
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    failing_since   timestamptz,
    paused_at       timestamptz,
    pause_reason    text,
    lease_until     timestamptz NOT NULL DEFAULT '-infinity',
    lease_token     bigint NOT NULL DEFAULT nextval('lease_tokens'),
    -- The last deliveries, newest first.
    results         jsonb NOT NULL DEFAULT '[]',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);

-- Not of each delivery.
CREATE OR REPLACE TRIGGER webhooks_version BEFORE UPDATE ON webhooks FOR EACH ROW
    WHEN ((OLD.url, OLD.types, OLD.created_by, OLD.rotated_at, OLD.paused_at)
        IS DISTINCT FROM (NEW.url, NEW.types, NEW.created_by, NEW.rotated_at, NEW.paused_at))
    EXECUTE FUNCTION raise_version();

-- What the feed shows of a webhook: no secret, and no query of its URL, which may hold a token.
CREATE OR REPLACE FUNCTION shown_webhook(webhook webhooks) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('id', webhook.id, 'url', regexp_replace(webhook.url, '[?].*', '?…'),
        'types', webhook.types, 'created_by', webhook.created_by, 'paused_at', shown_time(webhook.paused_at),
        'pause_reason', webhook.pause_reason, 'rotated_at', shown_time(webhook.rotated_at))
$$;

CREATE OR REPLACE FUNCTION note_webhook_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM note_change('webhook.created', NEW.id, NEW.version, NULL, shown_webhook(NEW));
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM note_change('webhook.deleted', OLD.id, OLD.version, shown_webhook(OLD), NULL);
    ELSE
        PERFORM note_change('webhook.changed', NEW.id, NEW.version, differing(shown_webhook(OLD), shown_webhook(NEW)),
            differing(shown_webhook(NEW), shown_webhook(OLD)));
    END IF;
    RETURN NULL;
END $$;

DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_trigger WHERE tgname = 'webhooks_noted' AND tgrelid = 'webhooks'::regclass) THEN
        RETURN;
    END IF;
    CREATE CONSTRAINT TRIGGER webhooks_noted AFTER INSERT OR DELETE ON webhooks
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_webhook_change();
    CREATE CONSTRAINT TRIGGER webhooks_change_noted AFTER UPDATE ON webhooks
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.version <> NEW.version) EXECUTE FUNCTION note_webhook_change();
END $$;

-- Functions that run as the schema's owner: imageapi/database/grants.py says who may call them. Triggers run for all.
REVOKE EXECUTE ON FUNCTION number_changes, drop_changes, note_image_change, note_trash_change, note_analysis_change,
    note_key_change, note_webhook_change FROM PUBLIC;
