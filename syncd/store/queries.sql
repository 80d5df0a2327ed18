-- Every query by name, each with a line of why. Times are epoch seconds; `:name` is a parameter; `:rows` is as many rows as a batch has.
-- Casts are for PostgreSQL, which does not infer the types of such rows. The text is the same for both databases except for six phrases. The
-- first two are empty for SQLite, where there is one writer:
-- {lock}: locks rows that are read and then changed, in the order of their ids; otherwise a concurrent change is lost.
-- {skip_locked}: a claim skips rows that another process is just claiming, and does not wait for them.
-- {terms}: the terms of a search as rows (term, numbered, name, value), out of the JSON in :terms.
-- {closed_at}: when an issue was closed, out of the JSON of its condition.
-- {labels}: the labels in the JSON in :labels, each as it stands in the JSON of a condition.
-- {attributes}: the values of those attributes of a group that have the name of the term, with the beginning of a WHERE.
-- A name that begins with _ is a part of other queries, which refer to it as {_name}.

-- accept: committed before the answer of 200; adds nothing that this store could not read again
INSERT INTO deliveries (received_at, body, dictionary, identity, note, source, state)
SELECT column1, column2, CAST(column3 AS BIGINT), CAST(column4 AS BIGINT), CAST(column5 AS TEXT), CAST(column6 AS TEXT), 'waiting' FROM (VALUES :rows) AS arrived
WHERE column3 IS NULL OR EXISTS (SELECT 1 FROM dictionaries WHERE dictionaries.id = CAST(column3 AS BIGINT));

-- newest_dictionary: the one to pack with; no row before the first training
SELECT id, made_at FROM dictionaries ORDER BY made_at DESC, id LIMIT 1;

-- dictionary: the contents that a frame was packed with
SELECT content FROM dictionaries WHERE id = :id;

-- latest_bodies: the sample that a dictionary is trained on, without large ones
SELECT body FROM (SELECT body FROM deliveries ORDER BY id DESC LIMIT :size) AS latest WHERE length(body) <= :largest;

-- keep_dictionary: the first of its number stays
INSERT INTO dictionaries (id, content, made_at) VALUES (:id, :content, :made_at) ON CONFLICT DO NOTHING;

-- unneeded_dictionaries: replaced long enough ago, and no delivery refers to it; the oldest deliveries show soonest that one is in use
SELECT id FROM dictionaries WHERE EXISTS (
        SELECT 1 FROM dictionaries AS later WHERE later.made_at > dictionaries.made_at AND later.made_at < :before)
    AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.dictionary = dictionaries.id);

-- forget_dictionary: once no delivery refers to it
DELETE FROM dictionaries WHERE id = :id;

-- waiting_sizes: oldest first, so that the earlier delivery is folded earlier
SELECT id, length(body) AS size, substr(body, 1, 18) AS head, in_hand FROM deliveries WHERE state = 'waiting' ORDER BY id LIMIT :size;

-- waiting_until: all up to a number
SELECT id, received_at, body, identity, source, replayed_at, in_hand, deaths FROM deliveries WHERE state = 'waiting' AND id <= :last ORDER BY id;

-- waiting_of_groups: all that wait of a few groups; a delivery without an identity may be of any group
WITH wanted (identity) AS (VALUES :rows)
SELECT id, length(body) AS size, substr(body, 1, 18) AS head, in_hand FROM deliveries
WHERE state = 'waiting' AND (identity IS NULL OR identity IN (SELECT CAST(wanted.identity AS BIGINT) FROM wanted)) ORDER BY id;

-- waiting_of: named deliveries, unless another process has absorbed them
WITH wanted (id) AS (VALUES :rows)
SELECT deliveries.id, received_at, body, identity, source, replayed_at, in_hand, deaths FROM wanted JOIN deliveries ON deliveries.id = CAST(wanted.id AS BIGINT)
WHERE state = 'waiting' ORDER BY deliveries.id;

-- claim_deliveries: returns only the deliveries that no other process has absorbed
WITH absorbed (id, group_id) AS (VALUES :rows)
UPDATE deliveries SET state = 'absorbed', group_id = CAST(absorbed.group_id AS BIGINT) FROM absorbed
WHERE deliveries.id = CAST(absorbed.id AS BIGINT) AND deliveries.state = 'waiting' RETURNING deliveries.id, deliveries.received_at;

-- take_in_hand: a suspected delivery is absorbed alone, and its death on record if the process dies of it
UPDATE deliveries SET in_hand = :owner WHERE id = :id AND state = 'waiting';

-- blame: a process died with this delivery alone in its hand
UPDATE deliveries SET in_hand = '', deaths = deaths + 1 WHERE in_hand = :owner AND state = 'waiting';

-- suspect: what a dead process may have had in hand; a delivery that waits alone was in its hand alone
UPDATE deliveries SET in_hand = '',
    deaths = (SELECT CASE COUNT(*) WHEN 1 THEN 1 ELSE 0 END FROM (SELECT id FROM deliveries WHERE state = 'waiting' ORDER BY id LIMIT 2) AS oldest)
WHERE in_hand IS NULL AND id IN (SELECT id FROM deliveries WHERE state = 'waiting' ORDER BY id LIMIT :size);

-- reject_delivery: a delivery that this program cannot parse moves to the quarantine and is never just removed
DELETE FROM deliveries WHERE id = :id AND state = 'waiting';

-- purge_deliveries: a limited number of rows at a time, so that no purge holds the writer for long
DELETE FROM deliveries WHERE id IN (
    SELECT id FROM deliveries WHERE state = 'absorbed' AND received_at < :before ORDER BY received_at LIMIT :size);

-- purge_history: old decisions except the latest of each group, which explains its state
DELETE FROM history WHERE id IN (
    SELECT id FROM history WHERE at < :before
        AND EXISTS (SELECT 1 FROM history AS later WHERE later.group_id = history.group_id AND later.id > history.id)
    ORDER BY at LIMIT :size);

-- purge_audit: old entries of what operators did
DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < :before ORDER BY at LIMIT :size);

-- purgeable: what a purge would remove, for its dry run
SELECT (SELECT COUNT(*) FROM deliveries WHERE state = 'absorbed' AND received_at < :before) AS deliveries,
    (SELECT COUNT(*) FROM history WHERE at < :decided_before AND EXISTS (SELECT 1 FROM history AS later
        WHERE later.group_id = history.group_id AND later.id > history.id)) AS decisions,
    (SELECT COUNT(*) FROM audit WHERE at < :decided_before) AS entries;

-- replayable: absorbed deliveries that are not yet purged, a limited number of rows at a time
SELECT deliveries.id, deliveries.received_at, deliveries.body, deliveries.source, groups.fingerprint
FROM deliveries LEFT JOIN groups ON groups.id = deliveries.group_id
WHERE deliveries.state = 'absorbed' AND deliveries.id > :after AND deliveries.received_at >= :since
    AND (CAST(:group_id AS BIGINT) IS NULL OR deliveries.group_id = CAST(:group_id AS BIGINT))
ORDER BY deliveries.id LIMIT :size;

-- replay: back into the inbox; the delivery is folded again and counts only if it is now parsed to other facts
WITH again (id, now) AS (VALUES :rows)
UPDATE deliveries SET state = 'waiting', replayed_at = CAST(again.now AS DOUBLE PRECISION), in_hand = NULL, deaths = 0 FROM again
WHERE deliveries.id = CAST(again.id AS BIGINT) AND deliveries.state = 'absorbed' RETURNING deliveries.id;

-- quarantine: authentic bodies that cannot be read as a notification; nothing that was sent is lost
INSERT INTO quarantine (received_at, body, code, reason, field, source) VALUES (:received_at, :body, :code, :reason, :field, :source)
RETURNING id;

-- bound_quarantine: the newest stay: a sender that is wrong for days must not fill the disk
DELETE FROM quarantine WHERE id <= (SELECT id FROM quarantine ORDER BY id DESC LIMIT 1 OFFSET :deliveries)
    OR id IN (SELECT id FROM (SELECT id, SUM(length(body)) OVER (ORDER BY id DESC) AS total FROM quarantine) AS sizes
        WHERE total > :bytes AND id < (SELECT MAX(id) FROM quarantine));

-- quarantined: newest first, for people, who read the beginning of a body
SELECT id, received_at, substr(body, 1, :prefix) AS body, length(body) AS size, code, reason, field, source
FROM quarantine ORDER BY id DESC LIMIT :size;

-- quarantined_body: one, to be read again or shown whole
SELECT body, source FROM quarantine WHERE id = :id;

-- leave_quarantine: it was released or discarded
DELETE FROM quarantine WHERE id = :id;

-- groups_by_identity: identities compare the normalised fingerprint
WITH wanted (universe, project, fingerprint_key) AS (VALUES :rows)
SELECT groups.id, universe, project, fingerprint_key FROM wanted JOIN groups USING (universe, project, fingerprint_key);

-- folded_groups: which batch folded them last, and what others than folding write; in the order of their ids, locked because they are about to change
WITH wanted (universe, project, fingerprint_key) AS (VALUES :rows)
SELECT groups.id, universe, project, fingerprint_key, batch, revision, decision, decision_rule, refused, on_hold, place, met, ordered, triage, backfilled
FROM wanted JOIN groups USING (universe, project, fingerprint_key) ORDER BY groups.id {lock};

-- groups_by_id: whole rows
WITH wanted (id) AS (VALUES :rows) SELECT groups.* FROM wanted JOIN groups ON groups.id = CAST(wanted.id AS BIGINT);

-- lock_group: its claim or its issue is about to change; absorbing takes the same locks in the same order
SELECT id FROM groups WHERE id = :group_id {lock};

-- group_by_id: the whole row
SELECT * FROM groups WHERE id = :group_id;

-- new_groups: empty rows, so that all later rows have an id to refer to
WITH new (universe, project, fingerprint, fingerprint_key) AS (VALUES :rows)
INSERT INTO groups (universe, project, fingerprint, fingerprint_key, callstack, classifiers, occurrences, approximate,
    notifications, revision)
SELECT universe, project, fingerprint, fingerprint_key, '[]', '[]', 0, 0, 0, 0 FROM new WHERE true
RETURNING id, universe, project, fingerprint_key;

-- save_groups: all but the decision
WITH folded (id, application, group_url, object_id, callstack, signature, classifiers, attributes, trail, occurrences, approximate, notifications,
    hosts, users, first_seen, last_seen, revision, batch, at_most, reading, tally, message, source_state) AS (VALUES :rows)
UPDATE groups SET application = folded.application, group_url = folded.group_url, object_id = folded.object_id,
    callstack = folded.callstack, signature = folded.signature, classifiers = folded.classifiers, attributes = folded.attributes,
    trail = folded.trail, occurrences = CAST(folded.occurrences AS BIGINT),
    approximate = CAST(folded.approximate AS INTEGER), notifications = CAST(folded.notifications AS BIGINT),
    hosts = CAST(folded.hosts AS BIGINT), users = CAST(folded.users AS BIGINT), first_seen = CAST(folded.first_seen AS BIGINT),
    last_seen = CAST(folded.last_seen AS BIGINT), revision = CAST(folded.revision AS BIGINT), batch = CAST(folded.batch AS BIGINT),
    at_most = CAST(folded.at_most AS BIGINT), reading = folded.reading, tally = folded.tally, message = CAST(folded.message AS TEXT),
    source_state = CAST(folded.source_state AS TEXT)
FROM folded WHERE groups.id = CAST(folded.id AS BIGINT);

-- save_counts: what changes with every notification; a column that is set costs each index that it is in
WITH folded (id, object_id, attributes, trail, occurrences, approximate, notifications, last_seen, revision, batch, at_most, reading, tally)
    AS (VALUES :rows)
UPDATE groups SET object_id = folded.object_id, attributes = COALESCE(folded.attributes, groups.attributes),
    trail = COALESCE(folded.trail, groups.trail), occurrences = CAST(folded.occurrences AS BIGINT),
    approximate = CAST(folded.approximate AS INTEGER), notifications = CAST(folded.notifications AS BIGINT),
    last_seen = CAST(folded.last_seen AS BIGINT), revision = CAST(folded.revision AS BIGINT), batch = CAST(folded.batch AS BIGINT),
    at_most = CAST(folded.at_most AS BIGINT), reading = folded.reading, tally = folded.tally
FROM folded WHERE groups.id = CAST(folded.id AS BIGINT);

-- save_met: the thresholds that groups have met stay met
WITH qualified (id, met) AS (VALUES :rows)
UPDATE groups SET met = qualified.met FROM qualified WHERE groups.id = CAST(qualified.id AS BIGINT);

-- save_triage: what polls read of groups besides counts
WITH read (id, triage, backfilled) AS (VALUES :rows)
UPDATE groups SET triage = CAST(read.triage AS TEXT), backfilled = CAST(read.backfilled AS INTEGER) FROM read
WHERE groups.id = CAST(read.id AS BIGINT);

-- group_releases: in a stable order, so that a document does not change by itself
SELECT release, occurrences, approximate, at_most, tally, first_seen, last_seen, since, until, noticed_at, grown_at FROM releases WHERE group_id = :group_id
ORDER BY release;

