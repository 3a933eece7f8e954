//! Read models that stand still, written down beside their positions for whoever runs no service.

use sqlx::PgConnection;

use crate::{runner::connect, service::Model, tables};

/// Notes why a read model stands still.
pub(crate) async fn note(model: &Model, reason: &str) -> Result<(), sqlx::Error> {
    let mut connection = connect(model).await?;
    tables::ensure(&mut connection).await?;
    sqlx::query(
        "insert into projection_halted (read_model, reason, since)
         values ($1, $2, $3)
         on conflict (read_model) do update
         set reason = excluded.reason, since = excluded.since
         where projection_halted.reason <> excluded.reason",
    )
    .bind(model.name())
    .bind(reason)
    .bind(model.now())
    .execute(&mut connection)
    .await
    .map(drop)
}

/// It goes on.
pub(crate) async fn clear(connection: &mut PgConnection, model: &Model) -> Result<(), sqlx::Error> {
    sqlx::query("delete from projection_halted where read_model = $1")
        .bind(model.name())
        .execute(connection)
        .await
        .map(drop)
}
