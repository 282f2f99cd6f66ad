"""Files that are read once, and looked up by client-supplied names."""

from pathlib import Path

import pytest
from imageapi.errors import NotFoundError
from imageapi.http.static_files import find_file, load_file


def test_file_is_read_and_hashed_once(tmp_path: Path) -> None:
    path = tmp_path / "main.js"
    path.write_text("first")
    file = load_file(path)

    path.write_text("second")

    assert load_file(path) == file
    assert (file.text, file.content_type) == ("first", "text/javascript; charset=utf-8")


def test_etag_is_that_of_the_content(tmp_path: Path) -> None:
    for name, text in {"a.css": "one", "b.css": "one", "c.css": "another"}.items():
        (tmp_path / name).write_text(text)
    one, same, another = (load_file(tmp_path / f"{name}.css").etag for name in "abc")

    assert one == same != another
    assert one.strip('"').isalnum()


def test_base_is_part_of_the_page_and_of_its_etag(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text("<head><!-- base --></head>")

    assert load_file(page).text == '<head><base href="./"></head>'
    assert load_file(page, "/v1/").text == '<head><base href="/v1/"></head>'
    assert load_file(page, "/v1/").etag != load_file(page).etag


@pytest.mark.parametrize(
    "name", ["missing.js", "", ".", "..", "folder", "folder/inside.js", "../beside.js", "a\0.js"]
)
def test_only_the_files_of_the_folder_are_found(name: str, tmp_path: Path) -> None:
    assets = tmp_path / "assets"
    (assets / "folder").mkdir(parents=True)
    for path in (assets / "folder" / "inside.js", assets / "main.js", tmp_path / "beside.js"):
        path.write_text("")

    assert find_file(assets, "main.js") == assets / "main.js"
    with pytest.raises(NotFoundError):
        find_file(assets, name)
