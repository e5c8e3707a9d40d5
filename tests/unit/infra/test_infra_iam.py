"""Policies say nothing that IAM does not know, and bucket policies only take away."""

import json

import pytest
from kustomized import kustomized
from places import ROOT
from s3_calls import read_call, refused

FOLDER = ROOT / "infra" / "iam"
OF_BUCKETS = ("index-bucket.json", "library-bucket.json")
FIELDS = {"Sid", "Effect", "Principal", "Action", "Resource", "NotResource", "Condition"}
ACTIONS = {"s3:*", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"}
CONDITIONS = {
    "Bool": {"aws:SecureTransport", "s3:ObjectCreationOperation"},
    "Null": {"s3:if-none-match"},
    "ArnLike": {"aws:PrincipalArn"},
    "ArnNotEquals": {"aws:PrincipalArn"},
}


def some(value):
    return [value] if isinstance(value, str) else value


def faults(policy: dict) -> list[str]:
    """What a bucket would not take, or would take as something else."""
    found = [] if set(policy) == {"Version", "Statement"} and policy["Version"] == "2012-10-17" else ["top"]
    for each in policy.get("Statement", []):
        conditions = each.get("Condition", {})
        known = set(each) <= FIELDS and ("Resource" in each) != ("NotResource" in each)
        right = each.get("Effect") == "Deny" and each.get("Principal") == "*"
        actions = set(some(each.get("Action", "none"))) <= ACTIONS
        names = all(set(value) <= CONDITIONS.get(name, set()) for name, value in conditions.items())
        if not (known and right and actions and conditions and names):
            found.append(each.get("Sid", "?"))
    return found


@pytest.mark.parametrize("name", OF_BUCKETS)
def test_bucket_policies_only_take_away(name):
    """Each statement under a condition, so that nobody is locked out whole."""
    assert faults(json.loads((FOLDER / name).read_text())) == []


@pytest.mark.parametrize("name", OF_BUCKETS)
def test_a_misspelt_word_is_found(name):
    """Whichever key, action, effect or condition it is in."""
    text = (FOLDER / name).read_text()
    words = {
        *FIELDS - {"Sid", "NotResource"},
        *CONDITIONS,
        "Deny",
        "Version",
        "Statement",
        "aws:SecureTransport",
    }
    for word in words & set(text.replace('"', " ").replace(",", " ").split()):
        assert faults(json.loads(text.replace(f'"{word}"', f'"{word}s"'))), word


@pytest.mark.parametrize(("name", "account"), [("run", "media-index-ray"), ("upkeep", "media-index-upkeep")])
def test_a_role_trusts_the_pods_that_name_it(name, account):
    """Those of the production overlay, by its namespace and the service account that carries the role."""
    objects = kustomized(FOLDER.parent / "kubernetes" / "overlays" / "production")
    (found,) = [
        each for each in objects if (each["kind"], each["metadata"]["name"]) == ("ServiceAccount", account)
    ]
    trust = json.loads((FOLDER / f"trust-{name}.json").read_text())
    (statement,) = trust.pop("Statement")
    assert trust == {"Version": "2012-10-17"}
    assert set(statement) == {"Sid", "Effect", "Principal", "Action", "Condition"}
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRoleWithWebIdentity")
    provider = statement["Principal"]["Federated"].split(":oidc-provider/")[1]
    pods = f"system:serviceaccount:{found['metadata']['namespace']}:{account}"
    asked = {f"{provider}:aud": "sts.amazonaws.com", f"{provider}:sub": pods}
    assert statement["Condition"] == {"StringEquals": asked}
    role = found["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
    assert role.split(":")[:5] == statement["Principal"]["Federated"].split(":")[:5]


def test_one_bucket_and_folder_everywhere():
    """Whoever adapts the policies replaces the same few names in all of them."""
    names = {
        resource.split("/")[0]
        for path in FOLDER.glob("[!t]*.json")
        for each in json.loads(path.read_text())["Statement"]
        for resource in some(each.get("Resource", each.get("NotResource")))
    }
    assert names == {f"arn:aws:s3:::media-{name}" for name in ("index", "library", "weights")}


def test_what_nobody_allowed_is_refused():
    """Other requests, other buckets, other keys; so that those who compare runs with policies can fail."""
    assert refused("read.json", [read_call("GET", "/media-index/catalog/tables/a%20b.parquet")]) == set()
    assert refused("weights.json", [read_call("GET", "/media-weights/video-xl-2/config.json")]) == set()
    for method, target in (
        ("PUT", "/media-weights/video-xl-2/config.json"),
        ("GET", "/media-weights/another/config.json"),
        ("GET", "/media-index/catalog/index.json"),
    ):
        assert refused("weights.json", [read_call(method, target)]), target
    for method, target in (
        ("PUT", "/media-index/catalog/tables/a.parquet"),
        ("GET", "/media-index/elsewhere/a"),
        ("GET", "/media-library/a.mp4"),
        ("GET", "/media-index/catalog/a?acl"),
        ("GET", "/media-index?versions"),
        ("POST", "/media-index?delete"),
        ("GET", "/"),
    ):
        assert refused("read.json", [read_call(method, target)]), target
