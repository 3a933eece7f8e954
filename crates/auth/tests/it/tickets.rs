//! `POST /api/auth/ws-ticket`.

use std::time::Duration;

use axum::http::Method;
use doran_platform::ws_ticket::{TicketError, WsTickets};
use futures_util::future::join_all;
use serde_json::json;

use crate::world::World;

async fn ticket(world: &World, token: &str) -> String {
    let call = world.api.call(Method::POST, "/api/auth/ws-ticket");
    let reply = call.bearer(token).send().await;
    assert_eq!(reply.data()["expiresIn"], json!(30));
    reply.data()["ticket"].as_str().unwrap().to_owned()
}

async fn tickets(world: &World) -> WsTickets {
    let platform = &world.platform;
    WsTickets::open(&platform.js, &platform.master_key, &platform.clock)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_who_redeem_a_ticket_at_once_over_two_gateways_one_is_let_in() {
    let world = World::start().await;
    let given = world.kim().await;
    let ticket = ticket(&world, &given.access).await;
    assert!(!given.access.contains(&ticket));
    let gateways = [tickets(&world).await, tickets(&world).await];
    let redeemed = join_all((0..20).map(|number| gateways[number % 2].redeem(&ticket))).await;
    let tokens: Vec<_> = redeemed.iter().flatten().collect();
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].as_str(), given.access);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_serves_for_less_than_thirty_seconds() {
    let world = World::start().await;
    let given = world.kim().await;
    let (early, late) = (
        ticket(&world, &given.access).await,
        ticket(&world, &given.access).await,
    );
    let tickets = tickets(&world).await;
    world.clock.advance(Duration::from_secs(29));
    assert!(tickets.redeem(&early).await.is_ok());
    world.clock.advance(Duration::from_secs(1));
    for ticket in [late.as_str(), "", "nonsense", "AAAA", &"A".repeat(43)] {
        let refused = tickets.redeem(ticket).await;
        assert!(matches!(refused, Err(TicketError::Invalid)), "{ticket}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_a_ticket_without_a_token_that_stands() {
    let world = World::start().await;
    let call = || world.api.call(Method::POST, "/api/auth/ws-ticket");
    assert_eq!(call().send().await.refusal(), (401, "UNAUTHENTICATED"));
    let forged = call().bearer("nonsense").send().await;
    assert_eq!(forged.refusal(), (401, "UNAUTHENTICATED"));
}
