#!/bin/sh
# Runs once, when the database is made: a user for each service, who owns one schema and sees no other.
set -eu
for pair in auth:auth user:user_schema chat:chat store:store batch:batch; do
    role=${pair%%:*} schema=${pair##*:}
    psql --set ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
        --set "role=doran_$role" --set "schema=$schema" --set "password=$(cat "/run/secrets/$role")" <<'SQL'
create role :"role" login password :'password';
create schema :"schema" authorization :"role";
-- An audit builds the tables once more, in a schema that is dropped again.
grant create on database :"DBNAME" to :"role";
SQL
done