-- releases_of_groups: the same for many groups
WITH wanted (id) AS (VALUES :rows)
SELECT group_id, release, occurrences, approximate, at_most, tally, first_seen, last_seen, since, until, noticed_at, grown_at FROM wanted
JOIN releases ON releases.group_id = CAST(wanted.id AS BIGINT) ORDER BY group_id, release;

-- save_releases: a release is never removed
INSERT INTO releases (group_id, release, occurrences, approximate, at_most, tally, first_seen, last_seen, since, until, noticed_at, grown_at)
VALUES :rows
ON CONFLICT (group_id, release) DO UPDATE SET occurrences = excluded.occurrences, approximate = excluded.approximate,
    at_most = excluded.at_most, tally = excluded.tally,
    first_seen = excluded.first_seen, last_seen = excluded.last_seen, since = excluded.since, until = excluded.until,
    noticed_at = excluded.noticed_at, grown_at = excluded.grown_at;

-- countings: how the counts of each project are read
SELECT * FROM countings ORDER BY universe, project;

-- countings_of_projects: the same of a few
WITH wanted (universe, project) AS (VALUES :rows) SELECT countings.* FROM wanted JOIN countings USING (universe, project);

-- countings_pending: projects whose groups are to be counted again
SELECT * FROM countings WHERE recount_after IS NOT NULL OR mode <> :mode ORDER BY universe, project;

-- save_countings: with each batch that shows something of its project
INSERT INTO countings (universe, project, mode, counting, evidence, recount_after) VALUES :rows
ON CONFLICT (universe, project) DO UPDATE SET mode = excluded.mode, counting = excluded.counting, evidence = excluded.evidence,
    recount_after = excluded.recount_after;

-- groups_to_recount: the next groups of a project
SELECT id FROM groups WHERE universe = :universe AND project = :project AND kind = 'crash' AND id > :after ORDER BY id LIMIT :size {lock};

-- save_baseline: its numbers are those of another reading
UPDATE issues SET baseline = :baseline WHERE group_id = :group_id AND state <> 'retired';

-- save_project_releases: a second group or occurrence confirms a release, and an earlier notification may be folded later
INSERT INTO project_releases (universe, project, application, release, noticed_at, confirmed) VALUES :rows
ON CONFLICT (universe, project, application, release) DO UPDATE SET confirmed = 1,
    noticed_at = CASE WHEN excluded.noticed_at < project_releases.noticed_at THEN excluded.noticed_at ELSE project_releases.noticed_at END
WHERE project_releases.confirmed = 0 OR excluded.noticed_at < project_releases.noticed_at;

-- project_releases: the latest of a project and application; a group without an application may be of any
SELECT application, release, noticed_at, confirmed FROM project_releases
WHERE universe = :universe AND project = :project ORDER BY noticed_at DESC LIMIT :size;

-- named_project_releases: those of a group that are not among the latest
WITH wanted (universe, project, release) AS (VALUES :rows)
SELECT project_releases.application, project_releases.release, noticed_at, confirmed FROM wanted
JOIN project_releases ON project_releases.universe = wanted.universe AND project_releases.project = wanted.project
    AND project_releases.release = wanted.release;

-- remember_folded: a digest that is not returned is an exact redelivery
INSERT INTO folded (group_id, digest, folded_at) VALUES :rows ON CONFLICT (group_id, digest) DO NOTHING
RETURNING group_id, digest;

-- renew_folded: a digest is remembered as long as the youngest delivery that has it
WITH again (group_id, digest, folded_at) AS (VALUES :rows)
UPDATE folded SET folded_at = CAST(again.folded_at AS DOUBLE PRECISION) FROM again
WHERE folded.group_id = CAST(again.group_id AS BIGINT) AND folded.digest = again.digest
    AND folded.folded_at < CAST(again.folded_at AS DOUBLE PRECISION);

-- purge_folded: a redelivery after the retention is recognised by its timestamps alone; a delivery that waits may be a replayed one
DELETE FROM folded WHERE (group_id, digest) IN (
    SELECT group_id, digest FROM folded WHERE folded_at < :before ORDER BY folded_at LIMIT :size)
    AND NOT EXISTS (SELECT 1 FROM deliveries WHERE state = 'waiting');

-- owe: a claimed row keeps its lease, a row in back-off its due time, and so does the one behind all others that caused the rest of its tracker; a dead letter revives
WITH owing (group_id, tracker, due_at, rank, route) AS (VALUES :rows)
INSERT INTO outbox (group_id, tracker, state, due_at, attempts, rank, owed_since, route)
SELECT CAST(group_id AS BIGINT), tracker, 'waiting', CAST(due_at AS DOUBLE PRECISION), 0, CAST(rank AS INTEGER),
    CAST(due_at AS DOUBLE PRECISION), CAST(route AS TEXT)
FROM owing WHERE true
ON CONFLICT (group_id) DO UPDATE SET
    owed_since = CASE WHEN outbox.state <> 'dead' AND outbox.owed_since < excluded.owed_since THEN outbox.owed_since
        ELSE excluded.owed_since END,
    state = CASE outbox.state WHEN 'dead' THEN 'waiting' ELSE outbox.state END,
    attempts = CASE outbox.state WHEN 'dead' THEN 0 ELSE outbox.attempts END,
    blame = CASE WHEN outbox.state = 'dead' AND excluded.rank = 0 THEN NULL ELSE outbox.blame END,
    rank = CASE outbox.state WHEN 'claimed' THEN outbox.rank ELSE excluded.rank END,
    tracker = CASE outbox.state WHEN 'claimed' THEN outbox.tracker ELSE excluded.tracker END,
    route = CASE outbox.state WHEN 'claimed' THEN outbox.route ELSE excluded.route END,
    due_at = CASE
        WHEN outbox.state = 'dead' THEN excluded.due_at
        WHEN outbox.state = 'claimed' OR outbox.attempts > 0 OR outbox.due_at < excluded.due_at THEN outbox.due_at
        WHEN outbox.tracker = excluded.tracker AND EXISTS (SELECT 1 FROM trackers WHERE trackers.name = outbox.tracker
            AND trackers.state = 'paused' AND outbox.due_at BETWEEN trackers.until AND trackers.until + 5) THEN outbox.due_at
        ELSE excluded.due_at END;

-- owe_again: a claimed group is due again once its claim ends, whatever its worker decides meanwhile
WITH owing (group_id, tracker, due_at) AS (VALUES :rows)
UPDATE outbox SET again_tracker = owing.tracker,
    again_at = CASE WHEN again_at < CAST(owing.due_at AS DOUBLE PRECISION) THEN again_at ELSE CAST(owing.due_at AS DOUBLE PRECISION) END
FROM owing WHERE outbox.group_id = CAST(owing.group_id AS BIGINT) AND outbox.state = 'claimed';

-- next_due: when the next group of a tracker is due for each kind of call; claims nothing
SELECT ranks.rank, (SELECT due_at FROM outbox WHERE tracker = :tracker AND outbox.rank = ranks.rank AND state <> 'dead'
    ORDER BY due_at LIMIT 1) AS due_at
FROM (SELECT 0 AS rank UNION ALL SELECT 1 UNION ALL SELECT 2) AS ranks;

-- claim_group: the longest due first; a claim whose lease is over counts as due; none for a tracker that rests or is unreachable
UPDATE outbox SET state = 'claimed', owner = :owner, due_at = :leased_until, again_at = NULL, again_tracker = NULL WHERE group_id = (
    SELECT group_id FROM outbox WHERE tracker = :tracker AND rank = :rank AND state <> 'dead' AND due_at <= :now
    ORDER BY due_at LIMIT 1 {skip_locked})
AND NOT EXISTS (SELECT 1 FROM trackers WHERE name = :tracker AND trackers.state = 'paused'
    AND (cause = 'unreachable' OR until IS NULL OR (until > :now AND until <= :horizon)))
RETURNING group_id, attempts, blame, (SELECT trackers.state FROM trackers WHERE name = :tracker) AS standing;

-- claim_of: the claim of an owner, whose name is given to no second claim
SELECT group_id, tracker, attempts, (SELECT COUNT(*) FROM trackers
    WHERE name = outbox.tracker AND trackers.state = 'paused' AND trackers.until = outbox.due_at) AS trial
FROM outbox WHERE owner = :owner;

-- begin_trial: the first claim after a rest, or the read of an unreachable tracker, tries alone; the rest goes on for all others
UPDATE trackers SET until = :leased_until WHERE name = :tracker AND state = 'paused' AND (until <= :now OR until > :horizon);

-- end_trial: the trial sent nothing, so that the next claim may try
UPDATE trackers SET until = :until WHERE name = :tracker AND state = 'paused' AND cause IN ('misconfigured', 'failing');

-- heal_due: a due time or a lease further away than any can be was written before the clock was set back
UPDATE outbox SET due_at = CASE state WHEN 'claimed' THEN :leased_until ELSE :now END,
    owed_since = CASE WHEN owed_since < :now THEN owed_since ELSE :now END
WHERE tracker = :tracker AND rank IN (0, 1, 2) AND state <> 'dead' AND due_at > :horizon;

-- renew: proves inside a transaction that the claim is still held
UPDATE outbox SET due_at = :leased_until WHERE group_id = :group_id AND owner = :owner;

-- live_issue: a group has at most one
SELECT * FROM issues WHERE group_id = :group_id AND state <> 'retired';

-- live_issues: the same for many groups
WITH wanted (id) AS (VALUES :rows)
SELECT issues.* FROM wanted JOIN issues ON issues.group_id = CAST(wanted.id AS BIGINT) AND issues.state <> 'retired';

-- want_issue: the unique index keeps it the only live issue of its group
INSERT INTO issues (group_id, tracker, state, marker, attempt, floor, synced_revision, previous)
VALUES (:group_id, :tracker, 'wanted', :marker, 0, 0, 0, :previous)
ON CONFLICT (group_id) WHERE state <> 'retired' DO NOTHING;

-- retired: the number of retired issues distinguishes the markers of a group's issues
SELECT COUNT(*) AS issues FROM issues WHERE group_id = :group_id AND state = 'retired';

-- intend: on disk before the request; only a wanted issue may be requested
UPDATE issues SET state = 'intended', tracker = :tracker, marker = :marker, attempt = attempt + 1, sent_at = :now, sent_by = :owner,
    sent_revision = :revision, route = :route, baseline = :baseline, settings = :settings, probes = 0, probed_since = NULL, probe_at = NULL, note = NULL,
    floor = COALESCE((SELECT trackers.floor FROM trackers WHERE trackers.name = :tracker), 0),
    floor_since = (SELECT trackers.floor_since FROM trackers WHERE trackers.name = :tracker)
WHERE group_id = :group_id AND state = 'wanted';

-- link: the response arrived, or a probe found the issue. A response that arrives after proof of absence is believed, unless a new create is under way. No survey looks at what stands in doubt.
UPDATE issues SET state = 'linked', remote_id = :remote_id, key = :key, url = :url, note = :note, cause = NULL,
    synced_revision = sent_revision, synced_at = :now, looked_at = :now, looks_owed = CASE state WHEN 'intended' THEN 0 ELSE 1 END,
    condition = :condition, is_read = CASE WHEN CAST(:sender AS TEXT) IS NULL THEN 1 ELSE 0 END
WHERE group_id = :group_id AND state IN ('intended', 'in_doubt', 'wanted', 'parked') AND remote_id IS NULL
    AND sent_by = COALESCE(:sender, sent_by);

-- yield_place: people have linked the issue of this create to another group; guarded as `link` is
UPDATE issues SET state = 'retired', remote_id = :remote_id, key = :key, url = :url, note = :note
WHERE group_id = :group_id AND state IN ('intended', 'in_doubt', 'wanted', 'parked') AND remote_id IS NULL
    AND sent_by = COALESCE(:sender, sent_by);

-- add_double: the tracker has another live issue of the group, for people to see
UPDATE issues SET doubles = CASE WHEN doubles IS NULL THEN :key ELSE doubles || ', ' || :key END
WHERE group_id = :group_id AND state <> 'retired' AND (remote_id IS NULL OR remote_id <> :remote_id)
    AND (doubles IS NULL OR REPLACE(', ' || doubles || ',', ', ' || CAST(:key AS TEXT) || ',', '') = ', ' || doubles || ',');

-- keep_doubles: those that are still live, unless one was added since they were looked at
UPDATE issues SET doubles = :live WHERE group_id = :group_id AND state <> 'retired' AND doubles = :before;

-- doubled_groups: their issue has doubles, which people may have closed since
SELECT group_id AS id FROM issues WHERE tracker = :tracker AND state = 'linked' AND doubles IS NOT NULL ORDER BY group_id LIMIT :size;

-- raise_floor: the numbers of a tracker only rise
INSERT INTO trackers (name, state, floor, floor_since) VALUES (:tracker, 'ok', :number, :now)
ON CONFLICT (name) DO UPDATE SET floor = excluded.floor, floor_since = excluded.floor_since WHERE trackers.floor < excluded.floor;

-- lower_floor: the tracker may give lower numbers once more
UPDATE trackers SET floor = :number, floor_since = NULL WHERE name = :tracker AND floor > :number;

-- floor_read: the tracker itself reported its highest number
UPDATE trackers SET floor_at = :now WHERE name = :tracker;

