-- Every query by name, each with a line of why. Times are epoch seconds; `:name` is a parameter; `:rows` stands for as many
-- rows as a batch has. Casts are for PostgreSQL, which does not guess the types of such rows. One text for both databases
-- but for two words, which are empty for SQLite, where whoever writes is alone:
-- {lock}: rows that are judged and then changed are locked, in the order of their ids, or what another one changes meanwhile is lost.
-- {skip_locked}: whoever claims passes over what another one is just claiming, and does not wait for it.
-- What has a name that begins with _ is no query but a part of some: {_name} stands for it.

-- accept: the promise behind an answer of 200
INSERT INTO deliveries (received_at, body, dictionary, state)
SELECT column1, column2, CAST(column3 AS BIGINT), 'waiting' FROM (VALUES :rows) AS arrived;

-- newest_dictionary: NULL where there is none
SELECT MAX(id) AS id, MAX(made_at) AS made_at FROM dictionaries;

-- dictionary: one
SELECT content FROM dictionaries WHERE id = :id;

-- latest_bodies: to learn from
SELECT body FROM deliveries ORDER BY id DESC LIMIT :size;

-- keep_dictionary: the first one of a number, or what another process packed could not be read
INSERT INTO dictionaries (id, content, made_at) VALUES (:id, :content, :made_at) ON CONFLICT DO NOTHING;

-- unneeded_dictionaries: replaced long enough ago, and of no delivery; of one still in use the oldest rows tell at once
SELECT id FROM dictionaries WHERE EXISTS (
        SELECT 1 FROM dictionaries AS later WHERE later.id > dictionaries.id AND later.made_at < :before)
    AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.dictionary = dictionaries.id);

-- forget_dictionary: by its id
DELETE FROM dictionaries WHERE id = :id;

-- waiting_deliveries: oldest first, so that what came earlier is folded earlier
SELECT id, received_at, body, replayed_at FROM deliveries WHERE state = 'waiting' ORDER BY id LIMIT :size;

-- waiting_of: those of them that wait
WITH wanted (id) AS (VALUES :rows)
SELECT deliveries.id, received_at, body, replayed_at FROM wanted JOIN deliveries ON deliveries.id = CAST(wanted.id AS BIGINT)
WHERE state = 'waiting' ORDER BY deliveries.id;

-- claim_deliveries: leaves out those that another process was faster to take
WITH absorbed (id, group_id) AS (VALUES :rows)
UPDATE deliveries SET state = 'absorbed', group_id = CAST(absorbed.group_id AS BIGINT) FROM absorbed
WHERE deliveries.id = CAST(absorbed.id AS BIGINT) AND deliveries.state = 'waiting' RETURNING deliveries.id;

-- reject_delivery: what an older program accepted and this one cannot read goes to the quarantine, never away
DELETE FROM deliveries WHERE id = :id AND state = 'waiting';

-- purge_deliveries: a bounded bite at a time, so that no purge holds the writer for long
DELETE FROM deliveries WHERE id IN (
    SELECT id FROM deliveries WHERE state = 'absorbed' AND received_at < :before ORDER BY received_at LIMIT :size);

-- purge_history: decisions of long ago, but for the latest of each group, which says why it is as it is
DELETE FROM history WHERE id IN (
    SELECT id FROM history WHERE at < :before
        AND EXISTS (SELECT 1 FROM history AS later WHERE later.group_id = history.group_id AND later.id > history.id)
    ORDER BY at LIMIT :size);

-- purgeable: how much of that there is
SELECT (SELECT COUNT(*) FROM deliveries WHERE state = 'absorbed' AND received_at < :before) AS deliveries,
    (SELECT COUNT(*) FROM history WHERE at < :decided_before AND EXISTS (SELECT 1 FROM history AS later
        WHERE later.group_id = history.group_id AND later.id > history.id)) AS decisions;

-- replayable: absorbed deliveries that are still kept, a bounded bite at a time
SELECT deliveries.id, deliveries.received_at, deliveries.body, groups.fingerprint
FROM deliveries LEFT JOIN groups ON groups.id = deliveries.group_id
WHERE deliveries.state = 'absorbed' AND deliveries.id > :after AND deliveries.received_at >= :since
    AND (CAST(:group_id AS BIGINT) IS NULL OR deliveries.group_id = CAST(:group_id AS BIGINT))
ORDER BY deliveries.id LIMIT :size;

-- replay: back into the inbox; what it says is folded again, and counts only where it says something else than before
WITH again (id, now) AS (VALUES :rows)
UPDATE deliveries SET state = 'waiting', replayed_at = CAST(again.now AS DOUBLE PRECISION) FROM again
WHERE deliveries.id = CAST(again.id AS BIGINT) AND deliveries.state = 'absorbed' RETURNING deliveries.id;

-- quarantine: authentic JSON that is not a notification
INSERT INTO quarantine (received_at, body, code, reason, field) VALUES (:received_at, :body, :code, :reason, :field)
RETURNING id;

-- bound_quarantine: the newest stay
DELETE FROM quarantine WHERE id <= (SELECT id FROM quarantine ORDER BY id DESC LIMIT 1 OFFSET :size);

-- quarantined: newest first
SELECT id, received_at, body, code, reason, field FROM quarantine ORDER BY id DESC LIMIT :size;

-- quarantined_body: by its number
SELECT id, received_at, body, code, reason, field FROM quarantine WHERE id = :id;

-- leave_quarantine: after a replay or on the operator's word
DELETE FROM quarantine WHERE id = :id;

-- groups_by_identity: the fingerprint as compared
WITH wanted (universe, project, fingerprint_key) AS (VALUES :rows)
SELECT groups.id, universe, project, fingerprint_key FROM wanted JOIN groups USING (universe, project, fingerprint_key);

-- groups_by_id: whole rows, about to be changed
WITH wanted (id) AS (VALUES :rows) SELECT groups.* FROM wanted JOIN groups ON groups.id = CAST(wanted.id AS BIGINT)
ORDER BY groups.id {lock};

