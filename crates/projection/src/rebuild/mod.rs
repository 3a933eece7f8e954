//! Building a schema anew beside the one in use, and putting it in its place.
//!
//! `<schema>_next` is filled by the same read models as `<schema>`, while that is read and written
//! by others. It takes over in one short transaction; what was there before stays as
//! `<schema>_prev`, for a way back. Policies are no read models and know nothing of it.

mod compare;
mod indexes;
mod swap;
mod watch;

use sqlx::{AssertSqlSafe, PgPool};

pub use compare::{CompareError, Comparison};
pub use swap::SwapError;
pub(crate) use watch::watch;

/// A schema, and the names of those beside it.
#[derive(Clone, Debug)]
pub struct Rebuild {
    /// May see and change all of them.
    pool: PgPool,
    schema: String,
    next: String,
}

/// Which of the schemas are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub live: bool,
    pub next: bool,
    pub previous: bool,
}

impl Rebuild {
    /// `schema` is the one in use. `pool` belongs to somebody who owns it or may act for its owner.
    pub fn new(pool: PgPool, schema: &str) -> Self {
        Self {
            pool,
            schema: schema.to_owned(),
            next: format!("{schema}_next"),
        }
    }

    /// The same, but what is built is called `name`: for a look at the past beside the present.
    #[must_use]
    pub fn called(self, name: &str) -> Self {
        Self {
            next: name.to_owned(),
            ..self
        }
    }

    pub fn live(&self) -> &str {
        &self.schema
    }

    /// `<schema>_next`, unless it is [called](Self::called) otherwise.
    pub fn next(&self) -> &str {
        &self.next
    }

    pub fn previous(&self) -> String {
        format!("{}_prev", self.schema)
    }

    pub async fn found(&self) -> Result<Found, sqlx::Error> {
        let (live, next, previous) = sqlx::query_as(
            "select to_regnamespace($1) is not null, to_regnamespace($2) is not null,
                 to_regnamespace($3) is not null",
        )
        .bind(self.live())
        .bind(self.next())
        .bind(self.previous())
        .fetch_one(&self.pool)
        .await?;
        Ok(Found {
            live,
            next,
            previous,
        })
    }

    /// Who owns the schema in use: the new one must belong to the same role.
    pub async fn owner(&self) -> Result<Option<String>, sqlx::Error> {
        sqlx::query_scalar(
            "select pg_get_userbyid(nspowner)::text from pg_namespace where nspname = $1",
        )
        .bind(self.live())
        .fetch_optional(&self.pool)
        .await
    }

    /// Makes `<schema>_next` for the owner of the schema in use, unless it is there.
    pub async fn create_next(&self) -> Result<(), sqlx::Error> {
        let owner = self.owner().await?;
        let mut authorization = String::new();
        if let Some(owner) = owner {
            let quoted: String = sqlx::query_scalar("select quote_ident($1)")
                .bind(owner)
                .fetch_one(&self.pool)
                .await?;
            authorization = format!(" authorization {quoted}");
        }
        let next = self.next();
        self.run(format!("create schema if not exists {next}{authorization}"))
            .await
    }

    /// Drops `<schema>_next` with everything in it. Nothing else is touched.
    pub async fn abort(&self) -> Result<(), sqlx::Error> {
        let next = self.next();
        self.run(format!("drop schema if exists {next} cascade"))
            .await
    }

    /// The names were made from one that was checked.
    async fn run(&self, sql: String) -> Result<(), sqlx::Error> {
        sqlx::query(AssertSqlSafe(sql))
            .execute(&self.pool)
            .await
            .map(|_done| ())
    }
}
