"""boto3 as a command: client.py VERB ARGUMENTS, as test/clients has the verbs."""

import json
import os
import sys

import boto3
from botocore.config import Config


def connect():
    # Older versions do not read AWS_ENDPOINT_URL.
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    once = Config(retries={"total_max_attempts": 1})
    return boto3.resource("s3", endpoint_url=endpoint, config=once)


def version():
    print(f"boto3 {boto3.__version__} on Python {sys.version.split()[0]}")


def make(bucket):
    connect().create_bucket(Bucket=bucket)


def put(file, bucket, key):
    connect().Bucket(bucket).upload_file(file, key)


def get(bucket, key, file):
    connect().Bucket(bucket).download_file(key, file)


def list_(bucket):
    for page in connect().Bucket(bucket).objects.page_size(7).pages():
        for summary in page:
            print(summary.key)


def copy(bucket, source, key):
    connect().Bucket(bucket).copy({"Bucket": bucket, "Key": source}, key)


def delete(bucket, key):
    connect().Object(bucket, key).delete()


def upload(directory, bucket, prefix):
    b = connect().Bucket(bucket)
    for parent, _, files in os.walk(directory):
        for name in files:
            file = os.path.join(parent, name)
            b.upload_file(file, f"{prefix}/{os.path.relpath(file, directory)}")


def download(bucket, prefix, directory):
    b = connect().Bucket(bucket)
    for summary in b.objects.filter(Prefix=prefix + "/"):
        file = os.path.join(directory, summary.key.removeprefix(prefix + "/"))
        os.makedirs(os.path.dirname(file), exist_ok=True)
        b.download_file(summary.key, file)


def presign(method, bucket, key):
    client = connect().meta.client
    print(client.generate_presigned_url(method, {"Bucket": bucket, "Key": key}))


def sign_post(bucket, key):
    fields = {"success_action_status": "201", "x-amz-meta-by": "boto3"}
    conditions = [{name: value} for name, value in fields.items()]
    conditions += [["content-length-range", 1, 1 << 20]]
    print(json.dumps(connect().meta.client.generate_presigned_post(bucket, key, fields, conditions)))


def clear(bucket):
    b = connect().Bucket(bucket)
    b.objects.delete()
    b.delete()


verbs = {
    "version": version,
    "make": make,
    "put": put,
    "get": get,
    "list": list_,
    "copy": copy,
    "delete": delete,
    "upload": upload,
    "download": download,
    "sign-get": lambda *a: presign("get_object", *a),
    "sign-put": lambda *a: presign("put_object", *a),
    "sign-post": sign_post,
    "clear": clear,
}
verbs[sys.argv[1]](*sys.argv[2:])
