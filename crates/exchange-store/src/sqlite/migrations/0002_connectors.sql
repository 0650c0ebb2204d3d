-- The attempt whose id is the key of the request, when it is another step of the same lead.
ALTER TABLE attempt ADD COLUMN request_step INTEGER;
-- What another price in the acceptance means, as JSON.
ALTER TABLE attempt ADD COLUMN on_price TEXT;
-- What the buyer is asked again with, as JSON.
ALTER TABLE attempt ADD COLUMN handles TEXT;
-- What was booked, in the currency of the attempt; `price` and `payout` stay what was bid.
ALTER TABLE attempt ADD COLUMN sold_price TEXT;
ALTER TABLE attempt ADD COLUMN sold_payout TEXT;
