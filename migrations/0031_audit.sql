-- Who changed what: a row for each change that an operator made, written in the transaction of the change. `actor` is `cli:USER`,
-- `console:LOGIN` or `sso:NAME`; `subject` is a fingerprint or a name. A line of a group's history names the operator who caused it.

CREATE TABLE audit (
    id {identity},
    at DOUBLE PRECISION NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    group_id BIGINT REFERENCES groups (id),
    detail TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);

ALTER TABLE history ADD COLUMN actor TEXT;
