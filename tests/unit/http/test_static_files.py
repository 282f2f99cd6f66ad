"""Files that are read once, and looked up by client-supplied names. Responses: tests/unit/test_gallery.py."""

from pathlib import Path

import pytest
from imageapi.errors import NotFoundError
from imageapi.http.static_files import find_file, load_file


def test_file_is_read_and_hashed_once(tmp_path: Path) -> None:
    path, same = tmp_path / "index.html", tmp_path / "same.html"
    for name in (path, same):
        name.write_text('<head><base href="./"></head>')
    file, based = load_file(path), load_file(path, "/v1/")

    path.write_text("another")

    assert load_file(path) == file == load_file(same)
    assert (file.text, file.content_type) == ('<head><base href="./"></head>', "text/html; charset=utf-8")
    assert based.text == '<head><base href="/v1/"></head>'
    assert file.etag.strip('"').isalnum()
    assert file.etag != based.etag


def test_only_the_files_of_the_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "assets/folder").mkdir(parents=True)
    for path in ("assets/folder/a.js", "assets/main.js", "a.js"):
        (tmp_path / path).touch()
    assert find_file(tmp_path / "assets", "main.js") == tmp_path / "assets/main.js"
    for name in ("missing.js", "", ".", "..", "folder", "folder/a.js", "../a.js", "a\0.js"):
        with pytest.raises(NotFoundError):
            find_file(tmp_path / "assets", name)
