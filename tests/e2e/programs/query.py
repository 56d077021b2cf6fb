"""Looks into, or tampers with, a SQLite file as whoever stole it would. Blobs are written as {"hex": "..."} in both directions."""

import json
import sqlite3
import sys

path, statement, *values = json.load(sys.stdin)
values = [bytes.fromhex(v["hex"]) if isinstance(v, dict) else v for v in values]
with sqlite3.connect(path) as connection:
    rows = connection.execute(statement, values).fetchall()
print(json.dumps([[{"hex": v.hex()} if isinstance(v, bytes) else v for v in row] for row in rows]))
