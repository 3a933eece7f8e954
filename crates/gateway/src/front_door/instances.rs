//! A service in other processes: the least busy of those that answer is asked, and another one if
//! it does not.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, Uri},
    response::Response,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::{Instant, sleep};

use super::{
    breaker::Breaker,
    budget::Budget,
    instance::Instance,
    patience::answer_within,
    payload::{BrokenOff, Payload},
    upstream::CallError,
};

const CONNECT: Duration = Duration::from_secs(1);
/// Shorter than services keep a quiet connection.
const IDLE: Duration = Duration::from_secs(10);
/// Calls of one request, the first included.
const TRIES: usize = 3;
/// Before another try of the same instance; doubled, and as much again by chance.
const PAUSE: Duration = Duration::from_millis(25);

pub(super) struct Instances {
    client: Client<HttpConnector, Body>,
    all: Vec<Instance>,
    next: AtomicUsize,
    budget: Budget,
    breaker: Breaker,
}

impl Instances {
    pub(super) fn new(service: &'static str, bases: Vec<Uri>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        Self {
            client: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .build(connector),
            all: bases.into_iter().map(Instance::new).collect(),
            next: AtomicUsize::new(0),
            budget: Budget::default(),
            breaker: Breaker::new(service),
        }
    }

    pub(super) async fn call(&self, request: Request<Body>) -> Result<Response, CallError> {
        let payload = Payload::read(request).await?;
        let pass = self.breaker.admit().map_err(CallError::LeftAlone)?;
        let answer = self.try_call(&payload).await;
        match &answer {
            Ok(_) => pass.answered(),
            Err(CallError::Away(_) | CallError::FateUnknown(_) | CallError::Late) => pass.silent(),
            Err(_) => drop(pass),
        }
        answer
    }

    async fn try_call(&self, payload: &Payload) -> Result<Response, CallError> {
        self.budget.note_call();
        let mut tried = Vec::new();
        loop {
            let (place, instance) = self.choose(&tried).ok_or(CallError::Absent)?;
            let is_again = tried.contains(&place);
            tried.push(place);
            let failure = match self.ask(instance, payload).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            let may_repeat = match &failure {
                CallError::Away(_) => payload.is_whole(),
                CallError::FateUnknown(_) => payload.may_repeat(),
                _ => false,
            };
            if tried.len() == TRIES || !may_repeat || !self.budget.take_retry() {
                return Err(failure);
            }
            let service = self.breaker.service();
            metrics::counter!("gateway_upstream_retries_total", "service" => service).increment(1);
            if is_again || self.all.len() == 1 {
                sleep(pause(tried.len())).await;
            }
        }
    }

    /// The least busy instance that answers and was not tried; in turns among equals. If there is
    /// none, the one that is likely to be back first.
    fn choose(&self, tried: &[usize]) -> Option<(usize, &Instance)> {
        let now = Instant::now();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.all.len();
        let in_turns = (0..count).map(|step| turn.wrapping_add(step) % count);
        in_turns
            .filter_map(|place| self.all.get(place).map(|instance| (place, instance)))
            .min_by_key(|(place, instance)| {
                let until = instance.absent_until(now);
                (tried.contains(place), until, instance.in_flight())
            })
    }

    async fn ask(&self, instance: &Instance, payload: &Payload) -> Result<Response, CallError> {
        let uri = instance.at(payload.uri());
        let request = payload.request(uri.map_err(axum::http::Error::from)?);
        let call = instance.begin();
        let answer = answer_within(payload.stream(), self.client.request(request)).await;
        drop(call);
        let failure = match answer {
            Ok(Ok(response)) => {
                instance.answered();
                return Ok(response.map(Body::new));
            }
            Ok(Err(_)) if payload.is_broken_off() => return Err(BrokenOff.into()),
            Ok(Err(error)) if error.is_connect() || payload.is_query() => {
                CallError::Away(error.into())
            }
            Ok(Err(error)) => CallError::FateUnknown(error.into()),
            Err(late @ CallError::Late) => late,
            Err(broken) => return Err(broken),
        };
        instance.failed();
        Err(failure)
    }
}

fn pause(tries: usize) -> Duration {
    let doubled = PAUSE * 2_u32.pow(u32::try_from(tries).unwrap_or(0));
    doubled + doubled.mul_f64(rand::random())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instances(count: u16) -> Instances {
        let base = |port: u16| format!("http://127.0.0.1:{port}").parse().unwrap();
        Instances::new("chat", (1..=count).map(base).collect())
    }

    fn choose(instances: &Instances, tried: &[usize]) -> usize {
        instances.choose(tried).unwrap().0
    }

    #[tokio::test]
    async fn equals_are_asked_in_turns_and_the_less_busy_first() {
        let instances = instances(3);
        let turns: Vec<_> = (0..6).map(|_| choose(&instances, &[])).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1, 2]);
        let busy = [instances.all[0].begin(), instances.all[2].begin()];
        assert!((0..6).all(|_| choose(&instances, &[]) == 1));
        drop(busy);
    }

    #[tokio::test(start_paused = true)]
    async fn the_dead_are_asked_only_when_nobody_else_is_left() {
        let instances = instances(2);
        instances.all[0].failed();
        assert!((0..6).all(|_| choose(&instances, &[]) == 1));
        assert_eq!(choose(&instances, &[1]), 0);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!((0..6).any(|_| choose(&instances, &[]) == 0));
    }
}
