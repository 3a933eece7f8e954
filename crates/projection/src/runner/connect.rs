//! The connection that a runner holds for itself: its lock and its transactions are of one
//! session, so a lock that is lost takes the transaction with it.

use std::time::Duration;

use sqlx::{ConnectOptions, PgConnection};
use tokio::time::timeout;

use crate::service::Model;

const DEADLINE: Duration = Duration::from_secs(5);

/// Connects to the schema of the model's tables.
pub(crate) async fn connect(model: &Model) -> Result<PgConnection, sqlx::Error> {
    let options = (*model.connections.pool.connect_options())
        .clone()
        .options([
            ("search_path", &*model.schema),
            // Rows and position go together; what a crash takes back the log gives again.
            ("synchronous_commit", "off"),
            ("statement_timeout", "60s"),
            ("idle_in_transaction_session_timeout", "60s"),
        ])
        .disable_statement_logging();
    timeout(DEADLINE, options.connect())
        .await
        .map_err(|_elapsed| sqlx::Error::PoolTimedOut)?
}