-- lock_group: its claim and its issue are about to be changed; an absorber takes the same locks in the same order
SELECT id FROM groups WHERE id = :group_id {lock};

-- group_by_id: the whole row
SELECT * FROM groups WHERE id = :group_id;

-- new_groups: empty rows, so that everything that follows has an id to point to
WITH new (universe, project, fingerprint, fingerprint_key) AS (VALUES :rows)
INSERT INTO groups (universe, project, fingerprint, fingerprint_key, callstack, classifiers, occurrences, approximate,
    notifications, revision)
SELECT universe, project, fingerprint, fingerprint_key, '[]', '[]', 0, 0, 0, 0 FROM new WHERE true
RETURNING id, universe, project, fingerprint_key;

-- save_groups: rows that are there, brought up to date but for the decision; the insert never happens
INSERT INTO groups (id, universe, project, fingerprint, fingerprint_key, application, group_url, callstack, object_id,
    classifiers, occurrences, approximate, notifications, hosts, users, first_seen, last_seen, attributes, trail, signature,
    revision)
VALUES :rows
ON CONFLICT (id) DO UPDATE SET application = excluded.application, group_url = excluded.group_url,
    callstack = excluded.callstack, object_id = excluded.object_id, classifiers = excluded.classifiers,
    occurrences = excluded.occurrences, approximate = excluded.approximate, notifications = excluded.notifications,
    hosts = excluded.hosts, users = excluded.users, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
    attributes = excluded.attributes, trail = excluded.trail, signature = excluded.signature, revision = excluded.revision;

-- group_releases: a stable order
SELECT release, occurrences, approximate, first_seen, last_seen, since, until, noticed_at, grown_at FROM releases WHERE group_id = :group_id
ORDER BY release;

-- releases_of_groups: the same for many
WITH wanted (id) AS (VALUES :rows)
SELECT group_id, release, occurrences, approximate, first_seen, last_seen, since, until, noticed_at, grown_at FROM wanted
JOIN releases ON releases.group_id = CAST(wanted.id AS BIGINT) ORDER BY group_id, release;

-- save_releases: a row is only ever added or brought up to date
INSERT INTO releases (group_id, release, occurrences, approximate, first_seen, last_seen, since, until, noticed_at, grown_at)
VALUES :rows
ON CONFLICT (group_id, release) DO UPDATE SET occurrences = excluded.occurrences, approximate = excluded.approximate,
    first_seen = excluded.first_seen, last_seen = excluded.last_seen, since = excluded.since, until = excluded.until,
    noticed_at = excluded.noticed_at, grown_at = excluded.grown_at;

-- remember_folded: what is not in the answer is an exact redelivery
INSERT INTO folded (group_id, digest, folded_at) VALUES :rows ON CONFLICT (group_id, digest) DO NOTHING
RETURNING group_id, digest;

-- purge_folded: a redelivery later than the retention is judged by its timestamps alone
DELETE FROM folded WHERE (group_id, digest) IN (
    SELECT group_id, digest FROM folded WHERE folded_at < :before ORDER BY folded_at LIMIT :size);

-- owe: the group owes its tracker a call. A claimed row keeps its lease, a backed-off one its patience; a dead one revives.
WITH owing (group_id, tracker, due_at, rank) AS (VALUES :rows)
INSERT INTO outbox (group_id, tracker, state, due_at, attempts, rank)
SELECT CAST(group_id AS BIGINT), tracker, 'waiting', CAST(due_at AS DOUBLE PRECISION), 0, CAST(rank AS INTEGER)
FROM owing WHERE true
ON CONFLICT (group_id) DO UPDATE SET
    state = CASE outbox.state WHEN 'dead' THEN 'waiting' ELSE outbox.state END,
    attempts = CASE outbox.state WHEN 'dead' THEN 0 ELSE outbox.attempts END,
    rank = CASE outbox.state WHEN 'claimed' THEN outbox.rank ELSE excluded.rank END,
    tracker = CASE outbox.state WHEN 'claimed' THEN outbox.tracker ELSE excluded.tracker END,
    due_at = CASE
        WHEN outbox.state = 'dead' THEN excluded.due_at
        WHEN outbox.state = 'claimed' OR outbox.attempts > 0 OR outbox.due_at < excluded.due_at THEN outbox.due_at
        ELSE excluded.due_at END;

-- next_due: when the next group of a tracker is due for each kind of call, without touching it
SELECT ranks.rank, (SELECT due_at FROM outbox WHERE tracker = :tracker AND outbox.rank = ranks.rank AND state <> 'dead'
    ORDER BY due_at LIMIT 1) AS due_at
FROM (SELECT 0 AS rank UNION ALL SELECT 1 UNION ALL SELECT 2) AS ranks;

-- claim_group: the longest due first, a claim whose lease is over like any other; none for a tracker that rests
UPDATE outbox SET state = 'claimed', owner = :owner, due_at = :leased_until WHERE group_id = (
    SELECT group_id FROM outbox WHERE tracker = :tracker AND rank = :rank AND state <> 'dead' AND due_at <= :now
    ORDER BY due_at LIMIT 1 {skip_locked})
AND NOT EXISTS (SELECT 1 FROM trackers WHERE name = :tracker AND trackers.state = 'paused'
    AND (until IS NULL OR (until > :now AND until <= :horizon)))
RETURNING group_id, attempts, (SELECT trackers.state FROM trackers WHERE name = :tracker) AS standing;

-- begin_trial: whoever claims first after a rest tries alone; for the others it goes on
UPDATE trackers SET until = :leased_until WHERE name = :tracker AND state = 'paused' AND (until <= :now OR until > :horizon);

-- end_trial: it tried nothing after all; the next one may
UPDATE trackers SET until = :until WHERE name = :tracker AND state = 'paused' AND cause = 'misconfigured';

