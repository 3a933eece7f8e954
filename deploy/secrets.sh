#!/bin/sh
# Makes what is secret once, and gives each container of compose.yaml what it needs and no more.
#
# kept/ has everything; beside it lies one volume per container, written anew at every start.
set -eu
cd "${1:-/secrets}"

# Read-only files of an earlier start; root without capabilities may not write over them.
rm -f nats/* postgres/* redis/* auth/* user/* chat/* store/* batch/* gateway/* grafana/* operator/*

# A new secret begins with a letter, because nats-server would read a bare 12e3 as a number.
password() {
    [ -s "kept/$1" ] || printf 'p%s' "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" >"kept/$1"
    cat "kept/$1"
}

[ -s kept/master.key ] || head -c 32 /dev/urandom | base64 >kept/master.key
# An Ed25519 key as RFC 8410 writes it: a fixed head and 32 random bytes.
[ -s kept/signing.pem ] || {
    echo '-----BEGIN PRIVATE KEY-----'
    { printf '\060\056\002\001\000\060\005\006\003\053\145\160\004\042\004\040'; head -c 32 /dev/urandom; } | base64
    echo '-----END PRIVATE KEY-----'
} >kept/signing.pem
chmod -R go= kept

superuser=$(password postgres.superuser)
limiter=$(password redis.gateway)
reader=$(password redis.chat)
database() { printf 'postgres://%s:%s@postgres:5432/doran' "$1" "$2"; }

for role in all auth user chat gateway store batch observer system; do
    printf 'NATS_%s_PASSWORD=%s\n' "$(echo "$role" | tr '[:lower:]' '[:upper:]')" "$(password "nats.$role")"
done >nats/environment
# For a node of three, compose.cluster.yaml.
route=$(password nats.route)
node() { printf '"nats-route://route:%s@%s:6222"' "$route" "$1"; }
printf "NATS_CLUSTER_PASSWORD=%s\nNATS_ROUTES='[%s,%s,%s]'\n" \
    "$route" "$(node nats)" "$(node nats-2)" "$(node nats-3)" >>nats/environment

printf '%s' "$superuser" >postgres/superuser
for role in auth user chat store batch; do
    password "postgres.$role" >"postgres/$role"
    printf 'NATS_PASSWORD=%s\nDATABASE_URL=%s\n' "$(password "nats.$role")" \
        "$(database "doran_$role" "$(password "postgres.$role")")" >"$role/environment"
    cp kept/master.key "$role/"
done
printf 'REDIS_URL=redis://chat:%s@redis:6379/0\n' "$reader" >>chat/environment
# After a rotation also the key before and the one after.
cp kept/signing*.pem auth/
# The mail server is somebody else's, so its address is written into kept/ by hand.
[ ! -s kept/smtp.url ] || printf "SMTP_URL='%s'\n" "$(cat kept/smtp.url)" >>user/environment

# A health check may say ping. The gateway runs the scripts of its limiter and of presence, on their
# keys alone; the doctor, with the same user, asks for the version. Chat reads presence.
{
    echo 'user default on nopass -@all +ping'
    scripts='+eval +evalsha +script|load +time +ping +hello +auth +select'
    printf 'user gateway on >%s resetkeys ~doran:limit:* ~doran:presence:* resetchannels -@all %s' "$limiter" "$scripts"
    echo ' +info +get +set +hget +hset +hdel +hgetall +persist +expire +zadd +zrem +zrangebyscore'
    printf 'user chat on >%s resetkeys %%R~doran:presence:* resetchannels -@all %s +hgetall\n' "$reader" "$scripts"
} >redis/users.acl
redis_url="redis://gateway:$limiter@redis:6379/0"
printf 'NATS_PASSWORD=%s\nREDIS_URL=%s\n' "$(password nats.gateway)" "$redis_url" >gateway/environment
cp kept/master.key gateway/

password grafana.admin >grafana/admin

printf 'NATS_PASSWORD=%s\nDATABASE_URL=%s\nREDIS_URL=%s\n' "$(password nats.all)" \
    "$(database postgres "$superuser")" "$redis_url" >operator/environment
cp kept/master.key kept/signing*.pem operator/

# Whoever a container runs as; nobody else sees its volume.
chmod 0444 nats/* postgres/* redis/* auth/* user/* chat/* store/* batch/* gateway/* grafana/* operator/*
