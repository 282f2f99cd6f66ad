"""CloudFront in front of the API and the bucket: what must hold of the templates."""

import ast
import re
from graphlib import TopologicalSorter
from itertools import product
from typing import Any

import grimp
import pytest
from imageapi.delivery.removals import put_marker

from tests.support.templates import (
    MAIN,
    ROOT,
    expand_template,
    find,
    find_dependencies,
    read_template,
    resolve,
    statements,
)

EDGE = ROOT / "infra/edge.yaml"
RESOURCES = expand_template(EDGE)
DISTRIBUTION = RESOURCES["Distribution"]["Properties"]["DistributionConfig"]
(IMAGES,) = DISTRIBUTION["CacheBehaviors"]
DOMAIN = {"DomainName": "images.example.com", "CertificateArn": "arn"}
OPTIONS = [
    {"Edge": edge, "AnalyzeUploads": analysis, **database, **domain}
    for edge, analysis, database, domain in product(
        ("true", "false"), ("true", "false"), ({}, {"DatabaseSecretArn": "arn"}), ({}, DOMAIN)
    )
]


def dependencies(parameters: dict[str, str]) -> dict[str, set[str]]:
    return find_dependencies(expand_template(MAIN), read_template(MAIN), parameters)


def ancestors(graph: dict[str, set[str]], name: str) -> set[str]:
    """Everything that a resource waits for, directly or not."""
    found: set[str] = set()
    waiting = {name}
    while waiting:
        found |= waiting
        waiting = {other for one in waiting for other in graph[one]} - found
    return found - {name}


@pytest.mark.parametrize("parameters", OPTIONS, ids=lambda options: "-".join(options.values()))
def test_no_resource_waits_for_itself_or_for_one_that_is_not_there(parameters: dict[str, str]) -> None:
    graph = dependencies(parameters)

    assert set(TopologicalSorter(graph).static_order()) == set(graph)
    assert ("EdgeStack" in graph) == (parameters["Edge"] == "true")
    assert ("ApiDomain" in graph) == (parameters["Edge"] == "false" and "DomainName" in parameters)


def test_the_edge_waits_for_the_api_and_the_api_for_nothing_of_the_edge() -> None:
    graph = dependencies({"Edge": "true"})
    assert {"Api", "ImageBucket", "OriginSecret"} <= ancestors(graph, "EdgeStack")
    behind_api = [name for name in find(MAIN, "AWS::Lambda::Function") if name != "OutsideFunction"]
    for name in ["Api", "Apiv1Stage", *behind_api]:
        assert "EdgeStack" not in ancestors(graph, name)


def test_the_buckets_notifications_wait_for_permission() -> None:
    waits = dependencies({})["ImageBucket"]
    assert {"QueuePolicy", "UploadQueue", "InvalidationQueue", "WebhookQueue"} <= waits


def test_only_the_path_is_the_key_of_the_cache() -> None:
    policy = RESOURCES["ImageCachePolicy"]["Properties"]["CachePolicyConfig"]
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert {
        key["CookiesConfig"]["CookieBehavior"],
        key["HeadersConfig"]["HeaderBehavior"],
        key["QueryStringsConfig"]["QueryStringBehavior"],
    } == {"none"}
    assert not key["EnableAcceptEncodingGzip"]
    assert not key["EnableAcceptEncodingBrotli"]


def test_what_is_private_or_an_error_is_not_cached() -> None:
    """With a MinTTL, CloudFront would cache redirects, and give them to everyone who asks for the path."""
    policy = RESOURCES["ImageCachePolicy"]["Properties"]["CachePolicyConfig"]
    assert policy["MinTTL"] == 0
    errors = {item["ErrorCode"]: item for item in DISTRIBUTION["CustomErrorResponses"]}
    assert {400, 403, 404, 405, 416, 500, 502, 503, 504} == set(errors)
    assert all(item == {"ErrorCode": code, "ErrorCachingMinTTL": 0} for code, item in errors.items())


def test_what_the_bucket_does_not_have_comes_from_the_api() -> None:
    (group,) = DISTRIBUTION["OriginGroups"]["Items"]
    assert group["FailoverCriteria"]["StatusCodes"]["Items"] == [403, 404]
    assert [member["OriginId"] for member in group["Members"]["Items"]] == ["bucket", "api"]
    assert IMAGES["TargetOriginId"] == group["Id"]
    assert DISTRIBUTION["DefaultCacheBehavior"]["TargetOriginId"] == "api"
    for part in (DISTRIBUTION["OriginGroups"], *group["Members"].values()):
        assert not isinstance(part, dict) or part["Quantity"] == len(part["Items"])


