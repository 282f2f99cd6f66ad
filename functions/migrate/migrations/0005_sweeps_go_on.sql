-- Where the last comparison of objects and rows ran out of time; empty when it came to the end.
CREATE TABLE IF NOT EXISTS sweep_progress (
    only_one        boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    compared_until  text NOT NULL
);
