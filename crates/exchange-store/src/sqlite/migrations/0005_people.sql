-- Persons who are being sold or were, as keyed hashes of their contact values.
-- A claim of step -1 is the lead's own: from its first post until it ends unsold. The others say
-- who has the person, or may have it; they end when the attempt ends without a sale.
CREATE TABLE person_claim (
  field TEXT NOT NULL,
  fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
  lead BLOB NOT NULL,
  step INTEGER NOT NULL,
  source TEXT NOT NULL,
  vertical TEXT NOT NULL,
  campaign TEXT,
  claimed_at INTEGER NOT NULL,
  PRIMARY KEY (field, fingerprint, lead, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_claim_by_lead ON person_claim (lead);

INSERT OR IGNORE INTO person_claim
  SELECT substr(claim.scope, instr(claim.scope, ':') + 1), claim.fingerprint, claim.lead, -1,
    lead.source, lead.vertical, NULL, claim.claimed_at
  FROM claim JOIN lead ON lead.id = claim.lead
  WHERE claim.claimed_at IS NOT NULL;
INSERT OR IGNORE INTO person_claim
  SELECT substr(claim.scope, instr(claim.scope, ':') + 1), claim.fingerprint, claim.lead,
    attempt.step, lead.source, lead.vertical, attempt.campaign, attempt.prepared_at
  FROM claim JOIN lead ON lead.id = claim.lead JOIN attempt ON attempt.lead = claim.lead
  WHERE claim.claimed_at IS NOT NULL AND attempt.state IN ('prepared', 'unknown', 'accepted');
DROP TABLE claim;

-- Persons whom a source sent lately, whatever became of them.
CREATE TABLE resubmission (
  source TEXT NOT NULL,
  field TEXT NOT NULL,
  fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
  lead BLOB NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (source, field, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX resubmission_by_lead ON resubmission (lead);

-- Persons whom buyers do not want: the first bytes of keyed hashes.
-- A list is 'live', still 'coming', or 'gone' and swept away by and by.
CREATE TABLE suppression_list (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  buyer TEXT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX suppression_list_live ON suppression_list (buyer, name) WHERE state = 'live';
CREATE TABLE suppression_entry (
  list INTEGER NOT NULL,
  entry BLOB NOT NULL CHECK (length(entry) = 16),
  PRIMARY KEY (list, entry)
) STRICT, WITHOUT ROWID;

-- Whom the consumer agreed to hear from, as the seller said: a JSON list of names or hashes.
ALTER TABLE lead ADD COLUMN consented_to TEXT;
ALTER TABLE ping ADD COLUMN consented_to TEXT;
