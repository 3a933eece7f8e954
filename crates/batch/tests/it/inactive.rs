//! `inactive-users`, with a user service that writes what it is asked for.

use std::sync::{Arc, Mutex};

use doran_contract::{
    UserId, subject,
    upkeep::{InactivityStep, TEND_INACTIVE_USER, TendInactiveUser},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Process, World};

type Asked = Arc<Mutex<Vec<(UserId, InactivityStep)>>>;

fn user(n: u128) -> UserId {
    UserId::new(Uuid::from_u128(n))
}

/// Does what the user service does, and keeps in mind what it was asked for.
async fn user_service(world: &Arc<World>, process: &Process) -> Asked {
    let asked = Asked::default();
    let nats = world.nats.client().await;
    let mut requests = nats.subscribe(TEND_INACTIVE_USER).await.unwrap();
    nats.flush().await.unwrap();
    let (kept, world) = (Arc::clone(&asked), Arc::clone(world));
    process.platform.lifecycle.spawn(async move {
        while let Some(request) = requests.next().await {
            let TendInactiveUser { user_id, step } =
                serde_json::from_slice(&request.payload).unwrap();
            kept.lock().unwrap().push((user_id, step));
            match step {
                InactivityStep::Rest => world.status(user_id, "ACTIVE", "INACTIVE").await,
                InactivityStep::Notify => {}
                InactivityStep::Delete => {
                    let body = json!({ "userId": user_id, "emailKey": "k" });
                    world
                        .event(subject::user(user_id, "UserDeleted"), body)
                        .await;
                }
            }
            let reply = json!({ "outcome": "accepted", "changed": true }).to_string();
            nats.publish(request.reply.unwrap(), reply.into())
                .await
                .unwrap();
        }
    });
    asked
}

async fn figures(process: &Process, body: Value) -> Value {
    let run = process.run("inactive-users", &body).await;
    let ended = process.ended(&run).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    ended["figures"].clone()
}

fn take(asked: &Asked) -> Vec<(UserId, InactivityStep)> {
    std::mem::take(&mut *asked.lock().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stays_away_rests_is_told_once_and_is_deleted_a_month_after_it() {
    let (world, process) = World::start().await;
    let world = Arc::new(world);
    let asked = user_service(&world, &process).await;
    world.user(user(1), "ROLE_USER").await;
    world.user(user(2), "ROLE_USER").await;
    world.user(user(3), "ROLE_ADMIN").await;
    assert_eq!(figures(&process, json!({})).await["rested"], 0);

    world.days_pass(92);
    world.log_in(user(2)).await;
    let dry = figures(&process, json!({ "dryRun": true })).await;
    assert_eq!((&dry["rested"], take(&asked)), (&json!(1), vec![]));
    assert_eq!(figures(&process, json!({})).await["rested"], 1);
    assert_eq!(take(&asked), [(user(1), InactivityStep::Rest)]);

    world.days_pass(277);
    world.log_in(user(2)).await;
    let told = figures(&process, json!({})).await;
    assert_eq!(
        (&told["notified"], &told["deleted"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(take(&asked), [(user(1), InactivityStep::Notify)]);
    assert_eq!(figures(&process, json!({})).await["notified"], 0);

    world.days_pass(366);
    world.log_in(user(2)).await;
    assert_eq!(figures(&process, json!({})).await["deleted"], 1);
    assert_eq!(take(&asked), [(user(1), InactivityStep::Delete)]);
    assert_eq!(figures(&process, json!({})).await["deleted"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_deleted_who_was_not_told() {
    let (world, process) = World::start().await;
    let world = Arc::new(world);
    let asked = user_service(&world, &process).await;
    world.user(user(1), "ROLE_USER").await;
    world.status(user(1), "ACTIVE", "INACTIVE").await;
    world.days_pass(3 * 365);
    let told = figures(&process, json!({})).await;
    assert_eq!(
        (&told["notified"], &told["deleted"]),
        (&json!(1), &json!(0))
    );
    world.days_pass(20);
    assert_eq!(figures(&process, json!({})).await["deleted"], 0);
    world.days_pass(20);
    assert_eq!(figures(&process, json!({})).await["deleted"], 1);
    let steps: Vec<_> = take(&asked).into_iter().map(|(_, step)| step).collect();
    assert_eq!(steps, [InactivityStep::Notify, InactivityStep::Delete]);
}