-- heal_due: a due time beyond any back-off was written by a clock that has been set back since; a claim starts its lease anew
UPDATE outbox SET due_at = CASE state WHEN 'claimed' THEN :leased_until ELSE :now END
WHERE tracker = :tracker AND rank IN (0, 1, 2) AND state <> 'dead' AND due_at > :horizon;

-- renew: proof, inside a transaction, that the claim is still ours
UPDATE outbox SET due_at = :leased_until WHERE group_id = :group_id AND owner = :owner;

-- live_issue: the one issue of a group
SELECT * FROM issues WHERE group_id = :group_id AND state <> 'retired';

-- live_issues: the same for many
WITH wanted (id) AS (VALUES :rows)
SELECT issues.* FROM wanted JOIN issues ON issues.group_id = CAST(wanted.id AS BIGINT) AND issues.state <> 'retired';

-- want_issue: a first row; the unique index keeps it the only one
INSERT INTO issues (group_id, tracker, state, marker, attempt, floor, synced_revision, previous)
VALUES (:group_id, :tracker, 'wanted', :marker, 0, 0, 0, :previous)
ON CONFLICT (group_id) WHERE state <> 'retired' DO NOTHING;

-- retired: how many issues of the group were given up before
SELECT COUNT(*) AS issues FROM issues WHERE group_id = :group_id AND state = 'retired';

-- intend: on disk before the request; only a wanted issue may be asked for
UPDATE issues SET state = 'intended', tracker = :tracker, marker = :marker, attempt = attempt + 1, sent_at = :now, sent_by = :owner,
    sent_revision = :revision, route = :route, baseline = :baseline, probes = 0, probed_since = NULL, probe_at = NULL, note = NULL,
    floor = COALESCE((SELECT trackers.floor FROM trackers WHERE trackers.name = :tracker), 0)
WHERE group_id = :group_id AND state = 'wanted';

-- link: the answer came, or a probe found it. An answer that comes after all proof beats the proof, until another is under way.
UPDATE issues SET state = 'linked', remote_id = :remote_id, key = :key, url = :url, note = :note, cause = NULL,
    synced_revision = sent_revision, synced_at = :now, looked_at = :now
WHERE group_id = :group_id AND state IN ('intended', 'in_doubt', 'wanted', 'parked') AND remote_id IS NULL AND sent_by = :sender;

-- add_double: another live issue of the group was found in the tracker
UPDATE issues SET doubles = CASE WHEN doubles IS NULL THEN :key ELSE doubles || ', ' || :key END
WHERE group_id = :group_id AND state <> 'retired' AND (remote_id IS NULL OR remote_id <> :remote_id);

-- raise_floor: numbers of a tracker only rise
INSERT INTO trackers (name, state, floor) VALUES (:tracker, 'ok', :number)
ON CONFLICT (name) DO UPDATE SET floor = CASE WHEN trackers.floor < excluded.floor THEN excluded.floor ELSE trackers.floor END;

-- floor_read: the tracker itself said so
UPDATE trackers SET floor_at = :now WHERE name = :tracker;

-- floor: the highest number known, and when it was last asked for
SELECT floor, floor_at FROM trackers WHERE name = :tracker;

-- end_intent: certainly nothing was created and it may be asked for again, or nobody knows
UPDATE issues SET state = :state, note = :note WHERE group_id = :group_id AND state = 'intended' AND sent_by = :owner;

-- doubt_expired: whoever sent this create lost its lease without saying what became of it
UPDATE issues SET state = 'in_doubt', note = :note
WHERE group_id = :group_id AND state = 'intended' AND sent_by <> :owner;

-- probed: one more clean probe found nothing
UPDATE issues SET probes = probes + 1, probe_at = :probe_at,
    probed_since = CASE WHEN probed_since <= :tracker_clock THEN probed_since ELSE :tracker_clock END
WHERE group_id = :group_id AND state = 'in_doubt';

-- probe_later: when to look
UPDATE issues SET probe_at = :probe_at WHERE group_id = :group_id AND state = 'in_doubt';

-- absent: proven not to exist; it may be asked for again
UPDATE issues SET state = 'wanted', note = :note WHERE group_id = :group_id AND state = 'in_doubt';

-- park: nothing more is sent until a person decides; a deleted issue is left alone
UPDATE issues SET state = 'parked', note = :note, cause = :cause WHERE group_id = :group_id AND (state = 'in_doubt' OR (state = 'linked' AND :cause <> 'doubt'));

-- retire: given up for another one
UPDATE issues SET state = 'retired', note = :note WHERE group_id = :group_id AND state IN ('linked', 'parked');

-- unpark_doubt: look again, from the beginning
UPDATE issues SET state = 'in_doubt', cause = NULL, probes = 0, probed_since = NULL, probe_at = :now
WHERE group_id = :group_id AND state = 'parked' AND remote_id IS NULL;

-- unpark_absent: a person has looked, and there is none
UPDATE issues SET state = 'wanted', cause = NULL, note = :note
WHERE group_id = :group_id AND state = 'parked' AND remote_id IS NULL;

-- unpark_linked: a person has made it reachable again
UPDATE issues SET state = 'linked', cause = NULL, note = NULL
WHERE group_id = :group_id AND state = 'parked' AND remote_id IS NOT NULL;

-- drop_parked: a person leaves it as it is
UPDATE issues SET cause = 'discarded' WHERE group_id = :group_id AND state = 'parked';

-- move_issue: it has another address
UPDATE issues SET remote_id = :remote_id, key = :key, url = :url, looked_at = :now
WHERE group_id = :group_id AND state = 'linked';

-- see_issue: where it is, and how people left it; one that may be written to again is brought up to date where it has a comment for that
UPDATE issues SET remote_id = :remote_id, key = :key, url = :url, looked_at = :now, condition = :condition, baseline = :baseline,
    synced_revision = CASE WHEN :opened = 1 AND comment_id IS NOT NULL THEN 0 ELSE synced_revision END
WHERE group_id = :group_id AND state = 'linked';

