-- Bodies of deliveries are kept compressed. Only additions: what an older program kept stays as it came.

-- What a store's bodies have in common, by the number that zstd puts into each frame.
CREATE TABLE dictionaries (
    id      BIGINT PRIMARY KEY,
    content BYTEA NOT NULL,
    made_at DOUBLE PRECISION NOT NULL
);
-- Which of them a body needs to be read; NULL where it needs none.
ALTER TABLE deliveries ADD COLUMN dictionary BIGINT;
