//! Random commands, with repetitions, wrong expectations and stale caches, against the store in
//! memory as the model.

use doran_eventstore::{CommandContext, ExecuteError, Outcome, Recorded};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use uuid::Uuid;

use super::{Memory, Store, World};
use crate::{
    account::{Account, Command},
    fixture::{ExecuteError as Failure, context, rename},
};

const COMMANDS: u128 = 150;
const SEED: u64 = 20_261_126;
const IDS: [&str; 3] = ["1", "2", "3"];
const ADDRESSES: [&str; 4] = ["a", "b", "c", "d"];

struct Request {
    id: &'static str,
    command: Command,
    ctx: CommandContext,
}

pub(in crate::conformance) async fn a_history_leads_to_the_log_that_the_model_has(
    world: &impl World,
) {
    let mut random = StdRng::seed_from_u64(SEED);
    let model = Memory::default();
    let expected = model.store();
    // Each believes what it saw last.
    let stores: Vec<_> = (0..3).map(|_| world.store()).collect();
    let mut requests: Vec<Request> = Vec::new();
    for number in 1..=COMMANDS {
        let request = next(&mut random, number, &requests);
        let (id, ctx) = (request.id, &request.ctx);
        let store = stores.choose(&mut random).unwrap();
        let wanted = Store::execute(&expected, id, request.command.clone(), ctx).await;
        let executed = store.execute(id, request.command.clone(), ctx).await;
        assert_eq!(in_words(executed), in_words(wanted), "command {number}");
        requests.push(request);
    }
    let log: Vec<_> = world.events().await.iter().map(essence).collect();
    let wanted: Vec<_> = model.events().await.iter().map(essence).collect();
    assert_eq!(log, wanted);
    assert!(log.len() > 50, "the history is too thin: {}", log.len());
}

fn next(random: &mut impl Rng, number: u128, earlier: &[Request]) -> Request {
    if random.random_ratio(1, 5)
        && let Some(known) = earlier.choose(random)
    {
        // Sent again, or its id taken for something else.
        let fingerprint = random.random_ratio(1, 4).then(|| "other".to_owned());
        return Request {
            id: known.id,
            command: known.command.clone(),
            ctx: CommandContext {
                fingerprint: fingerprint.or_else(|| known.ctx.fingerprint.clone()),
                ..known.ctx.clone()
            },
        };
    }
    let address = *ADDRESSES.choose(random).unwrap();
    let command = match random.random_range(0..10) {
        0 | 1 => Command::Open { address },
        2 | 3 => Command::Move { to: address },
        4 => Command::RenameTwice("x", "y"),
        5 => Command::Break,
        // Often the name that is there already.
        _ => rename(random.random_range(0..4)),
    };
    let expectation = random.random_ratio(1, 6);
    Request {
        id: IDS.choose(random).unwrap(),
        command,
        ctx: CommandContext {
            fingerprint: Some(format!("request {number}")),
            expected_sequence: expectation.then(|| random.random_range(0..40)),
            ..context(number)
        },
    }
}

/// What a caller sees of an answer. A retry after a lost answer may call it a replay.
fn in_words(answer: Result<Outcome<Account>, Failure>) -> Result<String, String> {
    match answer {
        Ok(Outcome {
            position,
            aggregate,
            sequence,
            ..
        }) => Ok(format!("{position} {sequence} {aggregate:?}")),
        Err(
            error @ (ExecuteError::Refused(_)
            | ExecuteError::PreconditionFailed { .. }
            | ExecuteError::IdempotencyMismatch),
        ) => Err(format!("{error:?}")),
        Err(error) => panic!("{error:?}"),
    }
}

/// What of an event does not depend on the server that stored it.
fn essence(event: &Recorded) -> (u64, String, Uuid, u32, Option<Uuid>, Vec<u8>) {
    (
        event.sequence,
        event.subject.clone(),
        event.event_id,
        event.version,
        event.command_id,
        event.payload.to_vec(),
    )
}
