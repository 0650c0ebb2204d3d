-- A lead may go to several buyers, and never to more than any of them was promised.

-- To how many buyers in all the lead may go, as this one was promised; one: to it alone, as every
-- post before this step.
ALTER TABLE attempt ADD COLUMN buyers INTEGER NOT NULL DEFAULT 1 CHECK (buyers >= 1);
-- How many of those it takes: one, or one for each company that is offered the lead; once it is
-- sold, one for each that bought.
ALTER TABLE attempt ADD COLUMN places INTEGER NOT NULL DEFAULT 1
  CHECK (places >= 1 AND places <= buyers);
-- The companies behind the buyer, as JSON: those that were offered the lead, and those that bought.
ALTER TABLE attempt ADD COLUMN legs TEXT;
ALTER TABLE attempt ADD COLUMN sold_legs TEXT;

DROP INDEX attempt_sold_once;
CREATE UNIQUE INDEX attempt_sold_alone ON attempt (lead) WHERE state = 'accepted' AND buyers = 1;
CREATE UNIQUE INDEX attempt_sold_once_each ON attempt (lead, campaign) WHERE state = 'accepted';

-- What was promised is never changed.
CREATE TRIGGER attempt_promise BEFORE UPDATE OF buyers ON attempt WHEN NEW.buyers <> OLD.buyers
BEGIN
  SELECT RAISE(ABORT, 'a buyer was promised another number of buyers');
END;

-- A post takes places that nobody has. A post that is out, or whose answer was lost, keeps its
-- places; only an exclusive one that may be passed on (`cascade`) gives its place up.
CREATE TRIGGER attempt_places BEFORE INSERT ON attempt
WHEN NEW.state IN ('prepared', 'unknown', 'accepted')
BEGIN
  SELECT RAISE(ABORT, 'more posts than the lead has places')
  FROM (SELECT ifnull(sum(places), 0) AS taken, ifnull(min(buyers), NEW.buyers) AS least
        FROM attempt WHERE lead = NEW.lead AND (state IN ('prepared', 'accepted')
          OR state = 'unknown' AND NOT (buyers = 1 AND policy = 'cascade')))
  WHERE taken + NEW.places > min(least, NEW.buyers);
END;

-- No more sales than the least of the promises of those that bought.
CREATE TRIGGER attempt_sales BEFORE UPDATE OF state, places ON attempt WHEN NEW.state = 'accepted'
BEGIN
  SELECT RAISE(ABORT, 'more sales than the lead has places')
  FROM (SELECT ifnull(sum(places), 0) AS taken, ifnull(min(buyers), NEW.buyers) AS least
        FROM attempt WHERE lead = NEW.lead AND step <> NEW.step AND state = 'accepted')
  WHERE taken + NEW.places > min(least, NEW.buyers);
END;
