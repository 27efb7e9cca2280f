"""boto3 as a command: client.py VERB ARGUMENTS, as test/clients has the verbs."""

import io
import json
import os
import sys
import threading

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import httpchecksum
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


def resume(bucket, key, file):
    o = connect().Object(bucket, key)
    have = os.path.getsize(file)
    rest = o.get(IfMatch=o.e_tag, Range=f"bytes={have}-")
    with open(file, "ab") as f:
        f.write(rest["Body"].read())


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


def wait(bucket, key):
    o, quick = connect().Object(bucket, key), {"Delay": 0.05, "MaxAttempts": 1000}
    for change, name in (o.put, "object_exists"), (o.delete, "object_not_exists"):
        waiter = o.meta.client.get_waiter(name)
        changer = threading.Timer(0.1, change)
        changer.start()
        waiter.wait(Bucket=bucket, Key=key, WaiterConfig=quick)
        changer.join()
    o.meta.client.get_waiter("bucket_exists").wait(Bucket=bucket, WaiterConfig=quick)
    o.meta.client.get_waiter("bucket_not_exists").wait(Bucket=bucket + "-none", WaiterConfig=quick)


def pages(bucket):
    c, two = connect().meta.client, {"PageSize": 2}

    def walk(operation, *members, **query):
        for page in c.get_paginator(operation).paginate(PaginationConfig=two, **query):
            for member in members:
                yield from page.get(member, [])

    def keys(found):
        return [o.get("Key", o.get("Prefix")) for o in found]

    uploads = list(walk("list_multipart_uploads", "Uploads", Bucket=bucket))
    parts = walk("list_parts", "Parts", Bucket=bucket, Key=uploads[0]["Key"], UploadId=uploads[0]["UploadId"])
    if c.can_paginate("list_buckets"):
        buckets = walk("list_buckets", "Buckets", Prefix=bucket)
    else:  # older versions know only of all of them
        buckets = [b for b in c.list_buckets()["Buckets"] if b["Name"].startswith(bucket)]
    print(json.dumps({
        "V1": keys(walk("list_objects", "Contents", Bucket=bucket)),
        "V2": keys(walk("list_objects_v2", "Contents", Bucket=bucket)),
        "Folders": keys(walk("list_objects_v2", "Contents", "CommonPrefixes", Bucket=bucket, Delimiter="/")),
        "Versions": keys(walk("list_object_versions", "Versions", Bucket=bucket))
        + ["-" + key for key in keys(walk("list_object_versions", "DeleteMarkers", Bucket=bucket))],
        "Uploads": keys(uploads),
        "Parts": [p["PartNumber"] for p in parts],
        "Buckets": [b["Name"] for b in buckets],
    }))


# What there is depends on the version, and on whether awscrt is there.
def algorithms():
    return [name.upper() for name in httpchecksum._CHECKSUM_CLS]


# Older versions do not tell CompleteMultipartUpload the checksums of copied parts, without which S3 refuses.
copies_checksums = tuple(map(int, boto3.__version__.split(".")[:2])) >= (1, 36)


def transfer(file, bucket, key):
    b = connect().Bucket(bucket)
    small = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    with open(file, "rb") as f:
        content = f.read()
    for algorithm in algorithms():
        name, extra = key + algorithm, {"ChecksumAlgorithm": algorithm}
        b.upload_fileobj(io.BytesIO(content), name, ExtraArgs=extra, Config=small)
        asked = extra if copies_checksums else None
        b.copy({"Bucket": bucket, "Key": name}, "copy " + name, ExtraArgs=asked, Config=small)
        back = io.BytesIO()
        b.download_fileobj(name, back, ExtraArgs={"ChecksumMode": "ENABLED"}, Config=small)
        if back.getvalue() != content:
            sys.exit(f"{name} has come back otherwise")
        print(algorithm)


def clear(bucket):
    b = connect().Bucket(bucket)
    b.objects.delete()
    b.delete()


verbs = {
    "version": version,
    "make": make,
    "put": put,
    "get": get,
    "resume": resume,
    "list": list_,
    "copy": copy,
    "delete": delete,
    "upload": upload,
    "download": download,
    "sign-get": lambda *a: presign("get_object", *a),
    "sign-put": lambda *a: presign("put_object", *a),
    "sign-post": sign_post,
    "wait": wait,
    "pages": pages,
    "transfer": transfer,
    "clear": clear,
}
verbs[sys.argv[1]](*sys.argv[2:])
