//! Calls with a token.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use doran_contract::{RoomId, UserId, answer::Answer};
use doran_platform::Clock;
use reqwest::{Client, Method, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::Socket;
use crate::exit::dependency;

const DEADLINE: Duration = Duration::from_secs(30);
/// How often a read model that is behind is asked again, each time after up to 2 s.
const LAGGING_TRIES: u32 = 150;

pub(in super::super) struct Gateway {
    url: String,
    http: Client,
    clock: Clock,
}

/// Somebody who is registered and logged in.
pub(in super::super) struct Person {
    pub(in super::super) id: UserId,
    token: String,
    credentials: Value,
}

#[derive(Deserialize)]
struct Identified<Id> {
    id: Id,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    access_token: String,
}

impl Gateway {
    pub(super) fn new(url: &str) -> Result<Self> {
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            http: Client::builder().timeout(DEADLINE).build()?,
            clock: Clock::system(),
        })
    }

    /// Registers somebody new and logs them in.
    pub(super) async fn register(&self, number: usize) -> Result<Person> {
        let email = format!("bench-{}@example.com", self.clock.new_id());
        let password = self.clock.new_id().to_string();
        let person = json!({
            "email": email,
            "password": password,
            "firstName": "Bench",
            "lastName": number.to_string(),
        });
        let made: Identified<UserId> = self.post(None, "/api/users", &person).await?;
        let credentials = json!({ "email": email, "password": password });
        Ok(Person {
            id: made.id,
            token: self.log_in(&credentials).await?,
            credentials,
        })
    }

    /// A new token for somebody whose own has become old.
    pub(in super::super) async fn log_in_again(&self, person: &mut Person) -> Result<()> {
        person.token = self.log_in(&person.credentials).await?;
        Ok(())
    }

    async fn log_in(&self, credentials: &Value) -> Result<String> {
        let login: Login = self.post(None, "/api/auth/login", credentials).await?;
        Ok(login.access_token)
    }

    /// A room of these people, which the first of them owns.
    pub(super) async fn make_room(&self, people: &[Person]) -> Result<RoomId> {
        let (owner, others) = people.split_first().context("a room has an owner")?;
        let others: Vec<_> = others.iter().map(|person| person.id).collect();
        let room = json!({ "name": "doran bench", "memberIds": others });
        let made: Identified<RoomId> = self.post(Some(owner), "/api/chat/rooms", &room).await?;
        Ok(made.id)
    }

    pub(in super::super) async fn get<T: DeserializeOwned>(
        &self,
        person: &Person,
        path: &str,
    ) -> Result<T> {
        let request = self.http.get(format!("{}{path}", self.url));
        self.ask(request.bearer_auth(&person.token), path).await
    }

    /// The same, once the read models hold what lies at `position`.
    pub(in super::super) async fn get_after(
        &self,
        person: &Person,
        path: &str,
        position: &str,
    ) -> Result<()> {
        for _ in 0..LAGGING_TRIES {
            let request = self.http.get(format!("{}{path}", self.url));
            let request = request.bearer_auth(&person.token);
            let answer = request.header("doran-min-position", position).send();
            match answer.await.map_err(dependency)?.status() {
                StatusCode::OK => return Ok(()),
                StatusCode::SERVICE_UNAVAILABLE => {}
                status => bail!("{path} answered {status}"),
            }
        }
        bail!("the read models do not catch up; see `doran projections status`")
    }

    /// A figure of the gateway's metrics, over all its labels.
    pub(in super::super) async fn figure(&self, name: &str) -> Result<f64> {
        let asked = self.http.get(format!("{}/metrics", self.url)).send().await;
        let metrics = asked
            .map_err(dependency)?
            .error_for_status()?
            .text()
            .await?;
        let lines = metrics.lines().filter(|line| !line.starts_with('#'));
        let figures = lines.filter_map(|line| {
            let labelled = line.strip_prefix(name)?;
            let is_it = labelled.starts_with(['{', ' ']);
            is_it.then(|| labelled.rsplit(' ').next()?.parse::<f64>().ok())?
        });
        let figures: Vec<_> = figures.collect();
        if figures.is_empty() {
            bail!("the gateway's /metrics has no {name}");
        }
        Ok(figures.into_iter().sum())
    }

    pub(in super::super) async fn socket(&self, person: &Person) -> Result<Socket> {
        let address = self.url.replacen("http", "ws", 1);
        Socket::open(&format!("{address}/ws"), &person.token).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        person: Option<&Person>,
        path: &str,
        body: &Value,
    ) -> Result<T> {
        let mut request = self
            .http
            .request(Method::POST, format!("{}{path}", self.url));
        if let Some(person) = person {
            request = request.bearer_auth(&person.token);
        }
        self.ask(request.json(body), path).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        path: &str,
    ) -> Result<T> {
        let unreachable = || format!("no gateway at {}; start one with ./dev up", self.url);
        let answer = request.send().await.map_err(dependency);
        let answer: Answer<T> = answer.with_context(unreachable)?.json().await?;
        match (answer.data, answer.error_code) {
            (Some(data), None) => Ok(data),
            (_, code) => bail!(
                "{path}: {code:?} {}; a bench needs a system without limits: ./dev up --no-limits",
                answer.message.unwrap_or_default()
            ),
        }
    }
}
