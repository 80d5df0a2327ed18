-- What folding keeps in memory between two batches.

-- The batch that last wrote what folding writes into a group and its releases: a random number, NULL after any other change of it. As long as it
-- stands, the process that made the batch need not read the group again.
ALTER TABLE groups ADD COLUMN batch BIGINT;
