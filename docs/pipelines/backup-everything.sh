#!/usr/bin/env bash
# Backs up a replica whole into a place: the image content, then the metadata, each read back and verified there; then
# whether the two fit. Ends with 0 only when all of that is so.
# Usage: UCP_PASSWORD=… docs/pipelines/backup-everything.sh UCP_URL UCP_USERNAME REPLICA_ID PLACE
# PLACE is s3://BUCKET/DIRECTORY (with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for a server other than Amazon's,
# AWS_ENDPOINT_URL_S3) or sftp://USER@HOST/DIRECTORY (with DTR_SFTP_KEY and DTR_SSH_FINGERPRINT).
set -euo pipefail
if [ $# -ne 4 ]; then
  echo "usage: UCP_PASSWORD=… $0 UCP_URL UCP_USERNAME REPLICA_ID PLACE" >&2
  exit 2
fi
image=${DTR_BACKUP_IMAGE:-dtr-backup:0.1.0}
replica=(--ucp-url "$1" --ucp-insecure-tls --ucp-username "$2" --existing-replica-id "$3")
place=${4%/}
date=$(date -u +%Y%m%dT%H%M%SZ)

# `--env NAME` without a value passes it on without showing it in the process list, and nothing where it is not set.
job() {
  docker run --log-driver none -i --rm --env UCP_PASSWORD --env AWS_ACCESS_KEY_ID --env AWS_SECRET_ACCESS_KEY \
    --env AWS_ENDPOINT_URL_S3 --env DTR_S3_PATH_STYLE --env DTR_SFTP_KEY --env DTR_SSH_FINGERPRINT "$image" "$@"
}

# Images first: what is pushed meanwhile, and so named by the metadata alone, is new and can be pushed again.
job images "$place/images-$date.tar" --verify "${replica[@]}"
job backup "$place/metadata-$date.tar" --verify --no-encrypt "${replica[@]}"
job verify "$place/images-$date.tar" --metadata "$place/metadata-$date.tar"
