"""The documents, against each other and the project: links, both READMEs, and names in commands."""

import re

import pytest
from samcli.yamlhelper import yaml_parse

from tests import ROOT
from tests.support.documents import anchor, blocks, headings, links, read, rows
from tests.support.openapi import read_document

DOCUMENTS = sorted(
    str(path.relative_to(ROOT)) for folder in (ROOT, ROOT / "docs") for path in folder.glob("*.md")
)
GUIDES = ["README.md", "README.ja.md"]
GUIDES += [f"docs/{name}.md" for name in ("tutorial", "web-sites", "deploy-aws", "backup")]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_and_anchors_resolve(document: str) -> None:
    folder = (ROOT / document).parent
    broken = []
    for link in links(document):
        path, _, fragment = link.partition("#")
        target = (folder / path).resolve() if path else ROOT / document
        anchors = map(anchor, headings(str(target.relative_to(ROOT)))) if fragment and target.exists() else ()
        if not target.exists() or (fragment and fragment not in anchors):
            broken.append(link)
    assert broken == []


def test_both_readmes_have_the_same_sections_commands_and_tables() -> None:
    english, japanese = "README.md", "README.ja.md"

    levels = [[heading.split()[0] for heading in headings(page)] for page in (english, japanese)]
    assert levels[0] == levels[1]
    code = [
        [(block.language, re.sub(r" +# .*", "", block.code)) for block in blocks(page)]
        for page in (english, japanese)
    ]
    assert code[0] == code[1]
    first = [[cells[0].replace("、", ", ") for cells in rows(page)] for page in (english, japanese)]
    names = [[cell for cell in cells if "`" in cell] for cells in first]
    assert names[0] == names[1]
    assert len(first[0]) == len(first[1]) == len(names[0]) + 2  # the heads
    targets = [sorted(set(links(page)) - {english, japanese}) for page in (english, japanese)]
    assert targets[0] == targets[1]


def commands(document: str) -> list[str]:
    """The commands that start or deploy something, without comments."""
    code = "\n".join(block.code for block in blocks(document, "sh"))
    found = re.split(r"\n|&&", re.sub(r"(?m)(^| +)# .*", "", code))
    return [command.strip() for command in found if command.strip()]


@pytest.mark.parametrize("document", GUIDES)
def test_commands_name_what_exists(document: str) -> None:
    makefile = read("Makefile")
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    assert commands(document)
    for command in commands(document):
        words = command.split()
        if "make" in words:
            arguments = words[words.index("make") + 1 :]
            assert set(arguments) & set(targets), command
            for name in re.findall(r"\b([A-Z_]+)=", command):
                known = re.search(rf"\$[({{]?\$?{name}\b|\$\$\{{?{name}\b", makefile)
                assert known or f'"{name}"' in read("local/settings.py") or name in read("template.yaml"), (
                    name
                )
        for path in re.findall(r"events/\S+|examples/\S+", command):
            assert (ROOT / path).exists(), command
        for function in re.findall(r"\b[A-Z]\w+Function\b", command):
            assert function in read("template.yaml"), command
        if "--profile" in words:
            assert f"profiles: [{words[words.index('--profile') + 1]}]" in read("docker-compose.yml")


@pytest.mark.parametrize("document", GUIDES)
def test_parameters_and_outputs_exist(document: str) -> None:
    template = yaml_parse(read("template.yaml"))
    text = read(document)
    named = re.findall(r"(?:`|\"|overrides )([A-Z][A-Za-z]+)=", text)
    assert {name for name in named if not name.isupper()} <= set(template["Parameters"])
    assert set(re.findall(r"\$\(output (\w+)\)", text)) <= set(template["Outputs"])


def test_the_changelog_begins_with_the_version() -> None:
    (version,) = re.findall(r"^## (\S+) - ", read("CHANGELOG.md"), re.MULTILINE)[:1]
    assert version == read_document()["info"]["version"]
