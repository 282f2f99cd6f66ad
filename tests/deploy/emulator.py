"""Runs ministack, an emulator of AWS: ``.venv-deploy/bin/python tests/deploy/emulator.py``, on GATEWAY_PORT.

Patches this version's differences from AWS in the running process, so that template.yaml is deployed
unchanged. Gaps that cannot be patched are listed in ``gaps.py``.
"""

import importlib
from typing import Any

ANY_METHOD = "x-amazon-apigateway-any-method"


def mend_any_method(gateway: Any) -> None:
    """ministack exports API Gateway's OpenAPI extension for ``ANY``, but ignores it on import."""
    import_path = gateway._import_path_item
    gateway._OPENAPI_HTTP_METHODS.add("any")

    def import_path_with_any(api_id: str, path: str, item: dict[str, Any], *rest: Any, **named: Any) -> Any:
        renamed = {"any" if name == ANY_METHOD else name: value for name, value in item.items()}
        return import_path(api_id, path, renamed, *rest, **named)

    gateway._import_path_item = import_path_with_any


def mend_binary_media_types(gateway: Any) -> None:
    """CloudFormation wants ``/`` in media types as ``~1``, which ministack does not unescape."""
    matches = gateway._media_type_matches
    gateway._media_type_matches = lambda found, accepted: matches(
        found, [name.replace("~1", "/") for name in accepted or []]
    )


def mend_answers_without_body(gateway: Any) -> None:
    """A function may respond with ``"body": null``, as for a redirect; ministack fails on it."""
    read_answer = gateway._lambda_proxy_response

    def read_answer_with_body(result: Any) -> tuple[Any, Any]:
        answer, error = read_answer(result)
        if isinstance(answer, dict) and answer.get("body", "") is None:
            answer = {**answer, "body": ""}
        return answer, error

    gateway._lambda_proxy_response = read_answer_with_body


def assume_tls(evaluator: Any) -> None:
    """The bucket's policy denies requests without TLS (enforced with AUTH), and the emulator has no TLS."""
    resolve = evaluator._resolve_condition_key
    evaluator._resolve_condition_key = lambda key, context: (
        "true" if key.lower() == "aws:securetransport" else resolve(key, context)
    )


def main() -> None:
    gateway = importlib.import_module("ministack.services.apigateway_v1")
    assume_tls(importlib.import_module("ministack.core.iam_evaluator"))
    mend_any_method(gateway)
    mend_binary_media_types(gateway)
    mend_answers_without_body(gateway)
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()