-- numbers_passed: others took numbers between the highest known one and the latest create; what they are is read soon
UPDATE trackers SET floor_at = :now WHERE name = :tracker AND floor_at > :now;

-- forget_floor_reads: whatever lies above the highest number known is read before the next create
UPDATE trackers SET floor_at = NULL;

-- known_issues: those that stand for a group or did, and those that are strays already
WITH wanted (tracker, remote_id) AS (VALUES :rows)
SELECT remote_id FROM issues WHERE (tracker, remote_id) IN (SELECT tracker, remote_id FROM wanted)
UNION SELECT remote_id FROM strays WHERE (tracker, remote_id) IN (SELECT tracker, remote_id FROM wanted);

-- issue_markers: of all issues of a tracker, the live ones last
SELECT group_id, marker, state, remote_id, followed FROM issues WHERE tracker = :tracker ORDER BY CASE state WHEN 'retired' THEN 0 ELSE 1 END, id;

-- add_stray: unless a sweep of another process has met it
INSERT INTO strays (tracker, remote_id, reference, key, url, number, created_at, found_at)
VALUES (:tracker, :remote_id, :reference, :key, :url, :number, :created_at, :now) ON CONFLICT (tracker, remote_id) DO NOTHING;

-- strays_of: a group may have several, where a copy of the store files too
WITH wanted (tracker, reference) AS (VALUES :rows)
SELECT reference, remote_id, key, url, number, created_at FROM strays
WHERE (tracker, reference) IN (SELECT tracker, reference FROM wanted) ORDER BY number, remote_id;

-- strays_by_tracker: issues with a marker of this store that stand for no group yet, and when the last of them was found
SELECT tracker, COUNT(*) AS issues, MAX(found_at) AS found_at FROM strays GROUP BY tracker ORDER BY tracker;

-- forget_strays: the tracker may give these numbers once more
DELETE FROM strays WHERE tracker = :tracker AND number > :number;

-- add_retired: an issue of the group before the one that it is linked to, or none that is known, so that no marker is used twice
INSERT INTO issues (group_id, tracker, state, marker, attempt, floor, synced_revision, remote_id, key, url, note)
VALUES (:group_id, :tracker, 'retired', :marker, 0, 0, 0, :remote_id, :key, :url, :note);

-- remove_stray: it stands for a group
DELETE FROM strays WHERE tracker = :tracker AND remote_id = :remote_id;

-- floor: below it no issue of a later create can be
SELECT floor, floor_at FROM trackers WHERE name = :tracker;

-- end_intent: either nothing was created for certain, and it may be requested again, or the outcome is unknown
UPDATE issues SET state = :state, note = :note WHERE group_id = :group_id AND state = 'intended' AND sent_by = :owner;

-- doubt_expired: the process that sent this create lost its lease without recording the outcome
UPDATE issues SET state = 'in_doubt', note = :note
WHERE group_id = :group_id AND state = 'intended' AND sent_by <> :owner;

-- probed: one more probe found nothing
UPDATE issues SET probes = probes + 1, probe_at = :probe_at,
    probed_since = CASE WHEN probed_since <= :tracker_clock THEN probed_since ELSE :tracker_clock END
WHERE group_id = :group_id AND state = 'in_doubt';

-- probe_later: the next probe of an issue in doubt
UPDATE issues SET probe_at = :probe_at WHERE group_id = :group_id AND state = 'in_doubt';

-- lower_issue_floor: the tracker had given fewer numbers than the intent believed
UPDATE issues SET floor = :number, floor_since = NULL WHERE group_id = :group_id AND state = 'in_doubt' AND floor > :number;

-- absent: proven not to exist, so that it may be requested again
UPDATE issues SET state = 'wanted', note = :note WHERE group_id = :group_id AND state = 'in_doubt';

-- park: no call until a person decides; a deleted issue is dropped
UPDATE issues SET state = 'parked', note = :note, cause = :cause WHERE group_id = :group_id AND (state = 'in_doubt' OR (state = 'linked' AND :cause <> 'doubt'));

-- lose_place: another issue has the place of a dropped one
UPDATE issues SET remote_id = NULL WHERE group_id = :group_id AND state = 'parked' AND cause IN ('deleted', 'discarded');

-- retire: another issue takes its place; the cause says whether on_deleted wants that
UPDATE issues SET state = 'retired', note = :note, cause = :cause WHERE group_id = :group_id AND state IN ('linked', 'parked');

-- unpark_doubt: probe again from the beginning
UPDATE issues SET state = 'in_doubt', cause = NULL, probes = 0, probed_since = NULL, probe_at = :now
WHERE group_id = :group_id AND state = 'parked' AND remote_id IS NULL;

-- unpark_absent: a person has looked and found no issue
UPDATE issues SET state = 'wanted', cause = NULL, note = :note
WHERE group_id = :group_id AND state = 'parked' AND remote_id IS NULL;

-- unpark_linked: a survey met it, or a person has made the issue reachable again
UPDATE issues SET state = 'linked', cause = NULL, note = NULL
WHERE group_id = :group_id AND state = 'parked' AND remote_id IS NOT NULL;

-- drop_parked: a person drops it
UPDATE issues SET cause = 'discarded' WHERE group_id = :group_id AND state = 'parked';

-- move_issue: it has another address
UPDATE issues SET remote_id = :remote_id, key = :key, url = :url, looked_at = :now, changed_at = NULL
WHERE group_id = :group_id AND state = 'linked';

-- see_issue: its address and what people changed; a look requested since this one began stays owed, and so is an update it missed
UPDATE issues SET remote_id = :remote_id, key = :key, url = :url, looked_at = :now, condition = :condition, baseline = :baseline, is_read = 1,
    changed_at = :changed_at, owners = COALESCE(CAST(:owners AS TEXT), owners),
    looks_owed = CASE WHEN looks_owed > :looks THEN looks_owed - :looks ELSE 0 END,
    synced_revision = CASE WHEN :opened = 1 AND comment_id IS NOT NULL THEN 0 ELSE synced_revision END,
    by_hand = CASE WHEN :changed = 1 THEN NULL ELSE by_hand END,
    news_at = CASE WHEN news_at <= CAST(:news_at AS DOUBLE PRECISION) THEN NULL ELSE news_at END
WHERE group_id = :group_id AND state = 'linked';

-- leave_by_hand: the tracker did not let syncd change the state of the issue
UPDATE issues SET by_hand = :reason WHERE group_id = :group_id AND state = 'linked';

-- by_hand: the issues that are left to people, the newest first
SELECT issues.tracker, issues.key, issues.by_hand AS reason FROM issues WHERE by_hand IS NOT NULL AND state = 'linked'
ORDER BY issues.id DESC LIMIT :size;

-- follow_issue: people closed it as a duplicate of this issue, which stands for the group from now on
UPDATE issues SET remote_id = :remote_id, key = :key, url = :url, looked_at = NULL, changed_at = NULL, condition = NULL, comment_id = NULL,
    comment_sent_at = NULL, comment_text = NULL, comment_losses = 0, followed = :followed, note = :note, synced_revision = 0, is_read = 0,
    settings = NULL, owners = NULL
WHERE group_id = :group_id AND state = 'linked';

-- save_settings: what syncd set on the issue, and what the rules asked for when that was compared
UPDATE issues SET settings = :settings WHERE group_id = :group_id AND state = 'linked';

-- issue_at: the group that an address belongs to already
SELECT groups.id, groups.fingerprint FROM issues JOIN groups ON groups.id = issues.group_id
WHERE issues.tracker = :tracker AND issues.remote_id = :remote_id AND issues.state <> 'retired';

-- read_issues: a survey met them in their tracker
WITH met (tracker, remote_id) AS (VALUES :rows)
UPDATE issues SET is_read = 1 FROM met WHERE issues.tracker = met.tracker AND issues.remote_id = met.remote_id AND is_read = 0;

-- assign: their owners as a survey read them, unless a look has read a later state
WITH met (tracker, remote_id, owners, changed_at) AS (VALUES :rows)
UPDATE issues SET owners = met.owners FROM met
WHERE issues.tracker = met.tracker AND issues.remote_id = met.remote_id AND issues.state IN ('linked', 'parked')
    AND (issues.changed_at IS NULL OR met.changed_at IS NULL OR CAST(met.changed_at AS DOUBLE PRECISION) >= issues.changed_at);

-- linked_issues: for a survey, a limited number of rows at a time; what was out of reach may be back
SELECT * FROM issues WHERE tracker = :tracker AND (state = 'linked' OR (state = 'parked' AND cause = 'out of reach')) AND id > :after ORDER BY id LIMIT :size;

-- announcements: what an issue has announced, and what is still to be announced
SELECT * FROM announcements WHERE issue_id = :issue_id ORDER BY id;

-- announce: at most once for each occasion and subject
INSERT INTO announcements (issue_id, occasion, subject, facts, marker, state)
SELECT id, :occasion, :subject, :facts, :marker, 'wanted' FROM issues WHERE group_id = :group_id AND state = 'linked'
ON CONFLICT (issue_id, occasion, subject) DO NOTHING;

-- announce_otherwise: what an announcement says changes until its comment may be written
UPDATE announcements SET facts = :facts
WHERE issue_id IN (SELECT id FROM issues WHERE group_id = :group_id AND state = 'linked')
  AND occasion = :occasion AND subject = :subject AND state = 'wanted';

-- save_announcement: its progress; `sent` is on disk before the request
UPDATE announcements SET state = :state, sent_at = :sent_at, probes = :probes, comment_id = :comment_id WHERE id = :id;

-- answered: releases whose regression after the last closing needs no further comment
SELECT release FROM regressions WHERE group_id = :group_id AND closed_at = :closed_at AND answer <> 'pending';

-- regress: one row for each release after each closing
INSERT INTO regressions (group_id, issue_key, release, fixed_in, closed_at, occurrences, answer, at)
VALUES (:group_id, :issue_key, :release, :fixed_in, :closed_at, :occurrences, :answer, :now)
ON CONFLICT (group_id, closed_at, release) DO NOTHING;

-- answer: the result of a regression
UPDATE regressions SET answer = :answer WHERE group_id = :group_id AND closed_at = :closed_at AND answer = 'pending';

-- regressions_of: of the groups of a project, for the command `releases`
SELECT regressions.*, groups.fingerprint FROM regressions JOIN groups ON groups.id = regressions.group_id
WHERE groups.project = :project ORDER BY regressions.id;

-- last_retired: the issue that a group had before, to be mentioned in the new one, unless it stands for another group by now
SELECT key, url, remote_id, cause FROM issues WHERE group_id = :group_id AND state = 'retired' AND remote_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM issues AS live
    WHERE live.tracker = issues.tracker AND live.remote_id = issues.remote_id AND live.state <> 'retired')
ORDER BY id DESC LIMIT 1;

-- look_alikes: of the first 200 groups with the same application and frames, filed ones to mention; a JOIN would read all issues of SQLite
SELECT issues.key, issues.url, issues.remote_id
FROM (SELECT id, last_seen FROM groups WHERE signature = (SELECT signature FROM groups WHERE id = :group_id) AND id <> :group_id
    ORDER BY id LIMIT 200) AS alike
CROSS JOIN issues WHERE issues.group_id = alike.id AND issues.state = 'linked' AND issues.tracker = :tracker
ORDER BY alike.last_seen DESC NULLS LAST LIMIT :size;

-- alike_groups: those with the application and frames of a group, which no operator separated from them
SELECT alike.id FROM groups AS own JOIN groups AS alike ON alike.signature = own.signature AND alike.universe = own.universe
    AND alike.project = own.project AND alike.kind = 'crash' AND alike.id <> own.id
WHERE own.id = :group_id AND own.apart = 0
    AND NOT EXISTS (SELECT 1 FROM aliases WHERE aliases.group_id = alike.id) ORDER BY alike.id LIMIT :size;

-- set_apart: it is taken for no merged group any more
UPDATE groups SET apart = 1 WHERE id = :group_id;

-- quiet_groups: open issues without an occurrence since a time; the caller judges the last point of the trail
SELECT groups.id FROM groups JOIN issues ON issues.group_id = groups.id AND issues.state = 'linked'
WHERE issues.tracker = :tracker AND groups.last_seen < :before
    AND NOT EXISTS (SELECT 1 FROM announcements WHERE issue_id = issues.id AND occasion = 'quiet')
ORDER BY groups.id LIMIT :size;

-- aliases_of: the groups whose occurrences this group's issue shows as well
SELECT groups.* FROM aliases JOIN groups ON groups.id = aliases.group_id WHERE aliases.target_id = :group_id ORDER BY groups.id;

-- target_of: the group whose issue shows this alias's occurrences
SELECT groups.* FROM aliases JOIN groups ON groups.id = aliases.target_id WHERE aliases.group_id = :group_id;

-- targets: the groups whose issues show the occurrences of many groups: the target of an alias, and a target itself
WITH wanted (id) AS (VALUES :rows)
SELECT aliases.group_id, aliases.target_id FROM wanted JOIN aliases ON aliases.group_id = CAST(wanted.id AS BIGINT)
UNION SELECT aliases.target_id, aliases.target_id FROM wanted JOIN aliases ON aliases.target_id = CAST(wanted.id AS BIGINT);

