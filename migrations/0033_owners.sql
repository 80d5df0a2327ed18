-- Whom people assigned an issue to, by the names that the tracker shows, as a JSON list: empty if nobody, NULL as long as nothing is known. Never
-- an e-mail address.

ALTER TABLE issues ADD COLUMN owners TEXT;

-- A survey of GitHub lists what changed since the one before. The next one reads all issues once, and with them their owners.
DELETE FROM tracker_facts WHERE fact = 'survey_bookmark';
