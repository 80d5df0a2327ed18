-- By which routes each process judges groups. Only additions: of an older program's process that is unknown, and it counts as none.
ALTER TABLE instances ADD COLUMN routes TEXT;