-- all_aliases: for people
SELECT aliases.group_id, one.fingerprint, one.project, aliases.target_id, other.fingerprint AS target, aliases.reason, aliases.at
FROM aliases JOIN groups AS one ON one.id = aliases.group_id JOIN groups AS other ON other.id = aliases.target_id
ORDER BY aliases.at DESC;

-- add_alias: it gives its own issue up; one that it gave up to an earlier target stays the one that it gets back
INSERT INTO aliases (group_id, target_id, reason, at, issue_id) VALUES (:group_id, :target_id, :reason, :now,
    (SELECT id FROM issues WHERE group_id = :group_id AND state IN ('linked', 'parked') AND remote_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM aliases AS former WHERE former.handed = issues.marker)))
ON CONFLICT (group_id) DO UPDATE SET target_id = excluded.target_id, reason = excluded.reason, at = excluded.at, handed = NULL,
    issue_id = COALESCE(excluded.issue_id, aliases.issue_id);

-- given_up_to: issues that the aliases of a group gave up and that stand for no group by now
SELECT issues.* FROM aliases JOIN issues ON issues.id = aliases.issue_id
WHERE aliases.target_id = :group_id AND issues.state = 'retired' AND issues.cause IS NULL AND NOT EXISTS (SELECT 1 FROM issues AS live
    WHERE live.state <> 'retired' AND live.tracker = issues.tracker AND live.remote_id = issues.remote_id)
ORDER BY issues.id;

-- hand_over: the issue that an alias gave up stands for its target, which has none
INSERT INTO issues (group_id, tracker, state, marker, attempt, floor, synced_revision, is_read, remote_id, key, url, route, note, condition,
    baseline, comment_id, comment_losses, followed, doubles, adopted_at, looks_owed)
SELECT :target_id, tracker, 'linked', :marker, 0, 0, 0, is_read, remote_id, key, url, route, :note, condition,
    :baseline, comment_id, comment_losses, followed, doubles, adopted_at, 1
FROM issues WHERE id = (SELECT issue_id FROM aliases WHERE group_id = :group_id) AND state = 'retired';

-- handed_over: an alias's own issue is its target's by now
UPDATE aliases SET handed = :marker WHERE group_id = :group_id;

-- given_up: the issue that a group gave up when it became an alias
SELECT issues.*, aliases.handed FROM aliases JOIN issues ON issues.id = aliases.issue_id
WHERE aliases.group_id = :group_id AND issues.state = 'retired';

-- give_back: a group that is an alias no more has its own issue again, unless another group's live issue is there
UPDATE issues SET state = :state, remote_id = :remote_id, key = :key, url = :url, note = NULL,
    condition = :condition, baseline = :baseline, comment_id = :comment_id, comment_text = NULL, comment_losses = :comment_losses,
    followed = :followed, looks_owed = 1, synced_revision = 0
WHERE id = (SELECT issue_id FROM aliases WHERE group_id = :group_id) AND state = 'retired' AND NOT EXISTS (SELECT 1 FROM issues AS live
    WHERE live.state <> 'retired' AND (live.group_id = :group_id OR (live.tracker = issues.tracker AND live.remote_id = :remote_id)));

-- retarget_aliases: the occurrences of an alias of an alias would be shown nowhere
UPDATE aliases SET target_id = :target_id WHERE target_id = :group_id;

-- remove_alias: the group stands for itself again
DELETE FROM aliases WHERE group_id = :group_id;

-- bump: its issue has something new to show
UPDATE groups SET revision = revision + 1 WHERE id = :group_id;

-- retire_live: another issue shows its occurrences from now on
UPDATE issues SET state = 'retired', note = :note WHERE group_id = :group_id AND state IN ('wanted', 'linked', 'parked');

-- forget_waiting: no call is due, unless one is being made
DELETE FROM outbox WHERE group_id = :group_id AND state <> 'claimed';

-- issues_since: how many issues a route created in a span of time, and when the oldest of them was sent
SELECT COUNT(*) AS issues, MIN(sent_at) AS oldest FROM issues JOIN groups ON groups.id = issues.group_id
WHERE issues.route = :route AND issues.sent_at > :since AND issues.sent_at <= :until AND groups.kind = 'crash'
    AND issues.state <> 'wanted';

-- storm: the one that a route is in
SELECT storms.since, storms.held_at, storms.reported, groups.id, groups.fingerprint FROM storms JOIN groups ON groups.id = storms.group_id
WHERE storms.route = :route;

-- storms: all routes that are in one
SELECT storms.route, storms.since, storms.held_at, storms.group_id, storms.reported, storms.portioned_at FROM storms ORDER BY storms.route;

-- begin_storm: at most one for each route
INSERT INTO storms (route, group_id, since, held_at, portioned_at, reported) VALUES (:route, :group_id, :now, :now, :now, 0)
ON CONFLICT (route) DO NOTHING;

-- report_storm: an issue reports it from now on
UPDATE storms SET reported = 1 WHERE route = :route;

-- portion_storm: it has released a portion
UPDATE storms SET portioned_at = :now WHERE route = :route;

-- arrived: groups that are new to a route in a span of time: those that wait for their issue, were held back or filed, and which no storm released
SELECT COUNT(*) AS groups FROM (
    SELECT outbox.group_id FROM outbox JOIN groups ON groups.id = outbox.group_id
    WHERE outbox.route = :route AND outbox.rank = 0 AND outbox.state <> 'dead' AND (outbox.state = 'claimed' OR outbox.due_at <= :until)
        AND groups.place IS NULL
    UNION SELECT issues.group_id FROM issues JOIN groups ON groups.id = issues.group_id
    WHERE issues.route = :route AND issues.sent_at > :since AND issues.sent_at <= :until AND issues.state <> 'wanted'
        AND groups.kind = 'crash' AND groups.place IS NULL
    UNION SELECT id FROM groups WHERE decision_rule = 'storm' AND route = :route AND kind = 'crash'
        AND decided_at > :since AND decided_at <= :until) AS recent;

-- storm_goes_on: one more group was held back
UPDATE storms SET held_at = :now WHERE route = :route;

-- end_storm: it holds nothing back any more
DELETE FROM storms WHERE route = :route;

-- mark_storm: the group of a storm is no crash
UPDATE groups SET kind = 'storm', first_seen = :second, last_seen = :second, revision = revision + 1 WHERE id = :group_id;

-- stormy: how many groups a route holds back
SELECT COUNT(*) AS groups FROM groups WHERE decision_rule = 'storm' AND route = :route AND kind = 'crash';

-- place_in_line: groups that the storm of a route releases before this one
SELECT COUNT(*) AS groups FROM groups AS own JOIN groups AS held ON held.decision_rule = 'storm' AND held.route = :route AND held.kind = 'crash'
WHERE own.universe = :universe AND own.project = :project AND own.fingerprint_key = :fingerprint_key AND held.id <> own.id AND (
    COALESCE(held.users, 0) > COALESCE(own.users, 0) OR (COALESCE(held.users, 0) = COALESCE(own.users, 0) AND (
        held.occurrences > own.occurrences OR (held.occurrences = own.occurrences AND held.id < own.id))));

-- largest_stormy: the first to be released
SELECT id, fingerprint, callstack, application, users, occurrences FROM groups
WHERE decision_rule = 'storm' AND route = :route AND kind = 'crash' ORDER BY COALESCE(users, 0) DESC, occurrences DESC, id LIMIT :size;

-- let_through: the hold is over, and the group is decided again
UPDATE groups SET decision = 'wait', decision_rule = :rule, decision_reason = :reason, decided_at = :now WHERE id = :group_id;

-- keep_place: a storm of the route released the group, which counts against the route's limit until it is filed; NULL for no place
UPDATE groups SET place = :route WHERE id = :group_id;

-- places: groups with a place whose create is due, and not sent yet, however often it was tried
SELECT COUNT(*) AS groups FROM groups JOIN outbox ON outbox.group_id = groups.id
WHERE groups.place = :route AND outbox.state <> 'dead'
    AND NOT EXISTS (SELECT 1 FROM issues WHERE issues.group_id = groups.id AND issues.state NOT IN ('wanted', 'retired'));

-- held_by_rule: the groups on hold by a rule of a route, to be released
SELECT id FROM groups WHERE decision = 'hold' AND decision_rule = :rule AND route = :route ORDER BY id;

-- pause_route: an operator asked for it
INSERT INTO route_pauses (route, reason, at) VALUES (:route, :reason, :now)
ON CONFLICT (route) DO UPDATE SET reason = excluded.reason, at = excluded.at;

-- resume_route: an operator asked for it
DELETE FROM route_pauses WHERE route = :route;

-- route_pauses: all, for people
SELECT route, reason, at FROM route_pauses ORDER BY route;

-- drop_claim: no call is due for the group
DELETE FROM outbox WHERE group_id = :group_id AND owner = :owner;

-- wake_route: calls that a pause postponed are due now
UPDATE outbox SET due_at = :now, owed_since = CASE WHEN owed_since < :now THEN owed_since ELSE :now END
WHERE state = 'waiting' AND group_id IN (SELECT id FROM groups WHERE decision_rule = :rule);

-- route_pause: the reason, if the route is paused
SELECT reason FROM route_pauses WHERE route = :route;

-- save_status: progress of the status comment; `sent` is on disk before the request, as for the issue itself
UPDATE issues SET comment_id = :comment_id, comment_sent_at = :sent_at, comment_probes = :probes, comment_text = :text,
    comment_losses = :losses
WHERE group_id = :group_id AND marker = :marker AND state = 'linked';

-- begin_edit: the status comment is about to be edited; until the answer nobody knows its text
UPDATE issues SET comment_text = NULL, comment_sent_at = :sent_at WHERE group_id = :group_id AND marker = :marker AND state = 'linked';

-- end_edit: the answer, unless an owner that lost its lease has written meanwhile
UPDATE issues SET comment_text = :text, comment_sent_at = :doubt
WHERE group_id = :group_id AND marker = :marker AND state = 'linked' AND comment_sent_at = :sent_at;

-- distrust_status: an owner that lost its lease has written to the issue, perhaps after its successor
UPDATE issues SET comment_text = NULL, comment_sent_at = :now, synced_revision = 0
WHERE group_id = :group_id AND state = 'linked' AND comment_id IS NOT NULL;

-- synced: the issue shows this revision; NULL keeps the baseline of a closed issue
UPDATE issues SET synced_revision = :revision, synced_at = :now, baseline = COALESCE(:baseline, baseline)
WHERE group_id = :group_id AND state = 'linked';

-- shows: this revision has nothing to show, unless the group was made due again meanwhile
UPDATE issues SET synced_revision = :revision WHERE group_id = :group_id AND state = 'linked' AND synced_revision < :revision
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.group_id = :group_id AND again_at IS NOT NULL);

-- update_tried: a refused update waits as long for its next try as after a success
UPDATE issues SET synced_at = :now WHERE group_id = :group_id AND state = 'linked';

-- settle: no call is due any more, unless the group has changed since the claim, was made due again, or owes its issue a look
DELETE FROM outbox WHERE group_id = :group_id AND owner = :owner AND again_at IS NULL
    AND :revision = (SELECT revision FROM groups WHERE id = :group_id)
    AND NOT EXISTS (SELECT 1 FROM issues WHERE group_id = :group_id AND state = 'linked' AND looks_owed > 0);

-- made_due: when a claimed group is due again that has not changed since the claim
SELECT again_at FROM outbox WHERE group_id = :group_id AND owner = :owner AND again_at IS NOT NULL
    AND :revision = (SELECT revision FROM groups WHERE id = :group_id);

-- release_claim: due again at a time, or earlier if it was made due again; NULL for the kind of call that the state of its issue needs; what is `owed` keeps its age
UPDATE outbox SET state = 'waiting', owner = NULL, attempts = :attempts, reason = :reason, again_at = NULL, again_tracker = NULL,
    due_at = CASE WHEN :attempts = 0 AND again_at < :due_at THEN again_at ELSE :due_at END,
    owed_since = CASE WHEN :owed = 1 AND owed_since < :due_at THEN owed_since WHEN again_at < :due_at THEN again_at ELSE :due_at END,
    rank = COALESCE(CAST(:rank AS INTEGER), (SELECT CASE WHEN issues.state = 'linked' THEN 2 WHEN issues.state <> 'wanted' THEN 1 END
        FROM issues WHERE issues.group_id = :group_id AND issues.state <> 'retired'), 0),
    tracker = COALESCE((SELECT issues.tracker FROM issues WHERE issues.group_id = :group_id AND issues.state NOT IN ('retired', 'wanted')),
        again_tracker, CAST(:create_on AS TEXT), outbox.tracker)
WHERE group_id = :group_id AND owner = :owner;

-- bury: no further try until a person or other content asks for it, unless it was made due again
UPDATE outbox SET state = 'dead', owner = NULL, reason = :reason, due_at = :now, blame = CASE blame WHEN 'own' THEN 'own' ELSE 'open' END
WHERE group_id = :group_id AND owner = :owner AND again_at IS NULL;

