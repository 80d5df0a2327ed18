"""What `webhook` runs for each request: the body goes into SQLite, committed before the answer."""

import os
import sqlite3

connection = sqlite3.connect(os.environ["KEPT"], timeout=60)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("CREATE TABLE IF NOT EXISTS deliveries (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
with connection:
    connection.execute("INSERT INTO deliveries (body) VALUES (?)", [os.environ["BODY"]])
print('{"status": "accepted"}')
