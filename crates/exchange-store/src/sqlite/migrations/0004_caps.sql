-- Where the lead of an attempt came from, so that caps by source are counted from one index.
ALTER TABLE attempt ADD COLUMN source TEXT;
UPDATE attempt SET source = (SELECT source FROM lead WHERE id = attempt.lead);
-- When the buyer said that it is done with the lead; it may take another one then.
ALTER TABLE attempt ADD COLUMN finished_at INTEGER;
-- What caps count. Without the time first, so that one campaign's history lies together.
CREATE INDEX attempt_used ON attempt (campaign, source, counted_at, price_minor)
  WHERE state IN ('prepared', 'unknown', 'accepted');
-- What the caps of sources count.
CREATE INDEX lead_taken_in ON lead (source, received_at);
