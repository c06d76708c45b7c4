"""Reads an object from S3, compresses it and writes the result back.

Locally the client finds the endpoint's own S3 by AWS_ENDPOINT_URL; in an account it is AWS's, and
BUCKET must be a name that is yours. Bucket and object are made when they are missing.
"""

import os
import random
import zlib

import boto3

S3 = boto3.client("s3")
BUCKET = os.environ["BUCKET"]


def handler(event, context):
    """Compress the object `key`, made with `lines` lines if it is missing, to `key`.z."""
    key = event.get("key", "measurements.csv")
    body = read(key, event.get("lines", 40_000))
    compressed = zlib.compress(body, level=9)
    S3.put_object(Bucket=BUCKET, Key=f"{key}.z", Body=compressed)
    return {"bytes_in": len(body), "bytes_out": len(compressed)}


def read(key, lines):
    try:
        return S3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    except (S3.exceptions.NoSuchBucket, S3.exceptions.NoSuchKey):
        write_example(key, lines)
        return S3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def write_example(key, lines):
    make_bucket()
    numbers = random.Random(1)
    body = "".join(f"{n},{numbers.random()},{numbers.randrange(100)}\n" for n in range(lines))
    S3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())


def make_bucket():
    region = S3.meta.region_name
    place = {} if region == "us-east-1" else {"LocationConstraint": region}
    try:
        S3.create_bucket(Bucket=BUCKET, **({"CreateBucketConfiguration": place} if place else {}))
    except S3.exceptions.BucketAlreadyOwnedByYou:
        pass  # another environment was quicker