-- follow_issue: it was closed as a duplicate of this one, which stands for the group from now on
UPDATE issues SET remote_id = :remote_id, key = :key, url = :url, looked_at = NULL, condition = NULL, comment_id = NULL,
    comment_sent_at = NULL, comment_text = NULL, comment_losses = 0, followed = :followed, note = :note, synced_revision = 0
WHERE group_id = :group_id AND state = 'linked';

-- issue_at: whose issue is there
SELECT groups.id, groups.fingerprint FROM issues JOIN groups ON groups.id = issues.group_id
WHERE issues.tracker = :tracker AND issues.remote_id = :remote_id AND issues.state <> 'retired';

-- linked_issues: for a survey, a bounded bite at a time
SELECT * FROM issues WHERE tracker = :tracker AND state = 'linked' AND id > :after ORDER BY id LIMIT :size;

-- announcements: all that an issue ever told its readers, and what it owes them
SELECT * FROM announcements WHERE issue_id = :issue_id ORDER BY id;

-- announce: at most once for each occasion and subject
INSERT INTO announcements (issue_id, occasion, subject, facts, marker, state)
SELECT id, :occasion, :subject, :facts, :marker, 'wanted' FROM issues WHERE group_id = :group_id AND state = 'linked'
ON CONFLICT (issue_id, occasion, subject) DO NOTHING;

-- save_announcement: how far it got; sent is on disk before the request
UPDATE announcements SET state = :state, sent_at = :sent_at, probes = :probes, comment_id = :comment_id WHERE id = :id;

-- answered: the releases of regressions since an issue was closed that it need not be told of again
SELECT release FROM regressions WHERE group_id = :group_id AND closed_at = :closed_at AND answer <> 'pending';

-- regress: one line for each release after each closing
INSERT INTO regressions (group_id, issue_key, release, fixed_in, closed_at, occurrences, answer, at)
VALUES (:group_id, :issue_key, :release, :fixed_in, :closed_at, :occurrences, :answer, :now)
ON CONFLICT (group_id, closed_at, release) DO NOTHING;

-- answer: what became of it
UPDATE regressions SET answer = :answer WHERE group_id = :group_id AND closed_at = :closed_at AND answer = 'pending';

-- regressions_of: of the groups of a project, for `releases`
SELECT regressions.*, groups.fingerprint FROM regressions JOIN groups ON groups.id = regressions.group_id
WHERE groups.project = :project ORDER BY regressions.id;

-- last_retired: the issue that a group had before
SELECT key, url, remote_id FROM issues WHERE group_id = :group_id AND state = 'retired' AND remote_id IS NOT NULL
ORDER BY id DESC LIMIT 1;

-- look_alikes: groups with the same application and frames that are filed
SELECT issues.key, issues.url, issues.remote_id FROM groups JOIN issues ON issues.group_id = groups.id AND issues.state = 'linked'
WHERE groups.signature = (SELECT signature FROM groups WHERE id = :group_id) AND groups.id <> :group_id
    AND issues.tracker = :tracker ORDER BY groups.last_seen DESC NULLS LAST LIMIT :size;

-- quiet_groups: open issues whose crash was not seen since, for a remark; the trail's last point is judged by the caller
SELECT groups.id FROM groups JOIN issues ON issues.group_id = groups.id AND issues.state = 'linked'
WHERE issues.tracker = :tracker AND groups.last_seen < :before
    AND NOT EXISTS (SELECT 1 FROM announcements WHERE issue_id = issues.id AND occasion = 'quiet')
ORDER BY groups.id LIMIT :size;

-- aliases_of: the groups whose occurrences this one's issue shows besides
SELECT groups.* FROM aliases JOIN groups ON groups.id = aliases.group_id WHERE aliases.target_id = :group_id ORDER BY groups.id;

-- target_of: the group whose issue shows this one's occurrences
SELECT groups.* FROM aliases JOIN groups ON groups.id = aliases.target_id WHERE aliases.group_id = :group_id;

-- targets: the same for many
WITH wanted (id) AS (VALUES :rows)
SELECT aliases.group_id, aliases.target_id FROM wanted JOIN aliases ON aliases.group_id = CAST(wanted.id AS BIGINT);

-- all_aliases: for people
SELECT aliases.group_id, one.fingerprint, one.project, aliases.target_id, other.fingerprint AS target, aliases.reason, aliases.at
FROM aliases JOIN groups AS one ON one.id = aliases.group_id JOIN groups AS other ON other.id = aliases.target_id
ORDER BY aliases.at DESC;

-- add_alias: what followed it follows the same target from now on
INSERT INTO aliases (group_id, target_id, reason, at) VALUES (:group_id, :target_id, :reason, :now)
ON CONFLICT (group_id) DO UPDATE SET target_id = excluded.target_id, reason = excluded.reason, at = excluded.at;

-- retarget_aliases: an alias of an alias would show its occurrences nowhere
UPDATE aliases SET target_id = :target_id WHERE target_id = :group_id;

-- remove_alias: it stands for itself again
DELETE FROM aliases WHERE group_id = :group_id;

-- bump: its issue has something else to show
UPDATE groups SET revision = revision + 1 WHERE id = :group_id;

-- retire_live: another issue shows its occurrences from now on
UPDATE issues SET state = 'retired', note = :note WHERE group_id = :group_id AND state IN ('wanted', 'linked', 'parked');

-- forget_waiting: nothing is owed for it, unless it is in hand
DELETE FROM outbox WHERE group_id = :group_id AND state <> 'claimed';

-- issues_since: how many issues a route has filed between two times, and when the oldest of these was sent
SELECT COUNT(*) AS issues, MIN(sent_at) AS oldest FROM issues JOIN groups ON groups.id = issues.group_id
WHERE issues.route = :route AND issues.sent_at > :since AND issues.sent_at <= :until AND groups.kind = 'crash'
    AND issues.state <> 'wanted';

