"""Makes a bucket if it is not there, and waits for the S3 server to start. Address and keys: the environment.

Belongs to the throw-away S3 server of the local overlay.
"""

import os
import sys
import time

import boto3
from botocore.exceptions import BotoCoreError, ClientError

PAUSE_SECONDS = float(os.environ.get("PAUSE_SECONDS", "3"))


def make(bucket: str) -> bool:
    """Whether the bucket is there now; False while the server does not answer."""
    client = boto3.client("s3")
    try:
        client.create_bucket(Bucket=bucket)
    except ClientError as error:
        return error.response["Error"]["Code"] in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}
    except BotoCoreError:
        return False
    return True


def main() -> int:
    """Tries for a minute or so; exit code 1 when the bucket is still missing."""
    for _ in range(20):
        if make(sys.argv[1]):
            sys.stdout.write(f"bucket {sys.argv[1]} is there\n")
            return 0
        time.sleep(PAUSE_SECONDS)
    sys.stdout.write(f"bucket {sys.argv[1]} could not be made\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
