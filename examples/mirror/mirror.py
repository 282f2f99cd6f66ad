"""Keep the data of all images in mirror.db: IMAGE_API_KEY=… python mirror.py (scope images:read)."""

import json
import os
import sqlite3
import time

import requests

NOT_IN_THE_FEED = {"version", "urls", "variants", "placeholder", "duplicate_of"}


def get(path, **query):
    url = os.environ.get("IMAGE_API_URL", "http://127.0.0.1:8000") + path
    headers = {"X-API-Key": os.environ["IMAGE_API_KEY"]}
    response = requests.get(url, params=query, headers=headers, timeout=60)
    response.raise_for_status()
    return response.json()


def read_all(db):
    """Store every image; returns the cursor of the changes that happen meanwhile."""
    latest, cursor = get("/api/changes", cursor="latest")["next_cursor"], None
    db.execute("DELETE FROM images")
    while page := get("/api/images", limit=200, cursor=cursor):
        images = [{name: image[name] for name in image.keys() - NOT_IN_THE_FEED} for image in page["images"]]
        db.executemany("REPLACE INTO images VALUES (?, ?)", [(one["id"], json.dumps(one)) for one in images])
        if not (cursor := page["next_cursor"]):
            return latest


def read_changes(db, cursor):
    page = get("/api/changes", cursor=cursor, limit=1000, wait=20)  # waits only if nothing is new
    for change in page["changes"]:
        image_id, kind, after = change["subject_id"], change["type"], change["after"]
        if kind in ("image.trashed", "image.deleted"):
            db.execute("DELETE FROM images WHERE id = ?", (image_id,))
        elif after and kind in ("image.uploaded", "image.restored"):  # null: a later change deletes it
            db.execute("REPLACE INTO images VALUES (?, ?)", (image_id, json.dumps(after)))
        elif after and kind == "image.changed":
            for (old,) in db.execute("SELECT image FROM images WHERE id = ?", (image_id,)).fetchall():
                new = json.dumps(json.loads(old) | after)
                db.execute("UPDATE images SET image = ? WHERE id = ?", (new, image_id))
    return page["next_cursor"]


db = sqlite3.connect("mirror.db")
db.execute("CREATE TABLE IF NOT EXISTS images (id TEXT PRIMARY KEY, image TEXT)")
db.execute("CREATE TABLE IF NOT EXISTS position (id INTEGER PRIMARY KEY, cursor TEXT)")
while True:
    saved = db.execute("SELECT cursor FROM position").fetchone()
    try:
        with db:  # one transaction for the images and their cursor
            cursor = read_changes(db, saved[0]) if saved else read_all(db)
            db.execute("REPLACE INTO position VALUES (1, ?)", (cursor,))
    except requests.RequestException as error:
        print(error, flush=True)
        if getattr(error.response, "status_code", None) == 410:  # the feed lacks the next change: read all
            db.execute("DELETE FROM position")
        time.sleep(5)