-- storm: the one a route is in
SELECT storms.since, storms.held_at, groups.id, groups.fingerprint FROM storms JOIN groups ON groups.id = storms.group_id
WHERE storms.route = :route;

-- storms: all there are
SELECT storms.route, storms.since, storms.held_at, storms.group_id FROM storms ORDER BY storms.route;

-- begin_storm: one for each route
INSERT INTO storms (route, group_id, since, held_at) VALUES (:route, :group_id, :now, :now) ON CONFLICT (route) DO NOTHING;

-- storm_goes_on: one more group was held back
UPDATE storms SET held_at = :now WHERE route = :route;

-- end_storm: all that it held back was let through
DELETE FROM storms WHERE route = :route;

-- mark_storm: what stands for a storm is no crash
UPDATE groups SET kind = 'storm', first_seen = :second, last_seen = :second, revision = revision + 1 WHERE id = :group_id;

-- stormy: how many groups a route holds back
SELECT COUNT(*) AS groups FROM groups WHERE decision_rule = 'storm' AND route = :route AND kind = 'crash';

-- largest_stormy: the first to be let through
SELECT id, fingerprint, callstack, users, occurrences FROM groups
WHERE decision_rule = 'storm' AND route = :route AND kind = 'crash' ORDER BY COALESCE(users, 0) DESC, occurrences DESC, id LIMIT :size;

-- let_through: it is judged again
UPDATE groups SET decision = 'wait', decision_rule = :rule, decision_reason = :reason, decided_at = :now WHERE id = :group_id;

-- let_through_by: those of a route that a storm let through and that are not filed yet
SELECT COUNT(*) AS groups FROM groups WHERE decision_rule = 'let-through' AND route = :route;

-- held_by_rule: the groups that a rule of a route holds
SELECT id FROM groups WHERE decision = 'hold' AND decision_rule = :rule AND route = :route ORDER BY id;

-- pause_route: on an operator's word
INSERT INTO route_pauses (route, reason, at) VALUES (:route, :reason, :now)
ON CONFLICT (route) DO UPDATE SET reason = excluded.reason, at = excluded.at;

-- resume_route: on an operator's word
DELETE FROM route_pauses WHERE route = :route;

-- route_pauses: all there are
SELECT route, reason, at FROM route_pauses ORDER BY route;

-- drop_claim: nothing is owed for the group
DELETE FROM outbox WHERE group_id = :group_id AND owner = :owner;

-- wake_route: what a pause put off is due now
UPDATE outbox SET due_at = :now WHERE state = 'waiting' AND group_id IN (SELECT id FROM groups WHERE decision_rule = :rule);

-- route_pause: one
SELECT reason FROM route_pauses WHERE route = :route;

-- save_status: how far the status comment got; sent is on disk before the request, as for the issue itself
UPDATE issues SET comment_id = :comment_id, comment_sent_at = :sent_at, comment_probes = :probes, comment_text = :text,
    comment_losses = :losses
WHERE group_id = :group_id AND marker = :marker AND state = 'linked';

-- synced: the issue shows this revision; NULL keeps the baseline of a closed one
UPDATE issues SET synced_revision = :revision, synced_at = :now, baseline = COALESCE(:baseline, baseline)
WHERE group_id = :group_id AND state = 'linked';

-- shows: nothing of this revision is to be shown
UPDATE issues SET synced_revision = :revision WHERE group_id = :group_id AND state = 'linked' AND synced_revision < :revision;

-- update_tried: it was refused; the next try waits as long as after a success
UPDATE issues SET synced_at = :now WHERE group_id = :group_id AND state = 'linked';

-- settle: nothing is owed any more, unless the group has changed meanwhile, or its issue was linked by someone late
DELETE FROM outbox WHERE group_id = :group_id AND owner = :owner
    AND :revision = (SELECT revision FROM groups WHERE id = :group_id)
    AND NOT EXISTS (SELECT 1 FROM issues WHERE group_id = :group_id AND state = 'linked' AND synced_revision < :revision);

-- release_claim: give it back, due at a time for a kind of call
UPDATE outbox SET state = 'waiting', owner = NULL, due_at = :due_at, attempts = :attempts, reason = :reason, rank = :rank
WHERE group_id = :group_id AND owner = :owner;

-- bury: not tried again until a person or another content says so
UPDATE outbox SET state = 'dead', owner = NULL, reason = :reason, due_at = :now WHERE group_id = :group_id AND owner = :owner;

-- refuse: this content will never be taken; NULL forgets it
UPDATE groups SET refused = :content WHERE id = :group_id;

-- dead_letter: one, if it is such
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts,
    COALESCE(issues.tracker, outbox.tracker) AS letter_tracker
FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id AND outbox.state = 'dead'
LEFT JOIN issues ON issues.group_id = groups.id AND issues.state = 'parked'
WHERE groups.id = :group_id AND (outbox.group_id IS NOT NULL OR issues.group_id IS NOT NULL);

-- dead_letters: what its tracker refused, and what is parked; the newest first
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts,
    COALESCE(issues.tracker, outbox.tracker) AS letter_tracker
FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id AND outbox.state = 'dead'
LEFT JOIN issues ON issues.group_id = groups.id AND issues.state = 'parked'
WHERE groups.id IN (SELECT group_id FROM outbox WHERE state = 'dead' UNION SELECT group_id FROM issues WHERE state = 'parked')
ORDER BY groups.decided_at DESC NULLS LAST, groups.id LIMIT :size;

-- revive: a dead letter is tried again
UPDATE outbox SET state = 'waiting', due_at = :now, attempts = 0, reason = NULL WHERE group_id = :group_id AND state = 'dead';

-- discard_dead: a dead letter is given up
DELETE FROM outbox WHERE group_id = :group_id AND state = 'dead';

-- decide: the latest decision, shown with the group
UPDATE groups SET decision = :action, decision_reason = :reason, decision_rule = :rule, route = COALESCE(:route, route), decided_at = :now
WHERE id = :group_id;

