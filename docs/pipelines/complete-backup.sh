#!/usr/bin/env bash
# Backs up a replica whole into DIRECTORY: the image content, then the metadata. A file appears only when its job ended
# with 0 and `verify` proved what was stored; where one of the two fails, neither does.
# Usage: UCP_PASSWORD=… docs/pipelines/complete-backup.sh UCP_URL UCP_USERNAME REPLICA_ID DIRECTORY
set -euo pipefail
if [ $# -ne 4 ]; then
  echo "usage: UCP_PASSWORD=… $0 UCP_URL UCP_USERNAME REPLICA_ID DIRECTORY" >&2
  exit 2
fi
image=${DTR_BACKUP_IMAGE:-dtr-backup:0.1.0}
replica=(--ucp-url "$1" --ucp-insecure-tls --ucp-username "$2" --existing-replica-id "$3")
cd "$4"
umask 077
trap 'rm -f dtr-image-backup.tar.part dtr-metadata-backup.tar.part' EXIT

run() { # COMMAND FILE
  # `--env UCP_PASSWORD` without a value passes it on without showing it in the process list.
  docker run --log-driver none -i --rm --env UCP_PASSWORD "$image" "$1" "${replica[@]}" > "$2.part"
  docker run --log-driver none -i --rm "$image" verify - < "$2.part"
}

# Images first: what is pushed meanwhile, and so named by the metadata alone, is new and can be pushed again.
run images dtr-image-backup.tar
run backup dtr-metadata-backup.tar
mv dtr-image-backup.tar.part dtr-image-backup.tar
mv dtr-metadata-backup.tar.part dtr-metadata-backup.tar
