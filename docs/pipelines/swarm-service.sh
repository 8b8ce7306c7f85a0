#!/usr/bin/env bash
# Runs the backup as a one-shot Swarm service on DTR's own overlay network: nothing is joined, and the archive goes into a
# volume of the node it runs on. Ends with 0 when the task completed, else with 1 and what Swarm says of it.
# Usage: docs/pipelines/swarm-service.sh UCP_URL UCP_USERNAME REPLICA_ID; the password is the Swarm secret `ucp_password`:
#   printf %s "$UCP_PASSWORD" | docker secret create ucp_password -
set -euo pipefail
if [ $# -ne 3 ]; then
  echo "usage: $0 UCP_URL UCP_USERNAME REPLICA_ID" >&2
  exit 2
fi
image=${DTR_BACKUP_IMAGE:-dtr-backup:0.1.0}
service=dtr-backup-$(date +%Y%m%d-%H%M%S)
trap 'docker service rm "$service" > /dev/null 2>&1 || true' EXIT

docker service create --detach --quiet --name "$service" --mode replicated-job --restart-condition none \
  --network dtr-ol --secret ucp_password --env UCP_PASSWORD_FILE=/run/secrets/ucp_password \
  --mount type=volume,source=dtr-backups,target=/backups \
  "$image" backup --ucp-url "$1" --ucp-insecure-tls --ucp-username "$2" --existing-replica-id "$3" \
  --output '/backups/dtr-{version}-{replica}-{date}.tar' > /dev/null

state=''
while [[ ! $state =~ ^(Complete|Failed|Rejected|Shutdown|Remove) ]]; do
  sleep 1
  state=$(docker service ps --no-trunc --format '{{.CurrentState}}: {{.Error}}' "$service" | head -n 1)
done
docker service logs --raw "$service"
echo "$service: $state"
[[ $state == Complete* ]]