-- decision: the one before
SELECT decision, decision_reason, decision_rule FROM groups WHERE id = :group_id;

-- record: what was done and why, for `explain`
INSERT INTO history (group_id, at, action, reason, outcome, rule, inputs, done)
VALUES (:group_id, :now, :action, :reason, :outcome, :rule, :inputs, :done);

-- pause: the tracker rests until a time, NULL until somebody says otherwise
INSERT INTO trackers (name, state, reason, until, cause, attempts, floor)
VALUES (:tracker, 'paused', :reason, :until, :cause, :attempts, 0)
ON CONFLICT (name) DO UPDATE SET state = 'paused', reason = excluded.reason, until = excluded.until, cause = excluded.cause,
    attempts = excluded.attempts;

-- resume: it answered again. What an operator paused, only an operator resumes.
UPDATE trackers SET state = 'ok', reason = NULL, until = NULL, cause = NULL, attempts = 0
WHERE name = :tracker AND state <> 'ok' AND (COALESCE(cause, '') <> 'operator' OR :operator = 1);

-- tracker: how it stands
SELECT name, state, reason, until, cause, attempts FROM trackers WHERE name = :tracker;

-- trackers: all that were ever spoken of
SELECT name, state, reason, until, cause FROM trackers ORDER BY name;

-- retry_rested: a new start tries at once what rested for a fault of its configuration
UPDATE trackers SET until = :now WHERE state = 'paused' AND until > :now;

-- silence: asked for until a time; a longer one stands
INSERT INTO silences (credential, part, until, reason) VALUES (:credential, :part, :until, :reason)
ON CONFLICT (credential, part) DO UPDATE SET reason = excluded.reason,
    until = CASE WHEN silences.until > excluded.until AND silences.until <= :horizon THEN silences.until ELSE excluded.until END;

-- silences: those in force, and those that a clock wrote which has been set back since
SELECT part, until, reason FROM silences WHERE credential = :credential;

-- break_silence: on the operator's word
DELETE FROM silences WHERE credential = :credential;

-- budget: what is left
SELECT allowance, tokens, at FROM budgets WHERE credential = :credential;

-- spend: what is left now
INSERT INTO budgets (credential, allowance, tokens, at) VALUES (:credential, :allowance, :tokens, :at)
ON CONFLICT (credential, allowance) DO UPDATE SET tokens = excluded.tokens, at = excluded.at;

-- owed_by_tracker: who has to be called how often
SELECT tracker, COUNT(*) AS groups FROM outbox WHERE state <> 'dead' GROUP BY tracker;

-- recall: one fact
SELECT value FROM tracker_facts WHERE tracker = :tracker AND fact = :fact;

-- note: facts are replaced
INSERT INTO tracker_facts (tracker, fact, value) VALUES (:tracker, :fact, :value)
ON CONFLICT (tracker, fact) DO UPDATE SET value = excluded.value;

-- wake_dry: what a dry run only spoke of is due now
UPDATE outbox SET due_at = :now, reason = NULL WHERE state = 'waiting' AND reason = :reason;

-- forget_homes: a tracker that never held an issue may still be pointed elsewhere
DELETE FROM tracker_facts WHERE tracker NOT IN (SELECT tracker FROM issues WHERE state <> 'wanted');

-- forget_floors: the numbers of another place would hide what was made below them
UPDATE trackers SET floor = 0, floor_at = NULL WHERE name NOT IN (SELECT tracker FROM issues WHERE state <> 'wanted');

-- beat: a process shows that it lives
INSERT INTO instances (owner, host, machine, pid, begun, part, version, started_at, beat_at)
VALUES (:owner, :host, :machine, :pid, :begun, :part, :version, :started_at, :beat_at)
ON CONFLICT (owner) DO UPDATE SET beat_at = excluded.beat_at;

-- instances: the longest running first
SELECT owner, host, machine, pid, begun, part, version, started_at, beat_at FROM instances ORDER BY started_at, owner;

-- forget_instance: it left, or died
DELETE FROM instances WHERE owner = :owner;

-- owners: who holds claims or intents
SELECT owner FROM outbox WHERE owner IS NOT NULL UNION SELECT sent_by FROM issues WHERE state = 'intended';

-- free_claims: a dead owner's groups are due now
UPDATE outbox SET state = 'waiting', owner = NULL, due_at = :now WHERE owner = :owner;

-- rank_doubtful: a group whose create is in doubt waits to be looked for
UPDATE outbox SET rank = 1 WHERE state = 'waiting' AND rank = 0
    AND group_id IN (SELECT group_id FROM issues WHERE state = 'in_doubt');

-- doubt_dead: a dead owner's creates may have been carried out
UPDATE issues SET state = 'in_doubt', note = :note WHERE state = 'intended' AND sent_by = :owner;

-- owe_doubtful: whoever is in doubt is looked for
INSERT INTO outbox (group_id, tracker, state, due_at, attempts, rank)
SELECT group_id, tracker, 'waiting', :now, 0, 1 FROM issues WHERE state = 'in_doubt'
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.group_id = issues.group_id);

-- unsettled_groups: groups that are held, owe a call, or were never judged, for a new configuration
SELECT groups.* FROM groups LEFT JOIN outbox ON outbox.group_id = groups.id
LEFT JOIN issues ON issues.group_id = groups.id AND issues.state <> 'retired'
WHERE groups.id > :after AND (issues.id IS NULL OR issues.state = 'wanted') AND groups.kind = 'crash'
    AND NOT EXISTS (SELECT 1 FROM aliases WHERE aliases.group_id = groups.id) ORDER BY groups.id LIMIT :size;

-- move: a group that has no issue yet follows its route
UPDATE outbox SET tracker = :tracker WHERE group_id = :group_id AND state <> 'claimed';

-- setting: one value
SELECT value FROM settings WHERE name = :name;