-- refuse_again: no try until a person or other content asks for it
INSERT INTO outbox (group_id, tracker, state, due_at, attempts, rank, reason) VALUES (:group_id, :tracker, 'dead', :now, 0, 0, :reason)
ON CONFLICT (group_id) DO NOTHING;

-- refuse: the tracker will never accept this content; NULL forgets that
UPDATE groups SET refused = :content WHERE id = :group_id;

-- dead_letter: the one of a group, if it is one
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts,
    COALESCE(issues.tracker, outbox.tracker) AS letter_tracker
FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id AND outbox.state = 'dead'
LEFT JOIN issues ON issues.group_id = groups.id AND issues.state = 'parked'
WHERE groups.id = :group_id AND (outbox.group_id IS NOT NULL OR issues.group_id IS NOT NULL);

-- dead_letters: refused by a tracker, parked or dropped; the newest first
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts,
    COALESCE(issues.tracker, outbox.tracker) AS letter_tracker
FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id AND outbox.state = 'dead'
LEFT JOIN issues ON issues.group_id = groups.id AND issues.state = 'parked'
WHERE groups.id IN (SELECT group_id FROM outbox WHERE state = 'dead' UNION SELECT group_id FROM issues WHERE state = 'parked')
ORDER BY groups.decided_at DESC NULLS LAST, groups.id LIMIT :size;

-- refused_in_a_row: how many groups were refused each kind of call since the tracker took one
SELECT rank, COUNT(*) AS groups FROM outbox WHERE tracker = :tracker AND blame = 'open' GROUP BY rank;

-- acquit: the tracker took a call, so that what it refused before was refused for its own sake; a create also tells about updates
UPDATE outbox SET blame = 'own' WHERE tracker = :tracker AND rank >= :rank AND blame IN ('open', 'rest');

-- accuse: the tracker rests after a call of this group
UPDATE outbox SET blame = 'rest' WHERE group_id = :group_id AND owner = :owner AND blame IS NULL;

-- accused: how many groups a call that the tracker took tells about
SELECT COUNT(*) AS groups FROM outbox WHERE tracker = :tracker AND rank >= :rank AND blame IN ('open', 'rest');

-- absolve: the tracker took the call of this group
UPDATE outbox SET blame = NULL WHERE group_id = :group_id;

-- forget_refusals: the project is to blame, and not these contents
UPDATE groups SET refused = NULL WHERE id IN (
    SELECT group_id FROM outbox WHERE tracker = :tracker AND rank = :rank AND blame = 'open' AND state = 'dead');

-- wait_for_project: what the project is to blame for waits for its tracker
UPDATE outbox SET state = 'waiting', due_at = :due_at, attempts = 0
WHERE tracker = :tracker AND rank = :rank AND blame = 'open' AND state = 'dead';

-- revive: an operator retries a dead letter
UPDATE outbox SET state = 'waiting', due_at = :now, owed_since = :now, attempts = 0, reason = NULL WHERE group_id = :group_id AND state = 'dead';

-- discard_dead: an operator gives up a dead letter
DELETE FROM outbox WHERE group_id = :group_id AND state = 'dead';

-- decide: the latest decision, shown with its group; a group on hold loses its place
UPDATE groups SET decision = :action, decision_reason = :reason, decision_rule = :rule, route = COALESCE(:route, route), decided_at = :now,
    place = CASE WHEN :action = 'hold' THEN NULL ELSE place END
WHERE id = :group_id;

-- decision: the one before, so that a repetition is not recorded
SELECT decision, decision_reason, decision_rule FROM groups WHERE id = :group_id;

-- record: what was done and why, for `explain`
INSERT INTO history (group_id, at, action, reason, outcome, rule, inputs, done, actor)
VALUES (:group_id, :now, :action, :reason, :outcome, :rule, :inputs, :done, :actor);

-- record_audit: an operator's change, in the transaction of the change
INSERT INTO audit (at, actor, action, kind, subject, group_id, detail)
VALUES (:now, :actor, :action, :kind, :subject, :group_id, :detail) RETURNING id;

-- amend_audit: a change that takes several transactions goes on
UPDATE audit SET detail = :detail WHERE id = :id;

-- audit_entries: what operators did, the newest first; an actor is named with or without the way that the change came
SELECT audit.id, at, actor, action, audit.kind, subject, audit.group_id, groups.universe, groups.project, detail
FROM audit LEFT JOIN groups ON groups.id = audit.group_id
WHERE audit.id < :before AND at >= :since
    AND (CAST(:actor_a AS TEXT) IS NULL OR actor IN (:actor_a, :actor_b, :actor_c, :actor_d))
    AND (CAST(:subject AS TEXT) IS NULL
        OR substr(lower(subject), 1, length(CAST(:subject AS TEXT))) = lower(CAST(:subject AS TEXT)))
ORDER BY audit.id DESC LIMIT :size;

-- pause: the tracker rests until a time; NULL until an operator resumes it
INSERT INTO trackers (name, state, reason, until, cause, attempts, floor, failures, failing_since, failed_groups)
VALUES (:tracker, 'paused', :reason, :until, :cause, :attempts, 0, :failures, :since, :groups)
ON CONFLICT (name) DO UPDATE SET state = 'paused', reason = excluded.reason, until = excluded.until, cause = excluded.cause,
    attempts = excluded.attempts, failures = excluded.failures, failing_since = excluded.failing_since,
    failed_groups = excluded.failed_groups;

-- resume: it answered again; only an operator ends the pause of an operator
UPDATE trackers SET state = 'ok', reason = NULL, until = NULL, cause = NULL, attempts = 0, failures = 0, failing_since = NULL,
    failed_groups = '[]'
WHERE name = :tracker AND (state <> 'ok' OR failed_groups <> '[]') AND (COALESCE(cause, '') NOT IN ('operator', 'copy') OR :operator = 1);

-- reach: its API answers; what it answered a read says nothing yet of the groups whose calls failed
UPDATE trackers SET state = 'ok', reason = NULL, until = NULL, cause = NULL, attempts = 0, failures = 0, failing_since = NULL,
    failed_groups = CASE WHEN :answered = 1 THEN '[]' ELSE failed_groups END
WHERE name = :tracker AND cause IN ('unreachable', 'failing');

-- tracker: its state
SELECT name, state, reason, until, cause, attempts, failures, failing_since, failed_groups FROM trackers WHERE name = :tracker;

-- trackers: all that were ever called
SELECT name, state, reason, until, cause, failures, failing_since FROM trackers ORDER BY name;

-- hasten_rested: the groups that it refused are due at once, if the rest ends before its time
UPDATE outbox SET due_at = :now WHERE tracker = :tracker AND state = 'waiting' AND due_at > :now AND EXISTS (
    SELECT 1 FROM trackers WHERE name = :tracker AND trackers.state = 'paused' AND ABS(until + :behind - outbox.due_at) < 0.001);

-- resting: until a time
SELECT name FROM trackers WHERE state = 'paused' AND until IS NOT NULL;

-- retry_rested: after a start, trackers that rest for a misconfiguration, or cannot be reached, are tried at once
UPDATE trackers SET until = :now WHERE state = 'paused' AND until > :now;

-- silence: requested by a tracker until a time; a longer one stays in force
INSERT INTO silences (credential, part, until, reason) VALUES (:credential, :part, :until, :reason)
ON CONFLICT (credential, part) DO UPDATE SET reason = excluded.reason,
    until = CASE WHEN silences.until > excluded.until AND silences.until <= :horizon THEN silences.until ELSE excluded.until END;

-- silences: of a credential; the caller ignores what an older clock wrote
SELECT part, until, reason FROM silences WHERE credential = :credential;

-- break_silence: an operator asked for it
DELETE FROM silences WHERE credential = :credential;

-- budget: the writes that are left
SELECT allowance, tokens, at FROM budgets WHERE credential = :credential;

-- spend: the writes that are left now
INSERT INTO budgets (credential, allowance, tokens, at) VALUES (:credential, :allowance, :tokens, :at)
ON CONFLICT (credential, allowance) DO UPDATE SET tokens = excluded.tokens, at = excluded.at;

-- owed_by_tracker: the number of groups that wait for each tracker, how many of them owe a call by now, and since when the oldest does
SELECT tracker, COUNT(*) AS groups, COUNT(CASE WHEN owed_since <= :now THEN 1 END) AS due,
    MIN(CASE WHEN owed_since <= :now THEN owed_since END) AS oldest_at
FROM outbox WHERE state <> 'dead' GROUP BY tracker;

-- recall: a fact that a client has learned
SELECT value FROM tracker_facts WHERE tracker = :tracker AND fact = :fact;

-- note: a newer fact replaces the older one
INSERT INTO tracker_facts (tracker, fact, value) VALUES (:tracker, :fact, :value)
ON CONFLICT (tracker, fact) DO UPDATE SET value = excluded.value;

-- wake_dry: calls that a dry run only logged are due now
UPDATE outbox SET due_at = :now, owed_since = :now, reason = NULL WHERE state = 'waiting' AND reason = :reason;

-- forget_homes: a tracker without an issue may still be pointed to another place
DELETE FROM tracker_facts WHERE tracker NOT IN (SELECT tracker FROM issues WHERE state <> 'wanted');

-- forget_floors: the numbers of another place would hide issues below them
UPDATE trackers SET floor = 0, floor_at = NULL, floor_since = NULL WHERE name NOT IN (SELECT tracker FROM issues WHERE state <> 'wanted');

-- beat: the process is alive
INSERT INTO instances (owner, host, machine, pid, begun, part, version, routes, started_at, beat_at, folds)
VALUES (:owner, :host, :machine, :pid, :begun, :part, :version, :routes, :started_at, :beat_at, :folds)
ON CONFLICT (owner) DO UPDATE SET beat_at = excluded.beat_at, folds = excluded.folds;

-- instances: the longest running first
SELECT owner, host, machine, pid, begun, part, version, routes, started_at, beat_at, folds FROM instances ORDER BY started_at, owner;

-- starts: of processes that nobody stopped, within a span of time
SELECT substr(name, 7) AS owner FROM settings
WHERE CASE WHEN substr(name, 1, 6) = 'start.' THEN CAST(value AS DOUBLE PRECISION) END BETWEEN :since AND :until;

-- forget_starts: those of long ago
DELETE FROM settings WHERE CASE WHEN substr(name, 1, 6) = 'start.' THEN CAST(value AS DOUBLE PRECISION) END < :before;

-- consoles: of the processes that should serve one, why they do not; empty for those that do
SELECT substr(name, 9) AS owner, value AS fault FROM settings WHERE substr(name, 1, 8) = 'console.';

-- forget_consoles: those of processes that are not registered any more
DELETE FROM settings WHERE substr(name, 1, 8) = 'console.' AND substr(name, 9) NOT IN (SELECT owner FROM instances);

-- instances_unlike: the processes that judge groups by other routes
SELECT owner FROM instances WHERE routes <> :routes;

-- forget_instance: the process ended or died
DELETE FROM instances WHERE owner = :owner RETURNING part;

-- owners: the holders of claims or intents, and the processes, of which some may be dead
SELECT owner FROM outbox WHERE owner IS NOT NULL UNION SELECT sent_by FROM issues WHERE state = 'intended'
UNION SELECT owner FROM instances;

-- free_claims: the groups of a dead owner are due now
UPDATE outbox SET state = 'waiting', owner = NULL, due_at = :now, tracker = COALESCE(again_tracker, tracker), again_at = NULL,
    again_tracker = NULL WHERE owner = :owner;

-- rank_doubtful: a group whose create is in doubt is due for a probe
UPDATE outbox SET rank = 1 WHERE state = 'waiting' AND rank = 0
    AND group_id IN (SELECT group_id FROM issues WHERE state = 'in_doubt');

-- doubt_dead: the creates of a dead owner may have been carried out
UPDATE issues SET state = 'in_doubt', note = :note WHERE state = 'intended' AND sent_by = :owner;

-- owe_doubtful: every issue in doubt is probed
INSERT INTO outbox (group_id, tracker, state, due_at, attempts, rank, owed_since)
SELECT group_id, tracker, 'waiting', :now, 0, 1, :now FROM issues WHERE state = 'in_doubt'
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.group_id = issues.group_id);

-- unsettled_groups: groups on hold, due, or never decided, for a new configuration
SELECT groups.* FROM groups LEFT JOIN outbox ON outbox.group_id = groups.id
LEFT JOIN issues ON issues.group_id = groups.id AND issues.state <> 'retired'
WHERE groups.id > :after AND (issues.id IS NULL OR issues.state = 'wanted') AND groups.kind = 'crash'
    AND NOT EXISTS (SELECT 1 FROM aliases WHERE aliases.group_id = groups.id) ORDER BY groups.id LIMIT :size;

-- owed_elsewhere: groups without an issue whose call waits for a tracker that the configuration does not have
WITH served (name) AS (VALUES :rows)
SELECT outbox.group_id AS id FROM outbox LEFT JOIN issues ON issues.group_id = outbox.group_id AND issues.state <> 'retired'
WHERE outbox.state <> 'claimed' AND outbox.tracker NOT IN (SELECT CAST(name AS TEXT) FROM served)
    AND (issues.id IS NULL OR issues.state = 'wanted') ORDER BY outbox.group_id;

