-- What of a delivery's body syncd could not read and left out, such as a number that no database holds; NULL if nothing.
ALTER TABLE deliveries ADD COLUMN note TEXT;
