-- What Gemini says of images, and how often it may be asked.
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
