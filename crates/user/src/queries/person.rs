//! Rows of the read models: one person, still sealed.

use doran_contract::{
    Timestamp, UserId, subject,
    user::{Role, User, UserStatus},
};
use doran_platform::{
    keyring::{Keyring, OpenFieldError},
    profile::{Facts, SealedPersonalData},
};
use serde::de::DeserializeOwned;
use sqlx::{
    FromRow, PgPool, Postgres, QueryBuilder, Row,
    postgres::PgRow,
    types::{
        Json, Uuid,
        chrono::{DateTime, Utc},
    },
};

/// Status and role are read as JSON, so that the contract alone says how they are spelled.
const SELECT: &str = "
    select
        u.id, u.profile_event_id, u.profile_event_type,
        u.email, u.first_name, u.last_name, u.name, u.picture, u.info,
        to_jsonb(u.status) as status, to_jsonb(u.role) as role,
        u.coach_check, u.created_sequence, u.version, u.created_at, u.updated_at,
        case when u.deleted_at is null then c.last_conn_time end as last_conn_time
    from users u
    left join user_name_tokens t on t.user_id = u.id
    left join user_last_connections c on c.user_id = u.id
    where true";

/// A person as the tables have them.
pub(crate) struct Person {
    facts: Facts,
    /// None of a deleted person.
    personal: Option<SealedPersonalData>,
    /// Sequence of the person's first event: the order of lists, newest first.
    pub(crate) created_sequence: i64,
    /// Sequence of the newest event.
    pub(crate) version: u64,
}

/// Which people are wanted; what is none does not matter.
#[derive(Default)]
pub(crate) struct Filter {
    /// Tokens that the names must have all of.
    pub(crate) name_tokens: Option<Vec<i64>>,
    pub(crate) email_key: Option<String>,
    pub(crate) status: Option<UserStatus>,
    pub(crate) role: Option<Role>,
}

impl Person {
    pub(crate) fn id(&self) -> UserId {
        self.facts.id
    }

    pub(crate) async fn by_id(pool: &PgPool, id: UserId) -> Result<Option<Self>, sqlx::Error> {
        QueryBuilder::<Postgres>::new(SELECT)
            .push(" and u.id = ")
            .push_bind(id.as_uuid())
            .build_query_as()
            .fetch_optional(pool)
            .await
    }

    pub(crate) async fn by_email_key(
        pool: &PgPool,
        email_key: &str,
    ) -> Result<Option<Self>, sqlx::Error> {
        QueryBuilder::<Postgres>::new(SELECT)
            .push(" and u.email_key = ")
            .push_bind(email_key)
            .push(" order by u.created_sequence desc limit 1")
            .build_query_as()
            .fetch_optional(pool)
            .await
    }

    /// Up to `limit` people, newest first, created before the sequence `before`.
    pub(crate) async fn page(
        pool: &PgPool,
        filter: &Filter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Self>, sqlx::Error> {
        let mut query = QueryBuilder::<Postgres>::new(SELECT);
        query.push(" and u.deleted_at is null");
        if let Some(tokens) = &filter.name_tokens {
            query.push(" and t.tokens @> ").push_bind(tokens);
        }
        if let Some(email_key) = &filter.email_key {
            query.push(" and u.email_key = ").push_bind(email_key);
        }
        if let Some(status) = filter.status {
            query
                .push(" and to_jsonb(u.status) = ")
                .push_bind(Json(status));
        }
        if let Some(role) = filter.role {
            query.push(" and to_jsonb(u.role) = ").push_bind(Json(role));
        }
        if let Some(before) = before {
            query.push(" and u.created_sequence < ").push_bind(before);
        }
        query
            .push(" order by u.created_sequence desc limit ")
            .push_bind(limit)
            .build_query_as()
            .fetch_all(pool)
            .await
    }

    pub(crate) async fn open(self, keyring: &Keyring) -> Result<User, OpenFieldError> {
        let personal = match self.personal {
            Some(sealed) => sealed.open(keyring).await?,
            None => None,
        };
        Ok(self.facts.with(personal))
    }
}

impl FromRow<'_, PgRow> for Person {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let id = UserId::new(row.try_get("id")?);
        let facts = Facts {
            id,
            status: json(row, "status")?,
            role: json(row, "role")?,
            created_at: time(row, "created_at")?,
            updated_at: time(row, "updated_at")?,
            last_conn_time: row
                .try_get::<Option<DateTime<Utc>>, _>("last_conn_time")?
                .map(Timestamp::from),
            coach_check: row.try_get("coach_check")?,
        };
        Ok(Self {
            personal: personal(row, id)?,
            facts,
            created_sequence: row.try_get("created_sequence")?,
            version: row.try_get::<i64, _>("version")?.unsigned_abs(),
        })
    }
}

fn personal(row: &PgRow, id: UserId) -> Result<Option<SealedPersonalData>, sqlx::Error> {
    let Some(email) = optional_json(row, "email")? else {
        return Ok(None);
    };
    let event_type: String = row.try_get("profile_event_type")?;
    Ok(Some(SealedPersonalData {
        subject: subject::user(id, &event_type),
        event_id: row.try_get::<Uuid, _>("profile_event_id")?,
        email,
        first_name: json(row, "first_name")?,
        last_name: json(row, "last_name")?,
        name: json(row, "name")?,
        picture: optional_json(row, "picture")?,
        info: optional_json(row, "info")?,
    }))
}

fn json<T: DeserializeOwned>(row: &PgRow, column: &str) -> Result<T, sqlx::Error> {
    let Json(value) = row.try_get(column)?;
    Ok(value)
}

fn optional_json<T: DeserializeOwned>(row: &PgRow, column: &str) -> Result<Option<T>, sqlx::Error> {
    let value: Option<Json<T>> = row.try_get(column)?;
    Ok(value.map(|Json(value)| value))
}

fn time(row: &PgRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    row.try_get::<DateTime<Utc>, _>(column).map(Timestamp::from)
}
