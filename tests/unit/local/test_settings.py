"""The sources of a local run's settings."""

from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_parse

from local import settings as module
from local.errors import LocalError
from local.gateway.template import read_template
from local.settings import ROOT, OwnStores, function_environment, make_settings, read_values
from tests.support.settings import documented_variables

OWN = OwnStores(6000, "http://127.0.0.1:9000")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".env.example").write_text("API_KEY=from-example\nSECRET_KEY=from-example\nGEMINI_API_KEY=\n")
    return tmp_path


def test_example_is_under_env_is_under_the_environment(root: Path) -> None:
    example = {"API_KEY": "from-example", "SECRET_KEY": "from-example", "GEMINI_API_KEY": ""}
    assert read_values(root, {}) == example
    (root / ".env").write_text("API_KEY=from-env # not this\nSECRET_KEY='a $b #c'\nONLY_HERE=1\n")
    changed = {"API_KEY": "from-shell", "SECRET_KEY": "a $b #c", "ONLY_HERE": "1"}
    assert read_values(root, {"API_KEY": "from-shell"}) == example | changed


@pytest.mark.parametrize(
    ("values", "ports"),
    [
        ({}, (8000, 5432, 9000)),
        ({"PORT": "1", "DB_PORT": "2", "S3_PORT": "3"}, (1, 2, 3)),
        ({"PORT": "", "MINIO_ENDPOINT_URL": "http://localhost:9123"}, (8000, 5432, 9123)),
        ({"S3_PORT": "3", "MINIO_ENDPOINT_URL": "http://localhost:9123"}, (8000, 5432, 3)),
        ({"MINIO_ENDPOINT_URL": "http://image_api_minio:9123"}, (8000, 5432, 9000)),
    ],
)
def test_ports(values: dict[str, str], ports: tuple[int, int, int]) -> None:
    settings = make_settings(values)
    assert (settings.port, settings.db_port, settings.s3_port) == ports


def test_arguments_win_even_as_zero() -> None:
    settings = make_settings({"PORT": "1"}, port=0, db_port=0, s3_port=0)
    assert (settings.port, settings.db_port, settings.s3_port) == (0, 0, 0)


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "65536", "٣x"])
def test_a_value_that_is_not_a_number_is_named(text: str) -> None:
    with pytest.raises(LocalError, match="DB_PORT="):
        make_settings({"DB_PORT": text})


def test_other_machines_are_not_used_and_that_is_said() -> None:
    assert make_settings({"DB_HOST": "localhost", "MINIO_ENDPOINT_URL": "http://127.0.0.1:9000"}).unused == []
    database, store = make_settings({"DB_HOST": "a.test", "MINIO_ENDPOINT_URL": "https://b.test"}).unused
    assert "a.test" in database
    assert "b.test" in store


@pytest.mark.parametrize(
    ("values", "declared", "stores", "found"),
    [
        (
            {"API_KEY": "k", "DB_HOST": "db.example.com", "UNDECLARED": "1"},
            {"DB_HOST": "db", "DB_PORT": 5432, "API_KEY": "ApiKey", "PLAIN": "x"},
            OWN,
            {"DB_HOST": "127.0.0.1", "DB_PORT": "6000", "API_KEY": "k", "PLAIN": "x"},
        ),
        # Only functions that declare a key get it.
        ({"GEMINI_API_KEY": "g"}, {}, OWN, {}),
        ({"GEMINI_API_KEY": "g"}, {}, None, {}),
        ({"GEMINI_API_KEY": "g"}, {"GEMINI_API_KEY": ""}, OWN, {"GEMINI_API_KEY": "g"}),
        ({"GEMINI_API_KEY": "g"}, {"GEMINI_API_KEY": ""}, None, {"GEMINI_API_KEY": "g"}),
        # The variables of AWS's tools may name other stores, but not a run's own stores.
        ({"AWS_ENDPOINT_URL": "https://s3.example.com"}, {}, OWN, {}),
        ({"AWS_ENDPOINT_URL": "https://a"}, {}, None, {"AWS_ENDPOINT_URL": "https://a"}),
        # A function keeps its own limit.
        (
            {"DB_STATEMENT_TIMEOUT": "7"},
            {"DB_STATEMENT_TIMEOUT": "500"},
            OWN,
            {"DB_STATEMENT_TIMEOUT": "500"},
        ),
        ({"DB_CONNECT_TIMEOUT": "7"}, {"DB_CONNECT_TIMEOUT": "5"}, OWN, {"DB_CONNECT_TIMEOUT": "7"}),
        # An empty bound keeps its default.
        ({"MAX_PIXELS": "", "LINK_TTL_SECONDS": "60"}, {}, OWN, {"LINK_TTL_SECONDS": "60"}),
    ],
)
def test_what_a_function_gets(
    values: dict[str, str], declared: dict[str, object], stores: OwnStores | None, found: dict[str, str]
) -> None:
    assert function_environment(make_settings(values), declared, stores) == found


