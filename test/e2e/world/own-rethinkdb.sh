#!/bin/sh
# The executable that RETHINKDB_BIN named, with the libraries it had where it came from.
cd /project/build/rethinkdb
exec lib/ld-linux*.so.* --library-path lib ./rethinkdb "$@"
