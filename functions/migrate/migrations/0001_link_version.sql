-- Permanent links, which are signed with this number. Constant defaults do not rewrite the table.
ALTER TABLE image_metadata ADD COLUMN IF NOT EXISTS link_version integer NOT NULL DEFAULT 0;
