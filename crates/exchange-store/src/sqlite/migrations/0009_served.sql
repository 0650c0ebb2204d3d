-- In which tree the tier of an attempt stands. Of older ones it is not known: they count for no tier.
ALTER TABLE attempt ADD COLUMN tree TEXT;
-- Leads that a campaign made a usable bid for in a tier that sells by share, by the quarter of an
-- hour in which they were taken in. Posts are counted from the attempts.
CREATE TABLE qualified (
  tree TEXT NOT NULL,
  tier TEXT NOT NULL,
  campaign TEXT NOT NULL,
  step INTEGER NOT NULL,
  leads INTEGER NOT NULL,
  PRIMARY KEY (tree, tier, campaign, step)
) STRICT, WITHOUT ROWID;
