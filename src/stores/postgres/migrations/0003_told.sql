-- Which attempt has told the outcome: it may not have heard that it was the first.
ALTER TABLE payments ADD COLUMN told_by text COLLATE "C";
