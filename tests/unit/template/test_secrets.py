"""Which functions get a secret that is given as a parameter."""

from tests.support.templates import MAIN, find, read_template, walk

FUNCTIONS = {
    name.removesuffix("Function"): function for name, function in find(MAIN, "AWS::Lambda::Function").items()
}
ALL = set(FUNCTIONS)

ROWS_ONLY = {"List", "Changes", "Keys", "Webhooks", "Migrate"}

SECRETS = {
    "ApiKey": {"Upload", "List", "Image", "Batch", "Changes", "Keys", "Webhooks", "Health", "Analyze"},
    "SecretKey": {"Upload", "List", "Image", "Batch", "Deliver"},
    "DatabasePassword": ALL - {"Gallery", "Invalidate", "Notify"},
    "S3AccessKey": ALL - ROWS_ONLY - {"Gallery", "Invalidate", "Notify"},
    "S3SecretKey": ALL - ROWS_ONLY - {"Gallery", "Invalidate", "Notify"},
    "GeminiApiKey": {"Analyze"},
}
"""Secrets given as parameters, and the functions that need them."""


def test_secrets_given_as_parameters_reach_those_who_need_them() -> None:
    hidden = {name for name, values in read_template(MAIN)["Parameters"].items() if values.get("NoEcho")}
    assert set(SECRETS) == hidden
    for secret, needed_by in SECRETS.items():
        holders = {name for name, it in FUNCTIONS.items() if {"Ref": secret} in walk(it["Environment"])}
        assert holders == needed_by, secret
