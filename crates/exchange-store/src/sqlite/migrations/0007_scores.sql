-- Pings to a buyer and bids of it, by the hour they were sent in; written behind. Posts and what
-- became of them are counted from the attempts.
CREATE TABLE ping_count (
  buyer TEXT NOT NULL,
  hour INTEGER NOT NULL,
  pings INTEGER NOT NULL,
  bids INTEGER NOT NULL,
  PRIMARY KEY (buyer, hour)
) STRICT, WITHOUT ROWID;