def test_only_cloudfront_knows_the_secret_of_the_origin() -> None:
    bucket, api = DISTRIBUTION["Origins"]
    assert "OriginCustomHeaders" not in bucket
    (header,) = api["OriginCustomHeaders"]
    assert header["HeaderName"] == "X-Origin-Verify"
    assert header["HeaderValue"] == {"Fn::Sub": "{{resolve:secretsmanager:${OriginSecret}}}"}
    asked = {
        name.removesuffix("Role")
        for name, statement in statements(MAIN)
        if statement["Action"] == "secretsmanager:GetSecretValue" and "OriginSecret" in str(statement)
    }
    behind = {
        name
        for name, resource in read_template(MAIN)["Resources"].items()
        if any(event["Type"] == "Api" for event in resource.get("Properties", {}).get("Events", {}).values())
    }
    assert asked == behind - {"GalleryFunction"}


def test_viewers_use_tls() -> None:
    behaviours = [DISTRIBUTION["DefaultCacheBehavior"], IMAGES]
    assert {behaviour["ViewerProtocolPolicy"] for behaviour in behaviours} == {"redirect-to-https"}
    _, own, _ = DISTRIBUTION["ViewerCertificate"]["Fn::If"]
    assert own["MinimumProtocolVersion"] == "TLSv1.2_2021"
    api = DISTRIBUTION["Origins"][1]["CustomOriginConfig"]
    assert (api["OriginProtocolPolicy"], api["OriginSSLProtocols"]) == ("https-only", ["TLSv1.2"])


def test_cloudfront_reads_variants_and_nothing_else_of_the_bucket() -> None:
    (policy,) = find(MAIN, "AWS::S3::BucketPolicy").values()
    condition, allowed, _ = policy["PolicyDocument"]["Statement"][1]["Fn::If"]
    assert condition == "UsesEdge"
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert (allowed["Action"], allowed["Resource"]) == (
        "s3:GetObject",
        {"Fn::Sub": "${ImageBucket.Arn}/variants/*"},
    )
    assert "EdgeStack.Outputs.DistributionId" in str(allowed["Condition"]["StringEquals"]["aws:SourceArn"])


def test_the_bucket_notifies_of_deletions_and_revocations_beside_uploads() -> None:
    configuration = find(MAIN, "AWS::S3::Bucket")["ImageBucket"]["NotificationConfiguration"]
    queues = configuration["QueueConfigurations"]
    assert {(item["Event"], item["Filter"]["S3Key"]["Rules"][0]["Value"]) for item in queues} == {
        ("s3:ObjectCreated:*", "incoming/"),
        ("s3:ObjectCreated:*", "invalidations/"),
        ("s3:ObjectCreated:*", "webhooks/"),
    }
    rules = find(MAIN, "AWS::S3::Bucket")["ImageBucket"]["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == "invalidations/"] == [1]


def functions_that_put_markers() -> set[str]:
    """Those whose code imports ``put_marker``, directly or not."""
    graph = grimp.build_graph("imageapi", cache_dir=None)
    reach_it = {put_marker.__module__, *graph.find_downstream_modules(put_marker.__module__)}
    return {
        name
        for name, resource in read_template(MAIN)["Resources"].items()
        for code in (ROOT / str(resource.get("Properties", {}).get("CodeUri"))).glob("*.py")
        for node in ast.walk(ast.parse(code.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)} & reach_it
    }


def test_whoever_finishes_a_deletion_or_a_revocation_can_tell_cloudfront() -> None:
    telling = functions_that_put_markers()
    assert len(telling) > 2
    for name in telling:
        variables = find(MAIN, "AWS::Lambda::Function")[name]["Environment"]["Variables"]
        assert resolve(variables["EDGE"], read_template(MAIN), {"Edge": "true"}) == "true"
    allowed = {
        name.removesuffix("Role")
        for name, statement in statements(MAIN)
        if "s3:PutObject" in statement["Action"] and "/invalidations/*" in str(statement["Resource"])
    }
    assert allowed == telling


def test_a_domain_without_the_edge_is_the_apis_own() -> None:
    body: dict[str, Any] = find(MAIN, "AWS::ApiGateway::RestApi")["Api"]["Body"]
    (server,) = body["servers"]
    extension = server["x-amazon-apigateway-endpoint-configuration"]
    assert extension["disableExecuteApiEndpoint"] == {"Fn::If": ["HasApiDomain", True, False]}
    (mapping,) = find(MAIN, "AWS::ApiGateway::BasePathMapping").values()
    assert "BasePath" not in mapping
    assert mapping["Stage"] == {"Ref": "Apiv1Stage"}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "CertificateArn",
            ["", "arn:aws:acm:us-east-1:123456789012:certificate/a-b"],
            ["arn:aws:acm:eu-west-1:123456789012:certificate/a-b"],
        ),
        (
            "WebAclArn",
            ["", "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b"],
            ["arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/b"],
        ),
    ],
)
def test_what_the_parameters_take(name: str, good: list[str], bad: list[str]) -> None:
    pattern = read_template(EDGE)["Parameters"][name]["AllowedPattern"]
    assert [text for text in good if not re.fullmatch(pattern, text)] == []
    assert [text for text in bad if re.fullmatch(pattern, text)] == []
