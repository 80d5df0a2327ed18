-- Whom people assigned an issue to, by the names that the tracker shows, as a JSON list: empty if nobody, NULL as long as nothing is known. Never
-- an e-mail address.

ALTER TABLE issues ADD COLUMN owners TEXT;

-- A survey of GitHub lists what changed since the one before, by its bookmark; without a bookmark that can be read it reads all issues, and with
-- them their owners.
UPDATE tracker_facts SET value = '' WHERE fact = 'survey_bookmark';