-- move: a group without an issue follows its route to another tracker
UPDATE outbox SET tracker = :tracker WHERE group_id = :group_id AND state <> 'claimed';

-- setting: one value
SELECT value FROM settings WHERE name = :name;

-- set: the newer value replaces the older one
INSERT INTO settings (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- unset: removes the value
DELETE FROM settings WHERE name = :name;

-- set_once: the first writer wins
INSERT INTO settings (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING;

-- counts: the numbers of `status`, each from an index; a group is also due while it is being called or waits for its next try
SELECT
    (SELECT COUNT(*) FROM deliveries WHERE state = 'waiting') AS inbox_waiting,
    (SELECT COUNT(*) FROM outbox WHERE state <> 'dead' AND owed_since <= :now) AS outbox_due,
    (SELECT COUNT(*) FROM outbox WHERE state <> 'dead' AND (owed_since > :now OR owed_since IS NULL)) AS outbox_waiting,
    (SELECT COUNT(*) FROM outbox WHERE state = 'dead') AS dead,
    (SELECT COUNT(*) FROM issues WHERE state = 'linked') AS linked,
    (SELECT COUNT(*) FROM issues WHERE state = 'intended') AS intended,
    (SELECT COUNT(*) FROM issues WHERE state = 'in_doubt') AS in_doubt,
    (SELECT COUNT(*) FROM issues WHERE state = 'parked' AND COALESCE(cause, '') NOT IN ('deleted', 'discarded')) AS parked,
    (SELECT COUNT(*) FROM issues WHERE state = 'parked' AND cause IN ('deleted', 'discarded')) AS dropped,
    (SELECT COUNT(*) FROM issues WHERE doubles IS NOT NULL AND state <> 'retired') AS doubles,
    (SELECT COUNT(*) FROM issues WHERE by_hand IS NOT NULL AND state = 'linked') AS by_hand,
    (SELECT COUNT(*) FROM groups WHERE decision = 'hold') - (SELECT COUNT(*) FROM groups WHERE kind = 'storm' AND decision = 'hold') AS held,
    (SELECT COUNT(*) FROM storms) AS storms,
    (SELECT COUNT(*) FROM quarantine) AS quarantined;

-- newest_attributes: of the newest groups, whether they have a release and what their notifications carry
SELECT attributes, EXISTS (SELECT 1 FROM releases WHERE releases.group_id = groups.id) AS released FROM groups
WHERE kind = 'crash' ORDER BY id DESC LIMIT :size;

-- intents: the creates without an answer, by who sent them
SELECT sent_by AS owner, COUNT(*) AS creates FROM issues WHERE state = 'intended' GROUP BY sent_by;

-- all_groups: latest first
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id WHERE groups.kind = 'crash' ORDER BY last_seen DESC NULLS LAST, groups.id LIMIT :size;

-- how_many: the number of groups
SELECT COUNT(*) AS groups FROM groups WHERE kind = 'crash';

-- groups_by_prefix: a fingerprint or its beginning, in any universe and project
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts, outbox.due_at AS owed_at
FROM groups LEFT JOIN outbox ON outbox.group_id = groups.id
WHERE substr(lower(fingerprint), 1, length(CAST(:prefix AS TEXT))) = lower(CAST(:prefix AS TEXT))
ORDER BY groups.id LIMIT :size;

-- groups_by_issue: by the key of a live issue, its number in whichever repository, or its address
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts, outbox.due_at AS owed_at
FROM issues JOIN groups ON groups.id = issues.group_id LEFT JOIN outbox ON outbox.group_id = groups.id
WHERE issues.state <> 'retired' AND (lower(issues.key) = CAST(:key AS TEXT) OR lower(issues.key) LIKE CAST(:number AS TEXT)
    OR lower(issues.url) IN ('https://' || CAST(:address AS TEXT), 'http://' || CAST(:address AS TEXT), 'file://' || CAST(:address AS TEXT)))
ORDER BY groups.id LIMIT :size;

-- group_history: the latest decisions
SELECT at, action, reason, outcome, rule, inputs, actor FROM history WHERE group_id = :group_id ORDER BY id DESC LIMIT :size;

-- shift_outbox: after the clock was set by so much, leases, back-offs and intervals last as long as before
UPDATE outbox SET due_at = CASE WHEN due_at > :pending AND due_at <= :horizon THEN due_at + :by ELSE due_at END,
    again_at = CASE WHEN again_at > :pending AND again_at <= :horizon THEN again_at + :by ELSE again_at END,
    owed_since = CASE WHEN owed_since BETWEEN :since AND :horizon THEN owed_since + :by ELSE owed_since END;

-- shift_issues: the same for the times at which an issue is probed, written and looked at
UPDATE issues SET sent_at = CASE WHEN sent_at BETWEEN :since AND :until THEN sent_at + :by ELSE sent_at END,
    floor_since = CASE WHEN floor_since BETWEEN :since AND :until THEN floor_since + :by ELSE floor_since END,
    probe_at = CASE WHEN probe_at > :pending AND probe_at <= :horizon THEN probe_at + :by ELSE probe_at END,
    comment_sent_at = CASE WHEN comment_sent_at BETWEEN :since AND :until THEN comment_sent_at + :by ELSE comment_sent_at END,
    synced_at = CASE WHEN synced_at BETWEEN :since AND :until THEN synced_at + :by ELSE synced_at END,
    looked_at = CASE WHEN looked_at BETWEEN :since AND :until THEN looked_at + :by ELSE looked_at END,
    hooked_at = CASE WHEN hooked_at BETWEEN :since AND :horizon THEN hooked_at + :by ELSE hooked_at END
WHERE state <> 'retired';

-- shift_announcements: the same for the requests of comments without an answer
UPDATE announcements SET sent_at = CASE WHEN sent_at BETWEEN :since AND :until THEN sent_at + :by ELSE sent_at END WHERE state = 'sent';

-- shift_trackers: the same for rests of trackers
UPDATE trackers SET until = CASE WHEN until > :pending AND until <= :horizon THEN until + :by ELSE until END,
    floor_at = CASE WHEN floor_at BETWEEN :since AND :until THEN floor_at + :by ELSE floor_at END,
    floor_since = CASE WHEN floor_since BETWEEN :since AND :until THEN floor_since + :by ELSE floor_since END,
    failing_since = CASE WHEN failing_since BETWEEN :since AND :until THEN failing_since + :by ELSE failing_since END;

-- shift_budgets: the same for budgets, which would be full at once, or not refill before the time of their last write is reached again
UPDATE budgets SET at = CASE WHEN at BETWEEN :since AND :until THEN at + :by ELSE at END;

-- shift_silences: the same for the silence that a tracker asked for
UPDATE silences SET until = CASE WHEN until > :pending AND until <= :horizon THEN until + :by ELSE until END;

-- shift_storms: the same for storms, which would end at once
UPDATE storms SET since = CASE WHEN since BETWEEN :since AND :until THEN since + :by ELSE since END, held_at = CASE WHEN held_at BETWEEN :since AND :until THEN held_at + :by ELSE held_at END, portioned_at = CASE WHEN portioned_at BETWEEN :since AND :until THEN portioned_at + :by ELSE portioned_at END;

-- shift_dictionaries: the same for the age of dictionaries
UPDATE dictionaries SET made_at = CASE WHEN made_at BETWEEN :since AND :until THEN made_at + :by ELSE made_at END;

-- shift_waiting: what was received while the clock was wrong; an absorbed delivery is only kept longer or shorter
UPDATE deliveries SET received_at = CASE WHEN received_at BETWEEN :since AND :until THEN received_at + :by ELSE received_at END
WHERE state = 'waiting';

-- shift_releases: when a release was noticed, and when it grew, while the clock was wrong
UPDATE releases SET noticed_at = CASE WHEN noticed_at BETWEEN :since AND :until THEN noticed_at + :by ELSE noticed_at END,
    grown_at = CASE WHEN grown_at BETWEEN :since AND :until THEN grown_at + :by ELSE grown_at END
WHERE grown_at >= :since;

-- shift_project_releases: the same for the releases of a project
UPDATE project_releases SET noticed_at = CASE WHEN noticed_at BETWEEN :since AND :until THEN noticed_at + :by ELSE noticed_at END
WHERE noticed_at >= :since;

-- trails_of_span: the trails of groups that had a notification while the clock was wrong
SELECT id, trail FROM groups WHERE id IN (
    SELECT group_id FROM deliveries WHERE state = 'absorbed' AND received_at BETWEEN :since AND :until);

-- linked_of_span: the linked issues of groups that had a notification while the clock was wrong
SELECT group_id, tracker FROM issues WHERE state = 'linked' AND group_id IN (
    SELECT COALESCE(aliases.target_id, deliveries.group_id) FROM deliveries
    LEFT JOIN aliases ON aliases.group_id = deliveries.group_id
    WHERE deliveries.state = 'absorbed' AND deliveries.received_at BETWEEN :since AND :until);

-- save_trail: its points have moved
UPDATE groups SET trail = :trail, batch = NULL WHERE id = :group_id;

-- forget_batches: the times of their releases are about to move
UPDATE groups SET batch = NULL WHERE batch IS NOT NULL AND id IN (SELECT group_id FROM releases WHERE grown_at >= :since);

-- ask_look: the issue is looked at before anything else, also where a look is being made; `anew`: what it shows is written anew
UPDATE issues SET looks_owed = looks_owed + 1, synced_revision = CASE WHEN :anew = 1 THEN 0 ELSE synced_revision END
WHERE group_id = :group_id AND state = 'linked';

-- groups_of_project: in all universes; an alias is part of its target
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id
WHERE groups.project = :project AND groups.kind = 'crash'
    AND NOT EXISTS (SELECT 1 FROM aliases WHERE aliases.group_id = groups.id) ORDER BY groups.id;

-- projects: by name
SELECT DISTINCT project FROM groups WHERE kind = 'crash' ORDER BY project;

-- named_releases: those that were named last, of all projects and applications
SELECT universe, project, application, release FROM project_releases ORDER BY noticed_at DESC LIMIT :size;

-- held_counts: how many groups each rule of each route holds
SELECT decision_rule AS rule, route, COUNT(*) AS groups FROM groups WHERE decision = 'hold' AND kind = 'crash'
GROUP BY decision_rule, route ORDER BY groups DESC;

-- held_groups: the largest first
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id WHERE groups.decision = 'hold' AND groups.kind = 'crash'
ORDER BY COALESCE(groups.users, 0) DESC, groups.occurrences DESC, groups.id LIMIT :size;

-- _is_open: the issue is not closed, as far as syncd has read. A quotation mark within a text of the JSON has a backslash, so none passes for a key
EXISTS (SELECT 1 FROM issues WHERE issues.group_id = groups.id AND issues.state = 'linked'
    AND (issues.condition IS NULL OR replace(issues.condition, '"closed": true', '') = issues.condition));

-- _is_closed: the same, closed
EXISTS (SELECT 1 FROM issues WHERE issues.group_id = groups.id AND issues.state = 'linked'
    AND replace(issues.condition, '"closed": true', '') <> issues.condition);

-- _is_crashing: it is closed, and the latest crash is later, or the tracker does not say when it was closed
EXISTS (SELECT 1 FROM issues WHERE issues.group_id = groups.id AND issues.state = 'linked'
    AND replace(issues.condition, '"closed": true', '') <> issues.condition AND COALESCE({closed_at}, 0) < COALESCE(groups.last_seen, 0));

-- _is_regressed: the crash came back after its issue was closed, and the issue is open again
({_is_open} AND EXISTS (SELECT 1 FROM regressions WHERE regressions.group_id = groups.id));

-- _is_muted: syncd writes nothing to the issue, since people labelled or locked or deleted it, or an operator discarded it
EXISTS (SELECT 1 FROM issues WHERE issues.group_id = groups.id AND (
    (issues.state = 'linked' AND (replace(issues.condition, '"locked": true', '') <> issues.condition
        OR EXISTS (SELECT 1 FROM ({labels}) AS muting WHERE replace(issues.condition, muting.label, '') <> issues.condition)))
    OR (issues.state = 'parked' AND issues.cause IN ('deleted', 'discarded'))));

-- _wanted: the filter of a list; a NULL parameter does not filter
groups.kind = 'crash'
    AND (CAST(:project AS TEXT) IS NULL OR groups.project = CAST(:project AS TEXT))
    AND (CAST(:owner AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM issues WHERE issues.group_id = groups.id AND issues.state IN ('linked', 'parked')
        AND (issues.owners = CAST(:owner AS TEXT)
            OR lower(substr(issues.owners, 2, length(issues.owners) - 2)) LIKE CAST(:owner AS TEXT) ESCAPE '!')))
    AND (CAST(:release AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM releases
        WHERE releases.group_id = groups.id AND releases.release = CAST(:release AS TEXT)))
    AND (CAST(:state AS TEXT) IS NULL
        OR (CAST(:state AS TEXT) = 'filed' AND EXISTS (SELECT 1 FROM issues WHERE issues.group_id = groups.id AND issues.state = 'linked'))
        OR (CAST(:state AS TEXT) = 'held' AND groups.decision = 'hold')
        OR (CAST(:state AS TEXT) = 'open' AND {_is_open})
        OR (CAST(:state AS TEXT) = 'closed' AND {_is_closed})
        OR (CAST(:state AS TEXT) = 'crashing' AND {_is_crashing})
        OR (CAST(:state AS TEXT) = 'regressed' AND {_is_regressed})
        OR (CAST(:state AS TEXT) = 'muted' AND {_is_muted})
        OR CAST(:state AS TEXT) = 'new'
        OR (CAST(:state AS TEXT) = 'doubt' AND EXISTS (SELECT 1 FROM issues
            WHERE issues.group_id = groups.id AND issues.state = 'in_doubt'))
        OR (CAST(:state AS TEXT) = 'by_hand' AND EXISTS (SELECT 1 FROM issues
            WHERE issues.group_id = groups.id AND issues.by_hand IS NOT NULL AND issues.state = 'linked'))
        OR (CAST(:state AS TEXT) = 'parked' AND EXISTS (SELECT 1 FROM issues WHERE issues.group_id = groups.id AND issues.state = 'parked'))
        OR (CAST(:state AS TEXT) = 'dead' AND EXISTS (SELECT 1 FROM outbox WHERE outbox.group_id = groups.id AND outbox.state = 'dead'))
        OR (CAST(:state AS TEXT) = 'unfiled' AND NOT EXISTS (SELECT 1 FROM issues
            WHERE issues.group_id = groups.id AND issues.state IN ('linked', 'parked'))))
    AND (CAST(:application AS TEXT) IS NULL OR groups.application = CAST(:application AS TEXT))
    AND (CAST(:since AS BIGINT) IS NULL OR COALESCE(groups.last_seen, 0) >= CAST(:since AS BIGINT))
    AND (CAST(:first AS BIGINT) IS NULL OR COALESCE(groups.first_seen, 0) >= CAST(:first AS BIGINT))
    AND (CAST(:returned AS DOUBLE PRECISION) IS NULL OR EXISTS (SELECT 1 FROM regressions
        WHERE regressions.group_id = groups.id AND regressions.at >= CAST(:returned AS DOUBLE PRECISION)))
    AND (CAST(:classifier AS TEXT) IS NULL
        OR lower(',' || substr(groups.classifiers, 2)) LIKE CAST(:classifier AS TEXT) ESCAPE '!')
    AND (CAST(:terms AS TEXT) IS NULL OR NOT EXISTS (SELECT 1 FROM ({terms}) AS sought WHERE NOT (
        lower(groups.fingerprint) LIKE sought.term ESCAPE '!'
        OR lower(groups.callstack) LIKE sought.term ESCAPE '!'
        OR lower(groups.project) LIKE sought.term ESCAPE '!'
        OR lower(COALESCE(groups.application, '')) LIKE sought.term ESCAPE '!'
        OR lower(groups.classifiers) LIKE sought.term ESCAPE '!'
        OR (sought.name IS NOT NULL AND EXISTS (SELECT 1 FROM {attributes} AND lower(attribute.value) LIKE sought.value ESCAPE '!'))
        OR (sought.numbered = 1 AND EXISTS (SELECT 1 FROM issues WHERE issues.group_id = groups.id
            AND issues.state <> 'retired' AND lower(issues.key) LIKE sought.term ESCAPE '!')))));

-- groups_by_last_seen: a page from a key to an edge; two comparisons each, because SQLite does not search an index on expressions by a pair
SELECT groups.id, COALESCE(last_seen, 0) AS place FROM groups
WHERE COALESCE(last_seen, 0) <= :place AND (COALESCE(last_seen, 0) < :place OR groups.id < :after)
    AND COALESCE(last_seen, 0) >= :floor AND (COALESCE(last_seen, 0) > :floor OR groups.id > :beyond) AND {_wanted}
ORDER BY COALESCE(last_seen, 0) DESC, groups.id DESC LIMIT :size;

-- groups_by_first_seen: the same in another order
SELECT groups.id, COALESCE(first_seen, 0) AS place FROM groups
WHERE COALESCE(first_seen, 0) <= :place AND (COALESCE(first_seen, 0) < :place OR groups.id < :after)
    AND COALESCE(first_seen, 0) >= :floor AND (COALESCE(first_seen, 0) > :floor OR groups.id > :beyond) AND {_wanted}
ORDER BY COALESCE(first_seen, 0) DESC, groups.id DESC LIMIT :size;

-- groups_by_occurrences: the same in another order
SELECT groups.id, occurrences AS place FROM groups
WHERE occurrences <= :place AND (occurrences < :place OR groups.id < :after)
    AND occurrences >= :floor AND (occurrences > :floor OR groups.id > :beyond) AND {_wanted}
ORDER BY occurrences DESC, groups.id DESC LIMIT :size;

-- groups_by_users: the same in another order
SELECT groups.id, COALESCE(users, 0) AS place FROM groups
WHERE COALESCE(users, 0) <= :place AND (COALESCE(users, 0) < :place OR groups.id < :after)
    AND COALESCE(users, 0) >= :floor AND (COALESCE(users, 0) > :floor OR groups.id > :beyond) AND {_wanted}
ORDER BY COALESCE(users, 0) DESC, groups.id DESC LIMIT :size;

-- edge_by_last_seen: the first group that a page does not examine
SELECT id, COALESCE(last_seen, 0) AS place FROM groups WHERE kind = 'crash' AND COALESCE(last_seen, 0) <= :place AND (COALESCE(last_seen, 0) < :place OR id < :after)
ORDER BY COALESCE(last_seen, 0) DESC, id DESC LIMIT 1 OFFSET :looked;

-- edge_by_first_seen: the same in another order
SELECT id, COALESCE(first_seen, 0) AS place FROM groups WHERE kind = 'crash' AND COALESCE(first_seen, 0) <= :place AND (COALESCE(first_seen, 0) < :place OR id < :after)
ORDER BY COALESCE(first_seen, 0) DESC, id DESC LIMIT 1 OFFSET :looked;

-- edge_by_occurrences: the same in another order
SELECT id, occurrences AS place FROM groups WHERE kind = 'crash' AND occurrences <= :place AND (occurrences < :place OR id < :after)
ORDER BY occurrences DESC, id DESC LIMIT 1 OFFSET :looked;

-- edge_by_users: the same in another order
SELECT id, COALESCE(users, 0) AS place FROM groups WHERE kind = 'crash' AND COALESCE(users, 0) <= :place AND (COALESCE(users, 0) < :place OR id < :after)
ORDER BY COALESCE(users, 0) DESC, id DESC LIMIT 1 OFFSET :looked;

-- _among: groups that an index yields by a state, or by their project
SELECT outbox.group_id AS id FROM outbox WHERE CAST(:among AS TEXT) = 'dead' AND outbox.state = 'dead'
    UNION ALL SELECT issues.group_id FROM issues
        WHERE CAST(:among AS TEXT) = 'doubt' AND issues.state = 'in_doubt'
    UNION ALL SELECT issues.group_id FROM issues
        WHERE CAST(:among AS TEXT) = 'by_hand' AND issues.by_hand IS NOT NULL AND issues.state = 'linked'
    UNION ALL SELECT issues.group_id FROM issues WHERE CAST(:among AS TEXT) = 'parked' AND issues.state = 'parked'
    UNION ALL SELECT held.id FROM groups AS held WHERE CAST(:among AS TEXT) = 'held' AND held.decision = 'hold'
    UNION ALL SELECT issues.group_id FROM issues WHERE CAST(:among AS TEXT) = 'closed' AND issues.state = 'linked'
        AND replace(issues.condition, '"closed": true', '') <> issues.condition
    UNION ALL SELECT regressions.group_id FROM regressions WHERE CAST(:among AS TEXT) = 'regressed'
    UNION ALL SELECT regressions.group_id FROM regressions
        WHERE CAST(:among AS TEXT) = 'returned' AND regressions.at >= CAST(:returned AS DOUBLE PRECISION)
    UNION ALL SELECT fresh.id FROM groups AS fresh
        WHERE CAST(:among AS TEXT) = 'first' AND fresh.kind = 'crash' AND COALESCE(fresh.first_seen, 0) >= :first
    UNION ALL SELECT active.id FROM groups AS active
        WHERE CAST(:among AS TEXT) = 'since' AND active.kind = 'crash' AND COALESCE(active.last_seen, 0) >= :since
    UNION ALL SELECT its.id FROM groups AS its WHERE CAST(:among AS TEXT) = 'project' AND its.project = CAST(:project AS TEXT);

-- how_many_among: counts no further than a page examines
SELECT COUNT(*) AS groups FROM (SELECT 1 FROM ({_among}) AS found LIMIT :most) AS counted;

-- groups_among: a page of few groups, in any order
SELECT id, place FROM (
    SELECT groups.id, CASE CAST(:sort AS TEXT) WHEN 'last_seen' THEN COALESCE(last_seen, 0) WHEN 'first_seen' THEN COALESCE(first_seen, 0)
        WHEN 'users' THEN COALESCE(users, 0) ELSE occurrences END AS place
    FROM groups WHERE groups.id IN ({_among}) AND {_wanted}) AS few
WHERE place <= :place AND (place < :place OR id < :after) ORDER BY place DESC, id DESC LIMIT :size;

-- _tally: how many groups each tab has
COUNT(*) AS everything, COALESCE(SUM(CASE WHEN {_is_open} THEN 1 ELSE 0 END), 0) AS open,
    COALESCE(SUM(CASE WHEN COALESCE(groups.first_seen, 0) >= :fresh THEN 1 ELSE 0 END), 0) AS new,
    COALESCE(SUM(CASE WHEN {_is_regressed} THEN 1 ELSE 0 END), 0) AS regressed,
    COALESCE(SUM(CASE WHEN groups.decision = 'hold' THEN 1 ELSE 0 END), 0) AS held,
    COALESCE(SUM(CASE WHEN {_is_closed} THEN 1 ELSE 0 END), 0) AS closed,
    COALESCE(SUM(CASE WHEN {_is_muted} THEN 1 ELSE 0 END), 0) AS muted;

-- tally_examined: of the groups seen last, down to an edge
SELECT {_tally} FROM groups
WHERE COALESCE(last_seen, 0) >= :floor AND (COALESCE(last_seen, 0) > :floor OR groups.id > :beyond) AND {_wanted};

-- tally_among: of few groups
SELECT {_tally} FROM groups WHERE groups.id IN ({_among}) AND {_wanted};

-- tally_whole: of all groups, by indexes alone; which of them are muted no index knows. Storms have issues too
SELECT (SELECT COUNT(*) FROM groups WHERE kind = 'crash') AS everything,
    (SELECT COUNT(*) FROM issues WHERE state = 'linked') - closed.issues
        - (SELECT COUNT(*) FROM groups WHERE groups.kind = 'storm' AND {_is_open}) AS open,
    (SELECT COUNT(*) FROM groups WHERE kind = 'crash' AND COALESCE(first_seen, 0) >= :fresh) AS new,
    (SELECT COUNT(*) FROM (SELECT DISTINCT group_id AS id FROM regressions) AS groups WHERE {_is_open}) AS regressed,
    (SELECT COUNT(*) FROM groups WHERE decision = 'hold') - (SELECT COUNT(*) FROM groups WHERE kind = 'storm' AND decision = 'hold') AS held,
    closed.issues - (SELECT COUNT(*) FROM groups WHERE groups.kind = 'storm' AND {_is_closed}) AS closed
FROM (SELECT COUNT(*) AS issues FROM issues WHERE state = 'linked' AND replace(condition, '"closed": true', '') <> condition) AS closed;

-- trails: how groups grew
WITH wanted (id) AS (VALUES :rows)
SELECT groups.id, groups.first_seen, groups.trail FROM wanted JOIN groups ON groups.id = CAST(wanted.id AS BIGINT);

-- group_standing: a group with its outbox row
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts, outbox.due_at AS owed_at
FROM groups LEFT JOIN outbox ON outbox.group_id = groups.id WHERE groups.id = :group_id;

-- releases_of_project: each with its number of groups and occurrences, and its first and last time
SELECT releases.release, COUNT(*) AS groups, CAST(SUM(releases.occurrences) AS BIGINT) AS occurrences,
    MIN(releases.first_seen) AS first_seen, MAX(releases.last_seen) AS last_seen
FROM releases JOIN groups ON groups.id = releases.group_id WHERE groups.project = :project AND groups.kind = 'crash'
GROUP BY releases.release;

-- histories_of_project: how many groups occurred in the same releases; an alias occurs where its target does
SELECT histories.names, COUNT(*) AS groups FROM (
    SELECT string_agg(releases.release, CAST(:separator AS TEXT) ORDER BY releases.release) AS names
    FROM releases JOIN groups ON groups.id = releases.group_id LEFT JOIN aliases ON aliases.group_id = groups.id
    WHERE groups.project = :project AND groups.kind = 'crash' AND releases.occurrences > 0
    GROUP BY COALESCE(aliases.target_id, groups.id)
) AS histories GROUP BY histories.names;

-- groups_of_release: the groups of a release, the most users first
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id
WHERE groups.project = :project AND groups.kind = 'crash'
    AND EXISTS (SELECT 1 FROM releases WHERE releases.group_id = groups.id AND releases.release = :release)
    AND NOT EXISTS (SELECT 1 FROM aliases WHERE aliases.group_id = groups.id)
ORDER BY COALESCE(groups.users, 0) DESC, groups.occurrences DESC, groups.id LIMIT :size;

-- releases_noticed: when syncd first received the name of each release of a project that more than one crash reports
SELECT release, MIN(noticed_at) AS noticed_at FROM project_releases WHERE project = :project AND confirmed = 1 GROUP BY release;

-- comebacks: crashes that came back, the latest first
SELECT regressions.id, regressions.group_id, regressions.release, regressions.issue_key, regressions.closed_at, regressions.at FROM regressions
WHERE regressions.at >= :since ORDER BY regressions.at DESC, regressions.id DESC LIMIT :size;

-- deliveries_before: a page, the newest first, of all groups
SELECT deliveries.id, received_at, deliveries.state, group_id, length(body) AS size, substr(body, 1, 18) AS head,
    groups.fingerprint, groups.universe, groups.project, note, source
FROM deliveries LEFT JOIN groups ON groups.id = deliveries.group_id WHERE deliveries.id < :before
ORDER BY deliveries.id DESC LIMIT :size;

-- deliveries_of: the same of one group
SELECT deliveries.id, received_at, deliveries.state, group_id, length(body) AS size, substr(body, 1, 18) AS head,
    groups.fingerprint, groups.universe, groups.project, note, source
FROM deliveries JOIN groups ON groups.id = deliveries.group_id WHERE group_id = :group_id AND deliveries.id < :before
ORDER BY deliveries.id DESC LIMIT :size;

-- delivery: one, with its body
SELECT deliveries.id, received_at, deliveries.state, group_id, length(body) AS size, substr(body, 1, 18) AS head,
    groups.fingerprint, groups.universe, groups.project, note, source, body
FROM deliveries LEFT JOIN groups ON groups.id = deliveries.group_id WHERE deliveries.id = :id;

-- done_since: actions that trackers accepted, by action and span of time
SELECT CAST(FLOOR((at - :since) / :span) AS BIGINT) AS span, action, COUNT(*) AS times FROM history
WHERE at >= :since AND done = 1 GROUP BY 1, 2;

-- oldest: when the oldest waiting delivery arrived, and since when the group that waits longest owes its call, however often that failed
SELECT (SELECT received_at FROM deliveries WHERE state = 'waiting' ORDER BY id LIMIT 1) AS received_at,
    (SELECT MIN(owed_since) FROM outbox WHERE state <> 'dead' AND owed_since <= :now) AS owed_since;

-- hold_manually: an operator asked for it; NULL ends the hold
UPDATE groups SET on_hold = :reason WHERE id = :group_id;

-- order: an operator lets the group through, past thresholds and the limit of its route
UPDATE groups SET ordered = :reason WHERE id = :group_id;

-- refresh: the issue, which shows nothing any more, is looked at and updated at once, or a create in doubt is probed at once; when people had it open last stays known
UPDATE issues SET synced_revision = CASE state WHEN 'linked' THEN 0 ELSE synced_revision END, synced_at = NULL,
    probe_at = CASE state WHEN 'in_doubt' THEN :now ELSE probe_at END
WHERE group_id = :group_id AND state IN ('linked', 'in_doubt');

-- due_now: whatever it was postponed for
UPDATE outbox SET due_at = :now, owed_since = CASE WHEN owed_since < :now THEN owed_since ELSE :now END, attempts = 0, reason = NULL
WHERE group_id = :group_id AND state = 'waiting';

-- link_by_hand: an operator names the issue that stands for the group, or it was adopted; the ledger is what the group had by then
INSERT INTO issues (group_id, tracker, state, marker, attempt, floor, synced_revision, is_read, remote_id, key, url, route, note, baseline, adopted_at)
VALUES (:group_id, :tracker, 'linked', :marker, 0, 0, :revision, 1, :remote_id, :key, :url, :route, :note, :baseline, :adopted_at);

-- add_adoption: the issue waits for its group
INSERT INTO adoptions (fingerprint_key, universe, project, tracker, remote_id, key, url, doubles, added_at)
VALUES (:fingerprint_key, :universe, :project, :tracker, :remote_id, :key, :url, :doubles, :now);

-- adoptions_of: those that wait for groups with these fingerprints, whatever else they ask for
WITH wanted (fingerprint_key) AS (VALUES :rows)
SELECT adoptions.* FROM wanted JOIN adoptions USING (fingerprint_key) ORDER BY fingerprint_key, universe, project;

-- adoption_at: the one of an address
SELECT * FROM adoptions WHERE tracker = :tracker AND remote_id = :remote_id;

-- adoptions: all, the latest last
SELECT * FROM adoptions ORDER BY added_at, fingerprint_key, universe, project;

-- remove_adoption: the issue stands for a group
DELETE FROM adoptions WHERE tracker = :tracker AND remote_id = :remote_id;

-- groups_of_fingerprint: in any universe and project
SELECT id, universe, project, fingerprint FROM groups WHERE fingerprint_key = :fingerprint_key AND kind = 'crash' ORDER BY id;

-- shift_adoptions: when an issue was adopted, while the clock was wrong
UPDATE issues SET adopted_at = CASE WHEN adopted_at BETWEEN :since AND :until THEN adopted_at + :by ELSE adopted_at END
WHERE adopted_at >= :since;

-- hooked_issues: what reports name and a look or a survey may be due for; a claim may be looking at it just now
WITH named (tracker, remote_id) AS (VALUES :rows)
SELECT issues.group_id, issues.tracker, issues.remote_id, issues.state, issues.looks_owed, issues.hooked_at, issues.news_at, outbox.state AS standing
FROM issues LEFT JOIN outbox ON outbox.group_id = issues.group_id
WHERE (issues.tracker, issues.remote_id) IN (SELECT tracker, remote_id FROM named)
    AND (issues.state = 'linked' OR (issues.state = 'parked' AND issues.cause = 'out of reach'));

-- ask_hooked: as ask_look, for a report; the latest change that reports have named counts
WITH asked (group_id, due_at, news_at) AS (VALUES :rows)
UPDATE issues SET looks_owed = issues.looks_owed + 1, hooked_at = CAST(asked.due_at AS DOUBLE PRECISION),
    news_at = CASE WHEN issues.news_at > CAST(asked.news_at AS DOUBLE PRECISION) THEN issues.news_at
        ELSE COALESCE(CAST(asked.news_at AS DOUBLE PRECISION), issues.news_at) END
FROM asked WHERE issues.group_id = CAST(asked.group_id AS BIGINT) AND issues.state = 'linked';

-- known_reports: which of them led to a look before
WITH reports (mark) AS (VALUES :rows)
SELECT mark FROM hook_reports WHERE mark IN (SELECT mark FROM reports);

-- remember_reports: two receivers may have the same one
INSERT INTO hook_reports (mark) SELECT column1 FROM (VALUES :rows) AS reports WHERE true ON CONFLICT (mark) DO NOTHING;

-- forget_reports: numbers only rise
DELETE FROM hook_reports WHERE id <= (SELECT MAX(id) FROM hook_reports) - :most;

-- hear_hooks: a report that names nothing of the tracker leaves the time of the latest that did
WITH heard (name, tracker, heard_at, reported_at) AS (VALUES :rows)
INSERT INTO hooks (name, tracker, heard_at, reported_at)
SELECT name, tracker, CAST(heard_at AS DOUBLE PRECISION), CAST(reported_at AS DOUBLE PRECISION) FROM heard WHERE true
ON CONFLICT (name, tracker) DO UPDATE SET heard_at = excluded.heard_at, reported_at = COALESCE(excluded.reported_at, hooks.reported_at);

-- heard_hooks: all of them
SELECT name, tracker, heard_at, reported_at FROM hooks ORDER BY name, tracker;

-- reported_at: the latest report of a tracker by any of its hooks
SELECT MAX(reported_at) AS reported_at FROM hooks WHERE tracker = :tracker;

-- add_notices: one row for each channel that reports the event
INSERT INTO notices (channel, event, kind, group_id, facts, made_at) VALUES :rows;

-- channel: its state
SELECT * FROM channels WHERE name = :channel;

-- meet_channel: a row for a channel that had none
INSERT INTO channels (name) VALUES (:channel) ON CONFLICT (name) DO NOTHING;

-- rest_channel: it takes nothing before a time
UPDATE channels SET until = :until, attempts = :attempts, reason = :reason, failing_since = COALESCE(failing_since, :now) WHERE name = :channel;

-- resume_channel: it took a message
UPDATE channels SET until = NULL, attempts = 0, reason = NULL, failing_since = NULL WHERE name = :channel AND failing_since IS NOT NULL;

-- try_channel: only the process that begins the try sends; another one may after a while, should it die
UPDATE channels SET until = :until WHERE name = :channel;

-- save_digest: the digest of a day is done
UPDATE channels SET digest_day = :day, digest_at = :now WHERE name = :channel;

-- save_outages: the trackers that rest as far as its notices say
UPDATE channels SET outages = :outages WHERE name = :channel;

-- waiting_notices: how many of each kind wait, and the first of them
SELECT kind, COUNT(*) AS waiting, MIN(id) AS first FROM notices WHERE channel = :channel AND state = 'waiting' GROUP BY kind;

-- sent_notices: how many messages of a kind were sent in a span of time
SELECT COUNT(DISTINCT batch) AS messages FROM notices
WHERE channel = :channel AND kind = :kind AND sent_at > :since AND sent_at <= :until;

-- mark_notice: on disk before the request
UPDATE notices SET state = 'sending', batch = id, sent_at = :now WHERE id = :id AND state = 'waiting';

-- mark_notices: all that wait become one message
UPDATE notices SET state = 'sending', batch = :batch, sent_at = :now WHERE channel = :channel AND kind = :kind AND state = 'waiting';

-- unmark_notices: the request did not arrive
UPDATE notices SET state = 'waiting', batch = NULL, sent_at = NULL WHERE batch = :batch AND state = 'sending';

-- end_notices: what became of a message
UPDATE notices SET state = :state WHERE batch = :batch AND state = 'sending';

-- broken_off: messages whose process ended before it wrote down what became of them
SELECT DISTINCT batch FROM notices WHERE channel = :channel AND state = 'sending' AND sent_at < :before;

-- notice: one row
SELECT * FROM notices WHERE id = :id;

-- notices_of_batch: how many of each event one message sums up
SELECT event, COUNT(*) AS notices FROM notices WHERE batch = :batch GROUP BY event;

-- worst_of_batch: the groups of a summary with the most users
SELECT notices.group_id, MIN(notices.id) AS id FROM notices JOIN groups ON groups.id = notices.group_id
WHERE notices.batch = :batch GROUP BY notices.group_id, groups.users, groups.occurrences
ORDER BY COALESCE(groups.users, 0) DESC, groups.occurrences DESC, notices.group_id LIMIT :size;

-- latest_of_batch: what a summary of routes and trackers names
SELECT id FROM notices WHERE batch = :batch ORDER BY id DESC LIMIT :size;

-- expire_notices: those of a channel that waited too long
UPDATE notices SET state = 'expired' WHERE channel = :channel AND state = 'waiting' AND made_at < :before;

-- purge_notices: of every channel, also of one that is no longer configured; a limited number of rows at a time
DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE made_at < :before ORDER BY made_at LIMIT :size);

-- channel_counts: what waits at each channel, since when, and what became of the others since a time
SELECT channel, state, COUNT(*) AS notices, MIN(made_at) AS oldest_at FROM notices
WHERE state = 'waiting' OR made_at > :since GROUP BY channel, state;

-- shift_channels: the same for rests of channels and the time of the last digest
UPDATE channels SET until = CASE WHEN until > :pending AND until <= :horizon THEN until + :by ELSE until END,
    failing_since = CASE WHEN failing_since BETWEEN :since AND :until THEN failing_since + :by ELSE failing_since END,
    digest_at = CASE WHEN digest_at BETWEEN :since AND :until THEN digest_at + :by ELSE digest_at END;

-- shift_notices: the same for the age of notices, and for the limit of a channel
UPDATE notices SET made_at = CASE WHEN made_at BETWEEN :since AND :until THEN made_at + :by ELSE made_at END,
    sent_at = CASE WHEN sent_at BETWEEN :since AND :until THEN sent_at + :by ELSE sent_at END
WHERE made_at >= :since OR sent_at >= :since;

-- active_groups: the crashes of a route that may have come since a time, those with the most users first; what came late has a decision
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id
WHERE groups.kind = 'crash' AND groups.route = :route
    AND (COALESCE(groups.last_seen, 0) >= :since OR groups.id IN (SELECT group_id FROM history WHERE at >= :since))
    AND NOT EXISTS (SELECT 1 FROM aliases WHERE aliases.group_id = groups.id)
ORDER BY COALESCE(groups.users, 0) DESC, groups.occurrences DESC, groups.id LIMIT :size;

-- returns_since: the crashes of a route that came back since a time, the earliest first
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts, regressions.release
FROM regressions JOIN groups ON groups.id = regressions.group_id LEFT JOIN outbox ON outbox.group_id = groups.id
WHERE regressions.at >= :since AND groups.route = :route AND groups.kind = 'crash' ORDER BY regressions.id LIMIT :size;
