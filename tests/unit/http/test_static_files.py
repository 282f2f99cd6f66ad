"""Files that are read once, and looked up by client-supplied names. Responses: tests/unit/test_gallery.py."""

from pathlib import Path

import pytest
from imageapi.errors import NotFoundError
from imageapi.http.static_files import find_file, load_file


def test_file_is_read_and_hashed_once(tmp_path: Path) -> None:
    path, same = tmp_path / "main.js", tmp_path / "same.js"
    path.write_text("first")
    same.write_text("first")
    file = load_file(path)

    path.write_text("second")

    assert load_file(path) == file == load_file(same)
    assert (file.text, file.content_type) == ("first", "text/javascript; charset=utf-8")
    assert file.etag.strip('"').isalnum()


def test_base_is_part_of_the_page_and_of_its_etag(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text("<head><!-- base --></head>")

    assert load_file(page).text == '<head><base href="./"></head>'
    assert load_file(page, "/v1/").text == '<head><base href="/v1/"></head>'
    assert load_file(page, "/v1/").etag != load_file(page).etag


@pytest.mark.parametrize("name", ["missing.js", "", ".", "..", "folder", "folder/a.js", "../a.js", "a\0.js"])
def test_only_the_files_of_the_folder_are_found(name: str, tmp_path: Path) -> None:
    assets = tmp_path / "assets"
    (assets / "folder").mkdir(parents=True)
    for path in (assets / "folder" / "a.js", assets / "main.js", tmp_path / "a.js"):
        path.touch()

    assert find_file(assets, "main.js") == assets / "main.js"
    with pytest.raises(NotFoundError):
        find_file(assets, name)