@pytest.mark.parametrize("stores", [OWN, None])
def test_what_only_aws_can_resolve_is_empty(stores: OwnStores | None) -> None:
    """For example SECRET_KEY_SECRET_ARN: if set, a function would read its key from Secrets Manager. With a
    literal ``${…}`` as DATABASE_SERVER, the service could not detect a restored database.
    """
    settings = make_settings(read_values(ROOT, {}) | {"API_KEY": "", "SECRET_KEY": ""})
    template = read_template(ROOT / "template.yaml")
    for name, spec in template.functions.items():
        found = function_environment(settings, spec.variables, stores)
        assert {
            key: text for key, text in found.items() if text.startswith(("{", "[")) or "${" in text
        } == {}, name
        assert {text for key, text in found.items() if key.endswith("_SECRET_ARN")} <= {""}, name


# A run and docker-compose.yml set the addresses of their own stores.
OWN_STORES = {"DB_HOST", "DB_PORT", "DB_SSLMODE", "DB_SSLROOTCERT", "MINIO_ENDPOINT_URL"}
AWS_TOOLS = {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE"}
ANALYSIS_ALONE = {"GEMINI_API_KEY", "GEMINI_MODEL", "ANALYSIS_DAILY_BUDGET", "ANALYSIS_LANGUAGE"}
"""Variables that only AnalyzeFunction gets."""


@pytest.mark.parametrize(
    ("stores", "unread"), [(OWN, OWN_STORES | AWS_TOOLS), (None, {"DB_PORT"})], ids=["a run", "other stores"]
)
def test_every_setting_of_the_readme_reaches_functions(stores: OwnStores | None, unread: set[str]) -> None:
    names = documented_variables() - unread
    assert len(names) > 14
    settings = make_settings(dict.fromkeys(names, "set"))
    reached = set()
    for name, spec in read_template(ROOT / "template.yaml").functions.items():
        found = function_environment(settings, spec.variables, stores)
        wanted = names - module.own_limits(spec.variables).keys()
        wanted -= set() if name == "AnalyzeFunction" else ANALYSIS_ALONE
        assert {variable for variable in wanted if found.get(variable) != "set"} == set(), name
        reached |= {variable for variable, value in found.items() if value == "set"}
    assert names <= reached


def test_a_function_connects_as_its_own_user_of_the_runs_database() -> None:
    settings = make_settings({"POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "hidden"})
    declared, users = {"POSTGRES_USER": "", "POSTGRES_PASSWORD": ""}, {"POSTGRES": "image_api"}

    found = function_environment(settings, declared, OWN, users)

    assert found["POSTGRES_USER"] == "image_api"
    assert "hidden" not in found.values()
    again = function_environment(settings, declared, OWN, users | {"DB_MANAGER": "another"})
    assert again["POSTGRES_PASSWORD"] == found["POSTGRES_PASSWORD"] != again["DB_MANAGER_PASSWORD"]
    # With a database that the run did not start, the configured user stays.
    assert function_environment(settings, declared, None, users)["POSTGRES_USER"] == "postgres"


def test_compose_hands_every_setting_of_the_readme_on() -> None:
    services = yaml_parse((ROOT / "docker-compose.yml").read_text())["services"]
    environ = services["api"]["environment"]
    for name in documented_variables() - OWN_STORES - AWS_TOOLS:
        assert str(environ[name]).startswith((f"${{{name}:-", f"${{{name}-")), name
    assert {port.rpartition(":")[0] for port in services["api"]["ports"]} == {"127.0.0.1:8000"}
    assert environ["PUBLISHED_ON_LOOPBACK"] == "true"


@pytest.mark.parametrize(
    ("values", "others"),
    [
        ({}, []),
        ({"PUBLIC_BASE_URL": "https://Img.example.com:8443/v1/"}, ["https://img.example.com:8443"]),
        ({"PUBLIC_BASE_URL": "http://localhost:8000"}, []),
        ({"CORS_ALLOW_ORIGINS": "https://a.test, *,http://*.b.test"}, ["https://a.test"]),
    ],
)
def test_pages_of_the_api_and_of_the_origins_that_it_takes_may_speak_to_s3(
    values: dict[str, str], others: list[str]
) -> None:
    own = ["http://127.0.0.1:8000", "http://localhost:8000"]
    assert module.page_origins(make_settings(values), 8000) == own + others


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"API_KEY": "mine", "SECRET_KEY": "mine"}, []),
        ({"API_KEY": "mine, from-example", "SECRET_KEY": "mine"}, ["API_KEY"]),
        ({"API_KEY": "from-example", "SECRET_KEY": "from-example"}, ["API_KEY", "SECRET_KEY"]),
        ({}, []),
    ],
)
def test_keys_of_the_example_are_found(root: Path, values: dict[str, str], named: list[str]) -> None:
    assert module.placeholders(make_settings(values), root) == named


def test_a_proxy_is_never_between_the_functions_and_this_machine() -> None:
    assert module.passed_through({"SSL_CERT_FILE": "c", "EDITOR": "vi"}) == {"SSL_CERT_FILE": "c"}
    found = module.passed_through({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "intranet"})
    assert found["NO_PROXY"] == found["no_proxy"] == "intranet,127.0.0.1,localhost"
