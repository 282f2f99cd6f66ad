-- API keys, the feed of changes, the trash, batches and webhooks.
ALTER TABLE uploads ADD COLUMN IF NOT EXISTS key_id text;
ALTER TABLE image_metadata ADD COLUMN IF NOT EXISTS restored_at timestamptz;

ALTER TABLE deletions ALTER COLUMN s3_key DROP NOT NULL;

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

-- API keys that were made here; the root key, API_KEY, is not among them. A revoked key keeps its row.
CREATE TABLE IF NOT EXISTS api_keys (
    id              uuid PRIMARY KEY,
    name            text NOT NULL,
    scopes          text[] NOT NULL,
    -- The first characters, by which people recognise it.
    prefix          text NOT NULL,
    -- Of the whole key, which is stored nowhere.
    sha256          bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz,
    revoked_at      timestamptz,
    -- To within ten minutes.
    last_used_at    timestamptz
);

-- What happened, in the order of commits. Rows are only added, by triggers, and removed when they are old.
CREATE TABLE IF NOT EXISTS changes (
    sequence        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time            timestamptz NOT NULL DEFAULT clock_timestamp(),
    type            text NOT NULL,
    -- Null for changes of API keys.
    image_id        uuid,
    -- Of the image, after the change.
    version         integer,
    -- Who did it: the id of an API key, or 'root'; null for the service itself.
    key_id          text,
    request_id      text,
    -- What changed, from what to what: the values that differ, before and after. Null where there are none.
    before          jsonb,
    after           jsonb
) WITH (
    -- Whoever reads from the oldest change on passes what the sweep has removed and no vacuum has.
    autovacuum_vacuum_scale_factor = 0.02
);

CREATE INDEX IF NOT EXISTS changes_image_id ON changes (image_id, sequence) WHERE image_id IS NOT NULL;

-- Adds a row to changes. Called by deferred triggers, so by COMMIT: no client can hold this lock. It is released
-- once the transaction is visible, so whoever sees a row also sees all with smaller numbers.
CREATE OR REPLACE FUNCTION note_change(type text, image_id uuid, version integer, before jsonb, after jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7594021836651208290);
    INSERT INTO changes (type, image_id, version, key_id, request_id, before, after)
    VALUES (type, image_id, version, nullif(current_setting('image_api.key_id', true), ''),
            nullif(current_setting('image_api.request_id', true), ''), before, after);
END $$;

-- A time as the API shows it.
CREATE OR REPLACE FUNCTION shown_time(moment timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT to_char(moment AT TIME ZONE 'UTC', CASE WHEN date_trunc('second', moment, 'UTC') = moment
        THEN 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"' ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"' END)
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

CREATE OR REPLACE FUNCTION note_image_change() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION note_trash_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    restored image_metadata;
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM note_change('image.trashed', NEW.id, NEW.version, NULL,
            jsonb_build_object('purge_after', shown_time(NEW.purge_after)));
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

CREATE OR REPLACE FUNCTION note_analysis_change() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION note_key_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    shown jsonb := jsonb_build_object('id', NEW.id, 'name', NEW.name, 'scopes', NEW.scopes,
                                      'expires_at', shown_time(NEW.expires_at));
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM note_change('key.created', NULL, NULL, NULL, shown);
    ELSE
        PERFORM note_change('key.revoked', NULL, NULL, shown, NULL);
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
    CREATE CONSTRAINT TRIGGER api_keys_revocation_noted AFTER UPDATE OF revoked_at ON api_keys
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL) EXECUTE FUNCTION note_key_change();
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
    url             text NOT NULL,
    -- Types of changes.
    types           text[] NOT NULL,
    -- Signs the deliveries, so it cannot be a hash.
    secret          text NOT NULL,
    -- The last change that was delivered, or is of no interest to it.
    sequence        bigint NOT NULL,
    wants_test      boolean NOT NULL DEFAULT false,
    -- Of the change that is delivered next.
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    failing_since   timestamptz,
    paused_at       timestamptz,
    lease_until     timestamptz NOT NULL DEFAULT '-infinity',
    lease_token     bigint NOT NULL DEFAULT 0,
    -- The last deliveries, newest first.
    results         jsonb NOT NULL DEFAULT '[]',
    created_at      timestamptz NOT NULL DEFAULT now()
);