-- set: replaced
INSERT INTO settings (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- unset: forgotten
DELETE FROM settings WHERE name = :name;

-- set_once: the first writer wins
INSERT INTO settings (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING;

-- counts: everything `status` counts, each from an index
SELECT
    (SELECT COUNT(*) FROM deliveries WHERE state = 'waiting') AS inbox_waiting,
    (SELECT COUNT(*) FROM outbox WHERE state <> 'dead' AND due_at <= :now) AS outbox_due,
    (SELECT COUNT(*) FROM outbox WHERE state <> 'dead' AND due_at > :now) AS outbox_waiting,
    (SELECT COUNT(*) FROM outbox WHERE state = 'dead') AS dead,
    (SELECT COUNT(*) FROM issues WHERE state = 'linked') AS linked,
    (SELECT COUNT(*) FROM issues WHERE state IN ('intended', 'in_doubt')) AS in_doubt,
    (SELECT COUNT(*) FROM issues WHERE state = 'parked' AND COALESCE(cause, '') NOT IN ('deleted', 'discarded')) AS parked,
    (SELECT COUNT(*) FROM issues WHERE state = 'parked' AND cause IN ('deleted', 'discarded')) AS dropped,
    (SELECT COUNT(*) FROM issues WHERE doubles IS NOT NULL) AS doubles,
    (SELECT COUNT(*) FROM groups WHERE decision = 'hold' AND kind = 'crash') AS held,
    (SELECT COUNT(*) FROM storms) AS storms,
    (SELECT COUNT(*) FROM quarantine) AS quarantined;

-- all_groups: latest first
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id WHERE groups.kind = 'crash' ORDER BY last_seen DESC NULLS LAST, groups.id LIMIT :size;

-- how_many: groups
SELECT COUNT(*) AS groups FROM groups WHERE kind = 'crash';

-- groups_by_prefix: a fingerprint or its beginning, in any universe and project
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id
WHERE substr(lower(fingerprint), 1, length(CAST(:prefix AS TEXT))) = lower(CAST(:prefix AS TEXT))
ORDER BY groups.id LIMIT :size;

-- group_history: latest last
SELECT at, action, reason, outcome, rule, inputs FROM history WHERE group_id = :group_id ORDER BY id DESC LIMIT :size;

-- shift_outbox: after the clock was set back by so much, leases, back-offs and intervals last as long as before
UPDATE outbox SET due_at = due_at + :by WHERE state <> 'dead';

-- shift_issues: the same for the times at which an issue is probed, written and looked at
UPDATE issues SET sent_at = sent_at + :by, probe_at = probe_at + :by, comment_sent_at = comment_sent_at + :by,
    synced_at = synced_at + :by, looked_at = looked_at + :by WHERE state <> 'retired';

-- shift_trackers: the same for rests of trackers
UPDATE trackers SET until = until + :by, floor_at = floor_at + :by;

-- shift_budgets: the same for budgets, which would not refill before the time of their last write is reached again
UPDATE budgets SET at = at + :by;

-- shift_silences: the same for the silence that a tracker asked for
UPDATE silences SET until = until + :by;

-- forget_look: it is to be looked at before anything else
UPDATE issues SET looked_at = NULL, synced_revision = 0 WHERE group_id = :group_id AND state = 'linked';

-- groups_of_project: in all universes; an alias is seen in the group it follows
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id
WHERE groups.project = :project AND groups.kind = 'crash'
    AND NOT EXISTS (SELECT 1 FROM aliases WHERE aliases.group_id = groups.id) ORDER BY groups.id;

-- projects: by name
SELECT DISTINCT project FROM groups WHERE kind = 'crash' ORDER BY project;

-- held_counts: how many groups each rule of each route holds
SELECT decision_rule AS rule, route, COUNT(*) AS groups FROM groups WHERE decision = 'hold' AND kind = 'crash'
GROUP BY decision_rule, route ORDER BY groups DESC;

-- held_groups: the largest first
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id WHERE groups.decision = 'hold' AND groups.kind = 'crash'
ORDER BY COALESCE(groups.users, 0) DESC, groups.occurrences DESC, groups.id LIMIT :size;

-- _wanted: which groups a list shows; what is NULL is not asked for
groups.kind = 'crash'
    AND (CAST(:project AS TEXT) IS NULL OR groups.project = CAST(:project AS TEXT))
    AND (CAST(:release AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM releases
        WHERE releases.group_id = groups.id AND releases.release = CAST(:release AS TEXT)))
    AND (CAST(:state AS TEXT) IS NULL
        OR (CAST(:state AS TEXT) = 'filed' AND EXISTS (SELECT 1 FROM issues WHERE issues.group_id = groups.id AND issues.state = 'linked'))
        OR (CAST(:state AS TEXT) = 'held' AND groups.decision = 'hold')
        OR (CAST(:state AS TEXT) = 'doubt' AND EXISTS (SELECT 1 FROM issues
            WHERE issues.group_id = groups.id AND issues.state IN ('intended', 'in_doubt')))
        OR (CAST(:state AS TEXT) = 'parked' AND EXISTS (SELECT 1 FROM issues WHERE issues.group_id = groups.id AND issues.state = 'parked'))
        OR (CAST(:state AS TEXT) = 'dead' AND EXISTS (SELECT 1 FROM outbox WHERE outbox.group_id = groups.id AND outbox.state = 'dead'))
        OR (CAST(:state AS TEXT) = 'unfiled' AND NOT EXISTS (SELECT 1 FROM issues
            WHERE issues.group_id = groups.id AND issues.state IN ('linked', 'parked'))))
    AND (CAST(:text AS TEXT) IS NULL
        OR lower(groups.fingerprint) LIKE CAST(:text AS TEXT) ESCAPE '!'
        OR lower(groups.callstack) LIKE CAST(:text AS TEXT) ESCAPE '!'
        OR lower(groups.application) LIKE CAST(:text AS TEXT) ESCAPE '!'
        OR (CAST(:numbered AS BIGINT) = 1 AND EXISTS (SELECT 1 FROM issues WHERE issues.group_id = groups.id
            AND issues.state <> 'retired' AND lower(issues.key) LIKE CAST(:text AS TEXT) ESCAPE '!')));

-- groups_by_last_seen: a page, from a key to an edge; two comparisons each, as SQLite finds no place in an index on expressions by a pair
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

-- edge_by_last_seen: the first group that is not looked at for a page
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

-- _among: groups that an index finds by a state, or by their project
SELECT outbox.group_id AS id FROM outbox WHERE CAST(:among AS TEXT) = 'dead' AND outbox.state = 'dead'
    UNION ALL SELECT issues.group_id FROM issues
        WHERE CAST(:among AS TEXT) = 'doubt' AND issues.state IN ('intended', 'in_doubt')
    UNION ALL SELECT issues.group_id FROM issues WHERE CAST(:among AS TEXT) = 'parked' AND issues.state = 'parked'
    UNION ALL SELECT held.id FROM groups AS held WHERE CAST(:among AS TEXT) = 'held' AND held.decision = 'hold'
    UNION ALL SELECT its.id FROM groups AS its WHERE CAST(:among AS TEXT) = 'project' AND its.project = CAST(:project AS TEXT);

-- how_many_among: no more than are looked through for a page
SELECT COUNT(*) AS groups FROM (SELECT 1 FROM ({_among}) AS found LIMIT :most) AS counted;

-- groups_among: a page of few groups, by whatever they are sorted
SELECT id, place FROM (
    SELECT groups.id, CASE CAST(:sort AS TEXT) WHEN 'last_seen' THEN COALESCE(last_seen, 0) WHEN 'first_seen' THEN COALESCE(first_seen, 0)
        WHEN 'users' THEN COALESCE(users, 0) ELSE occurrences END AS place
    FROM groups WHERE groups.id IN ({_among}) AND {_wanted}) AS few
WHERE place <= :place AND (place < :place OR id < :after) ORDER BY place DESC, id DESC LIMIT :size;

-- group_standing: one, with what it owes
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts, outbox.due_at AS owed_at
FROM groups LEFT JOIN outbox ON outbox.group_id = groups.id WHERE groups.id = :group_id;

-- releases_of_project: each with in how many groups it was seen, how often, and when
SELECT releases.release, COUNT(*) AS groups, CAST(SUM(releases.occurrences) AS BIGINT) AS occurrences,
    MIN(releases.first_seen) AS first_seen, MAX(releases.last_seen) AS last_seen
FROM releases JOIN groups ON groups.id = releases.group_id WHERE groups.project = :project AND groups.kind = 'crash'
GROUP BY releases.release;

-- groups_of_release: those seen in a release, the one with the most users first
SELECT groups.*, outbox.state AS owed, outbox.reason AS owed_reason, outbox.attempts AS owed_attempts FROM groups
LEFT JOIN outbox ON outbox.group_id = groups.id
WHERE groups.project = :project AND groups.kind = 'crash'
    AND EXISTS (SELECT 1 FROM releases WHERE releases.group_id = groups.id AND releases.release = :release)
    AND NOT EXISTS (SELECT 1 FROM aliases WHERE aliases.group_id = groups.id)
ORDER BY COALESCE(groups.users, 0) DESC, groups.occurrences DESC, groups.id LIMIT :size;

-- deliveries_before: a page, the newest first, of all groups
SELECT deliveries.id, received_at, deliveries.state, group_id, length(body) AS size, substr(body, 1, 18) AS head,
    groups.fingerprint, groups.project
FROM deliveries LEFT JOIN groups ON groups.id = deliveries.group_id WHERE deliveries.id < :before
ORDER BY deliveries.id DESC LIMIT :size;

-- deliveries_of: the same of one group
SELECT deliveries.id, received_at, deliveries.state, group_id, length(body) AS size, substr(body, 1, 18) AS head,
    groups.fingerprint, groups.project
FROM deliveries JOIN groups ON groups.id = deliveries.group_id WHERE group_id = :group_id AND deliveries.id < :before
ORDER BY deliveries.id DESC LIMIT :size;

-- delivery: one, with its body
SELECT deliveries.id, received_at, deliveries.state, group_id, length(body) AS size, substr(body, 1, 18) AS head,
    groups.fingerprint, groups.project, body
FROM deliveries LEFT JOIN groups ON groups.id = deliveries.group_id WHERE deliveries.id = :id;

-- done_since: what trackers took, by action and span of time
SELECT CAST(FLOOR((at - :since) / :span) AS BIGINT) AS span, action, COUNT(*) AS times FROM history
WHERE at >= :since AND done = 1 GROUP BY 1, 2;

-- oldest: when what waits longest came, or was due
SELECT (SELECT received_at FROM deliveries WHERE state = 'waiting' ORDER BY id LIMIT 1) AS received_at,
    (SELECT MIN(due_at) FROM outbox WHERE state <> 'dead' AND due_at <= :now) AS due_at;

-- hold_manually: on an operator's word; NULL ends it
UPDATE groups SET on_hold = :reason WHERE id = :group_id;

-- refresh: the issue is looked at and updated at once, or a create in doubt is probed at once
UPDATE issues SET looked_at = NULL, synced_revision = CASE state WHEN 'linked' THEN 0 ELSE synced_revision END, synced_at = NULL,
    probe_at = CASE state WHEN 'in_doubt' THEN :now ELSE probe_at END
WHERE group_id = :group_id AND state IN ('linked', 'in_doubt');

-- due_now: whatever it was put off for
UPDATE outbox SET due_at = :now, attempts = 0, reason = NULL WHERE group_id = :group_id AND state = 'waiting';

-- link_by_hand: an operator says which issue stands for the group
INSERT INTO issues (group_id, tracker, state, marker, attempt, floor, synced_revision, remote_id, key, url, route, note)
VALUES (:group_id, :tracker, 'linked', :marker, 0, 0, 0, :remote_id, :key, :url, :route, :note);
