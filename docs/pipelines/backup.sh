#!/usr/bin/env bash
# Backs up a replica's metadata into FILE, which appears only when the job ended with 0 and `verify` proved what was stored.
# Usage: UCP_PASSWORD=… docs/pipelines/backup.sh UCP_URL UCP_USERNAME REPLICA_ID FILE
set -euo pipefail
if [ $# -ne 4 ]; then
  echo "usage: UCP_PASSWORD=… $0 UCP_URL UCP_USERNAME REPLICA_ID FILE" >&2
  exit 2
fi
image=${DTR_BACKUP_IMAGE:-dtr-backup:0.1.0}
file=$4
part=$file.part
umask 077
trap 'rm -f "$part"' EXIT

# `--env UCP_PASSWORD` without a value passes it on without showing it in the process list.
docker run --log-driver none -i --rm --env UCP_PASSWORD "$image" backup \
  --ucp-url "$1" --ucp-insecure-tls --ucp-username "$2" --existing-replica-id "$3" > "$part"
docker run --log-driver none -i --rm "$image" verify - < "$part"
mv "$part" "$file"
