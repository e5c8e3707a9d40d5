#!/usr/bin/env bash
# obstore 0.12.1 (object_store in Rust): a listing of an S3 bucket ends with InvalidPathError at the first key that holds
# `/../`: of its page no key is given, and no later page comes. S3 allows such keys; boto3 lists all of them. There is no setting
# to pass over the key.
# Versions: obstore 0.12.1, boto3 1.44.5, moto 5.2.2; Python 3.11; November 2026.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check obstore==0.12.1 boto3==1.44.5 "moto[server]==5.2.2"
cd "$folder"
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
venv/bin/python - <<'PYTHON'
import logging

import boto3
import obstore
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://{host}:{port}"
client = boto3.client("s3", endpoint_url=endpoint)
client.create_bucket(Bucket="films")
for key in ("a.mp4", "b/../c.mp4", "d.mp4"):
    client.put_object(Bucket="films", Key=key, Body=b"film")
by_boto3 = [one["Key"] for one in client.list_objects_v2(Bucket="films")["Contents"]]
print("boto3:  ", by_boto3)

store = S3Store("films", endpoint=endpoint, client_options={"allow_http": True})
found, error = [], None
try:
    for page in obstore.list(store):
        found += [one["path"] for one in page]
except Exception as raised:
    error = type(raised).__name__
print("obstore:", found, error)
server.stop()
assert by_boto3 == ["a.mp4", "b/../c.mp4", "d.mp4"]
assert error == "InvalidPathError"
assert "d.mp4" not in found
PYTHON
echo "as described"
