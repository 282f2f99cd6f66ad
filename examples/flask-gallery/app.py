"""A small gallery: Flask renders the page, image-api stores the images. The API key stays on the server."""

import json
import os
import uuid
from typing import Any

import requests
from flask import Flask, redirect, render_template_string, request, url_for

BASE_URL = os.environ.get("IMAGE_API_URL", "http://127.0.0.1:8000")
API_KEY = os.environ.get("IMAGE_API_KEY", "your-api-key-here")

PAGE = """<!doctype html><title>Gallery</title>
{% if error %}<p role="alert">{{ error }}</p>{% endif %}
<form method="post" action="{{ url_for('upload') }}" enctype="multipart/form-data">
  <input type="hidden" name="upload_key" value="{{ upload_key }}"> <input type="file" name="file" required>
  <input name="title" placeholder="Title"> <button>Upload</button></form>
<form><input name="q" value="{{ q or '' }}" placeholder="Search"> <button>Search</button></form>
{% for image in images %}
  <form method="post" action="{{ url_for('delete', image_id=image.id) }}">
    <a href="{{ image.urls.preview }}"><img src="{{ image.urls.thumbnail }}" alt="{{ image.title }}"></a>
    <br>{{ image.title }} <button>Delete</button></form>
{% endfor %}"""

app = Flask(__name__)


def call(method: str, path: str, **options: Any) -> requests.Response:
    """Send a request to image-api. Raises requests.HTTPError if it is refused."""
    headers = {"X-API-Key": API_KEY, **options.pop("headers", {})}
    response = requests.request(method, BASE_URL + path, headers=headers, timeout=60, **options)
    response.raise_for_status()
    return response


@app.get("/")
def index(error: str = "") -> str:
    q = request.args.get("q") or None  # requests omits a parameter that is None
    images = call("GET", "/api/images", params={"q": q}).json()["images"]
    return render_template_string(PAGE, images=images, q=q, upload_key=uuid.uuid4(), error=error)


@app.post("/upload")
def upload() -> Any:
    file, metadata = request.files["file"], {"title": request.form["title"]}
    form = {"image_file": (file.filename, file.stream), "metadata": (None, json.dumps(metadata))}
    call("POST", "/api/upload", files=form, headers={"Idempotency-Key": request.form["upload_key"]})
    return redirect(url_for("index"))


@app.errorhandler(requests.HTTPError)
def refused(problem: requests.HTTPError) -> tuple[str, int]:
    return index(problem.response.json()["error"]["message"]), problem.response.status_code


@app.post("/images/<uuid:image_id>/delete")
def delete(image_id: uuid.UUID) -> Any:
    call("DELETE", f"/api/images/{image_id}")
    return redirect(url_for("index"))
