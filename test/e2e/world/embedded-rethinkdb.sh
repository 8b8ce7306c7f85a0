#!/bin/sh
# Stands where the executable `rethinkdb` stands in the official image: the embedded server, with the keys of the volume.
# Its flags are those of docker-compose.test.yml, and it does what they say without reading them.
set -e
mkdir -p /data/embedded
cp /ca/rethink/cert.pem /data/embedded/ca.pem
cp /data/tls/cert.pem /data/tls/key.pem /data/embedded/
exec node --no-deprecation /project/build/test/support/replica/reqlite-child.js \
  '{"directory":"/data/embedded","host":"0.0.0.0","port":28015,"tls":true}'
