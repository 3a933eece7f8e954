#!/bin/sh
# Passwords come as a file of variables: what stands in a container's configuration, everybody who
# may inspect it can read.
set -eu
if [ -r /run/secrets/environment ]; then
    set -a
    # shellcheck source=/dev/null
    . /run/secrets/environment
    set +a
fi
exec doran "$@"
