-- What a ping asked of whoever buys the lead; the post on it is held to that.
ALTER TABLE ping ADD COLUMN limits TEXT;

-- The first of the leads that this one was posted again after.
ALTER TABLE lead ADD COLUMN repost_of BLOB;
CREATE INDEX lead_reposts ON lead (repost_of) WHERE repost_of IS NOT NULL;
