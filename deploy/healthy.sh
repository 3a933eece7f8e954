#!/bin/bash
# Whether the role in this container is ready. The image has no HTTP client, and bash has sockets.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/${DORAN_LISTEN##*:}"
printf 'GET /health/ready HTTP/1.0\r\n\r\n' >&3
read -r _ status _ <&3
[ "$status" = 200 ]
