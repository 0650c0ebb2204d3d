-- Times are microseconds since 1970; ids are 16 bytes; amounts are decimal texts with a currency
-- beside them, except in the books, which count whole minor units.

CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- A request, before anybody is pinged, and how it ended. Nothing here identifies a person.
CREATE TABLE lead (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  source TEXT NOT NULL,
  vertical TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  config_version TEXT NOT NULL,
  attributes TEXT NOT NULL,
  callback_url TEXT,
  status TEXT,
  payout TEXT,
  currency TEXT,
  redirect_url TEXT,
  reasons TEXT NOT NULL DEFAULT '[]',
  answered_at INTEGER,
  erased_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX lead_running ON lead (id) WHERE status IS NULL;

-- A ping shares its id with the lead posted on it, so it is used once.
CREATE TABLE ping (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  source TEXT NOT NULL,
  vertical TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  config_version TEXT NOT NULL,
  attributes TEXT NOT NULL,
  status TEXT,
  expires_at INTEGER,
  payout TEXT,
  currency TEXT,
  bids TEXT,
  erased_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX ping_running ON ping (id) WHERE status IS NULL;

-- What the seller was told, byte for byte.
CREATE TABLE reply (
  kind TEXT NOT NULL,
  lead BLOB NOT NULL,
  http_status INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (kind, lead)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
  kind TEXT NOT NULL,
  lead BLOB NOT NULL,
  fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32)
) STRICT, WITHOUT ROWID;

-- The vault: sealed contact data, and apart from it the keys, each wrapped under the root key.
CREATE TABLE contact (
  lead BLOB PRIMARY KEY CHECK (length(lead) = 16),
  sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE lead_key (
  lead BLOB PRIMARY KEY CHECK (length(lead) = 16),
  wrapped BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What makes another lead a duplicate; counts once it is claimed.
CREATE TABLE claim (
  lead BLOB NOT NULL,
  scope TEXT NOT NULL,
  fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
  since INTEGER NOT NULL,
  claimed_at INTEGER,
  PRIMARY KEY (lead, scope, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_by_value ON claim (scope, fingerprint, claimed_at) WHERE claimed_at IS NOT NULL;

-- One post of one lead to one campaign: commit A inserts, commit B updates, once.
CREATE TABLE attempt (
  lead BLOB NOT NULL REFERENCES lead (id),
  step INTEGER NOT NULL,
  campaign TEXT NOT NULL,
  tier TEXT NOT NULL,
  price TEXT NOT NULL,
  payout TEXT NOT NULL,
  currency TEXT NOT NULL,
  price_minor INTEGER NOT NULL,
  token TEXT,
  terms TEXT NOT NULL,
  policy TEXT NOT NULL,
  resolve_by INTEGER NOT NULL,
  counted_at INTEGER NOT NULL,
  prepared_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  text TEXT,
  buyer_ref TEXT,
  reply_price TEXT,
  reply_currency TEXT,
  redirect_url TEXT,
  concluded_at INTEGER,
  PRIMARY KEY (lead, step)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX attempt_sold_once ON attempt (lead) WHERE state = 'accepted';
CREATE INDEX attempt_open ON attempt (prepared_at) WHERE state IN ('prepared', 'unknown');
CREATE INDEX attempt_counted ON attempt (counted_at, campaign, price_minor)
  WHERE state IN ('prepared', 'unknown', 'accepted');
CREATE INDEX attempt_won ON attempt (campaign, concluded_at) WHERE state = 'accepted';

-- What a person must look at.
CREATE TABLE exception (
  id INTEGER PRIMARY KEY,
  lead BLOB NOT NULL,
  step INTEGER NOT NULL,
  kind TEXT NOT NULL,
  detail TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX exception_by_lead ON exception (lead);

-- What others must be told, delivered at least once.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  lead BLOB NOT NULL,
  url TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  delivered_at INTEGER
) STRICT;

CREATE TABLE trace (
  id INTEGER PRIMARY KEY,
  lead BLOB NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX trace_by_lead ON trace (lead);

CREATE TABLE api_key (
  id TEXT PRIMARY KEY,
  source TEXT NOT NULL,
  mode TEXT NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- The books: appended to, never edited. Each hash covers its record and every one before it.
CREATE TABLE ledger_transaction (
  sequence INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  currency TEXT NOT NULL,
  effective_at INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  lead BLOB,
  step INTEGER,
  actor TEXT NOT NULL,
  memo TEXT NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX ledger_transaction_by_lead ON ledger_transaction (lead) WHERE lead IS NOT NULL;
CREATE TABLE ledger_entry (
  sequence INTEGER NOT NULL REFERENCES ledger_transaction (sequence),
  line INTEGER NOT NULL,
  account TEXT NOT NULL,
  layer TEXT NOT NULL,
  side TEXT NOT NULL,
  minor INTEGER NOT NULL CHECK (minor > 0),
  PRIMARY KEY (sequence, line)
) STRICT, WITHOUT ROWID;
CREATE TABLE ledger_head (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  recorded_at INTEGER NOT NULL
) STRICT;
CREATE TABLE balance (
  account TEXT NOT NULL,
  currency TEXT NOT NULL,
  layer TEXT NOT NULL,
  minor INTEGER NOT NULL,
  PRIMARY KEY (account, currency, layer)
) STRICT, WITHOUT ROWID;
CREATE TABLE hold (
  lead BLOB NOT NULL,
  step INTEGER NOT NULL,
  account TEXT NOT NULL,
  currency TEXT NOT NULL,
  minor INTEGER NOT NULL CHECK (minor > 0),
  state TEXT NOT NULL,
  captured INTEGER,
  PRIMARY KEY (lead, step),
  FOREIGN KEY (lead, step) REFERENCES attempt (lead, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_open ON hold (lead) WHERE state = 'open';
