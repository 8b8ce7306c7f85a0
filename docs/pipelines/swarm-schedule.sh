#!/usr/bin/env bash
# Backs up every day by a Swarm service: the metadata goes to S3, old archives go, and a monitor is told. Swarm starts the
# task again a day after it has ended, whatever came of it.
# Usage: docs/pipelines/swarm-schedule.sh UCP_URL UCP_USERNAME REPLICA_ID s3://BUCKET/DIRECTORY
# The Swarm secrets ucp_password, aws_access_key_id, aws_secret_access_key and dtr_ping_url must be there:
#   printf %s "$UCP_PASSWORD" | docker secret create ucp_password -
# For a server other than Amazon's, AWS_ENDPOINT_URL_S3 names it.
set -euo pipefail
if [ $# -ne 4 ]; then
  echo "usage: $0 UCP_URL UCP_USERNAME REPLICA_ID s3://BUCKET/DIRECTORY" >&2
  exit 2
fi
image=${DTR_BACKUP_IMAGE:-dtr-backup:0.1.0}

secrets=() files=()
for secret in ucp_password aws_access_key_id aws_secret_access_key dtr_ping_url; do
  secrets+=(--secret "$secret")
  files+=(--env "${secret^^}_FILE=/run/secrets/$secret")
done
server=()
if [ -n "${AWS_ENDPOINT_URL_S3:-}" ]; then
  server=(--env "AWS_ENDPOINT_URL_S3=$AWS_ENDPOINT_URL_S3" --env DTR_S3_PATH_STYLE=true)
fi

# `prune` runs only after a backup that succeeded, so a series of failures never removes the last good archives.
docker service create --detach --name dtr-backup --replicas 1 \
  --restart-condition any --restart-delay "${DTR_BACKUP_INTERVAL:-24h}" --stop-grace-period 2m \
  --network dtr-ol "${secrets[@]}" "${files[@]}" "${server[@]}" \
  --env "UCP_URL=$1" --env UCP_INSECURE_TLS=true --env "UCP_USERNAME=$2" --env "DTR_REPLICA_ID=$3" --env "PLACE=${4%/}" \
  --entrypoint sh "$image" -c '
    dtr-backup backup "$PLACE/dtr-{version}-{replica}-{date}.tar" --no-encrypt --verify &&
    dtr-backup prune "$PLACE/" --keep-daily 7 --keep-weekly 4 --keep-monthly 12'
