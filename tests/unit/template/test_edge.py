"""The templates of CloudFront in front of the API and the bucket."""

import re
from graphlib import TopologicalSorter
from itertools import product
from typing import Any

import pytest

from tests import ROOT
from tests.support.templates import MAIN, expand_template, find, find_dependencies, read_template

EDGE = ROOT / "infra/edge.yaml"
RESOURCES = expand_template(EDGE)
DISTRIBUTION = RESOURCES["Distribution"]["Properties"]["DistributionConfig"]
CACHE_POLICY = RESOURCES["ImageCachePolicy"]["Properties"]["CachePolicyConfig"]
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
    key = CACHE_POLICY["ParametersInCacheKeyAndForwardedToOrigin"]
    for name, part in (("Cookie", "Cookies"), ("Header", "Headers"), ("QueryString", "QueryStrings")):
        assert key[f"{part}Config"] == {f"{name}Behavior": "none"}
    assert not any(key[f"EnableAcceptEncoding{name}"] for name in ("Gzip", "Brotli"))


def test_what_is_private_or_an_error_is_not_cached() -> None:
    """With a MinTTL, CloudFront would cache redirects, and send them for every request of the path."""
    assert CACHE_POLICY["MinTTL"] == 0
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
    variants = {"Fn::Sub": "${ImageBucket.Arn}/variants/*"}
    assert (allowed["Action"], allowed["Resource"]) == ("s3:GetObject", variants)
    assert "EdgeStack.Outputs.DistributionId" in str(allowed["Condition"]["StringEquals"]["aws:SourceArn"])


def test_the_bucket_notifies_of_deletions_and_revocations_beside_uploads() -> None:
    configuration = find(MAIN, "AWS::S3::Bucket")["ImageBucket"]["NotificationConfiguration"]
    queues = configuration["QueueConfigurations"]
    assert {item["Event"] for item in queues} == {"s3:ObjectCreated:*"}
    prefixes = {item["Filter"]["S3Key"]["Rules"][0]["Value"] for item in queues}
    assert prefixes == {"incoming/", "invalidations/", "webhooks/"}
    shared = read_template(MAIN)["Globals"]["Function"]["Environment"]["Variables"]
    assert shared["EDGE"] == {"Ref": "Edge"}, "who puts markers"


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
        ("CertificateArn", "acm:us-east-1:{}:certificate/a-b", "acm:eu-west-1:{}:certificate/a-b"),
        ("WebAclArn", "wafv2:us-east-1:{}:global/webacl/a/b", "wafv2:us-east-1:{}:regional/webacl/a/b"),
    ],
)
def test_what_the_parameters_take(name: str, good: str, bad: str) -> None:
    pattern = read_template(EDGE)["Parameters"][name]["AllowedPattern"]
    arns = [f"arn:aws:{text}".format("1" * 12) for text in (good, bad)]
    assert [bool(re.fullmatch(pattern, text)) for text in ("", *arns)] == [True, True, False]
