"""CloudFront in front of the API and the bucket: what must hold of the templates."""

from graphlib import TopologicalSorter
from itertools import product

import pytest

from tests.support.dependencies import find_dependencies
from tests.support.templates import MAIN, ROOT, expand_template, find, read_template, resolve

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


@pytest.mark.parametrize("parameters", OPTIONS, ids=lambda options: "-".join(options.values()))
def test_no_resource_waits_for_itself_or_for_one_that_is_not_there(parameters: dict[str, str]) -> None:
    template = read_template(MAIN)
    graph = find_dependencies(expand_template(MAIN), template, parameters)

    assert set(TopologicalSorter(graph).static_order()) == set(graph)
    assert ("EdgeStack" in graph) == (parameters["Edge"] == "true")
    assert ("ApiDomain" in graph) == (parameters["Edge"] == "false" and "DomainName" in parameters)
    # Every function can tell CloudFront of what it deletes.
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    assert resolve(variables["EDGE"], template, parameters) == parameters["Edge"]
    # The bucket's notifications wait for permission.
    assert {"QueuePolicy", "UploadQueue", "InvalidationQueue", "WebhookQueue"} <= graph["ImageBucket"]


def test_only_the_path_is_the_key_of_the_cache() -> None:
    policy = RESOURCES["ImageCachePolicy"]["Properties"]["CachePolicyConfig"]
    assert policy["ParametersInCacheKeyAndForwardedToOrigin"] == {
        "CookiesConfig": {"CookieBehavior": "none"},
        "HeadersConfig": {"HeaderBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
        "EnableAcceptEncodingGzip": False,
        "EnableAcceptEncodingBrotli": False,
    }


def test_what_is_private_or_an_error_is_not_cached() -> None:
    """With a MinTTL, CloudFront would cache redirects, and give them to everyone who asks for the path."""
    assert RESOURCES["ImageCachePolicy"]["Properties"]["CachePolicyConfig"]["MinTTL"] == 0
    errors = {item["ErrorCode"]: item["ErrorCachingMinTTL"] for item in DISTRIBUTION["CustomErrorResponses"]}
    assert errors == dict.fromkeys((400, 403, 404, 405, 416, 500, 502, 503, 504), 0)


def test_what_the_bucket_does_not_have_comes_from_the_api() -> None:
    (group,) = DISTRIBUTION["OriginGroups"]["Items"]
    assert [member["OriginId"] for member in group["Members"]["Items"]] == ["bucket", "api"]
    assert IMAGES["TargetOriginId"] == group["Id"]
    assert DISTRIBUTION["DefaultCacheBehavior"]["TargetOriginId"] == "api"


def test_viewers_and_the_api_use_tls_and_the_bucket_does_not_get_the_secret() -> None:
    behaviours = [DISTRIBUTION["DefaultCacheBehavior"], IMAGES]
    assert {behaviour["ViewerProtocolPolicy"] for behaviour in behaviours} == {"redirect-to-https"}
    assert DISTRIBUTION["ViewerCertificate"]["Fn::If"][1]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    bucket, api = DISTRIBUTION["Origins"]
    protocol = api["CustomOriginConfig"]
    assert (protocol["OriginProtocolPolicy"], protocol["OriginSSLProtocols"]) == ("https-only", ["TLSv1.2"])
    assert "OriginCustomHeaders" not in bucket


def test_cloudfront_reads_variants_and_nothing_else_of_the_bucket() -> None:
    (policy,) = find(MAIN, "AWS::S3::BucketPolicy").values()
    condition, allowed, _ = policy["PolicyDocument"]["Statement"][1]["Fn::If"]
    assert condition == "UsesEdge"
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    variants = {"Fn::Sub": "${ImageBucket.Arn}/variants/*"}
    assert (allowed["Action"], allowed["Resource"]) == ("s3:GetObject", variants)
    assert "EdgeStack.Outputs.DistributionId" in str(allowed["Condition"]["StringEquals"]["aws:SourceArn"])
