//! `GET /ws?ticket=…`.

use doran_platform::ws_ticket::WsTickets;
use serde_json::json;

use crate::{
    client::Client,
    world::{Person, World},
};

pub(crate) async fn ticket(world: &World, token: &str) -> String {
    let platform = &world.platform;
    let tickets = WsTickets::open(&platform.js, &platform.master_key, &platform.clock);
    tickets.await.unwrap().issue(token).await.unwrap()
}

async fn connect(world: &World, ticket: &str) -> Client {
    let path = format!("/ws?ticket={ticket}");
    let mut client = Client::connect(world.address, &path, &[]).await.unwrap();
    assert_eq!(client.next().await["type"], "hello");
    client
}

#[tokio::test]
async fn a_ticket_opens_one_socket_and_no_second() {
    let world = World::start().await;
    let person: Person = world.person("민수").await;
    let ticket = ticket(&world, &person.token).await;
    let mut client = connect(&world, &ticket).await;
    let ok = client.next().await;
    assert_eq!(ok["type"], "ok");
    assert_eq!(ok["user"]["id"], json!(person.id));
    assert_eq!(ok["sessionId"], json!(person.session));

    for used_or_invented in [ticket.as_str(), "nonsense", ""] {
        let mut client = connect(&world, used_or_invented).await;
        assert_eq!(client.next().await["code"], "UNAUTHENTICATED");
        assert_eq!(client.closed().await.0, 4501);
    }
}

#[tokio::test]
async fn a_ticket_of_a_session_that_ended_meanwhile_opens_nothing() {
    let world = World::start().await;
    let person = world.person("민수").await;
    let ticket = ticket(&world, &person.token).await;
    world.revoke(&person).await;
    let mut client = connect(&world, &ticket).await;
    assert_eq!(client.next().await["code"], "UNAUTHENTICATED");
    assert_eq!(client.closed().await.0, 4502);
}
