-- Which configured source sent a delivery; NULL for the sender at /webhooks/backtrace.
ALTER TABLE deliveries ADD COLUMN source TEXT;
ALTER TABLE quarantine ADD COLUMN source TEXT;

-- What a source besides Backtrace reports of a crash, its first line the title; and its last word on whether the crash is resolved, as JSON.
ALTER TABLE groups ADD COLUMN message TEXT;
ALTER TABLE groups ADD COLUMN source_state TEXT;
