//! The tables this crate keeps in every schema that holds read models.

use sqlx::PgConnection;

/// Where each read model stands, which events wait for a repair, and why one does not go on.
///
/// The runner creates them itself, so a service's migrations need not mention them and a schema
/// built for a rebuild gets them too. They are here for those who prefer to create them.
pub const DDL: &str = "
create table if not exists projection_position (
    read_model text primary key,
    stream text not null,
    incarnation text not null,
    sequence bigint not null,
    last_event_id uuid,
    version integer not null,
    updated_at timestamptz not null
);
create table if not exists projection_parked (
    read_model text not null,
    aggregate text not null,
    sequence bigint not null,
    event_id uuid not null,
    event_type text not null,
    subject text not null,
    reason text not null,
    parked_at timestamptz not null,
    primary key (read_model, aggregate, sequence)
);
create table if not exists projection_halted (
    read_model text primary key,
    reason text not null,
    since timestamptz not null
);";

/// Creates the tables in the connection's schema if they are not there.
///
/// Asks first, so that a role which may not create tables can run where they exist already.
pub async fn ensure(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let are_there: bool = sqlx::query_scalar(
        "select to_regclass('projection_position') is not null
            and to_regclass('projection_parked') is not null
            and to_regclass('projection_halted') is not null",
    )
    .fetch_one(&mut *connection)
    .await?;
    if are_there {
        return Ok(());
    }
    // Two sessions that create one table at the same moment: one of them would fail.
    let locked = format!(
        "begin; select pg_advisory_xact_lock(hashtextextended('doran projection tables', 0)); \
         {DDL} commit;"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(locked))
        .execute(connection)
        .await
        .map(|_| ())
}
