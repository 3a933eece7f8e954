//! What a store promises, held against every store: in memory, on one node, on three nodes, and
//! on three nodes whose leader is killed meanwhile.

mod cases;
mod cluster;
mod history;
mod memory;
mod node;

use doran_eventstore::{CommandContext, LoadError, Loaded, Outcome, Recorded};

use self::{cluster::Cluster, memory::Memory};
use crate::{
    account::{Account, Command},
    fixture::{ExecuteError, Fixture},
};

/// A log, and stores upon it as separate processes would have them.
trait World {
    type Store: Store;

    /// A store that has read nothing yet.
    fn store(&self) -> Self::Store;

    /// Everything in the log, in order.
    async fn events(&self) -> Vec<Recorded>;
}

trait Store {
    async fn execute(
        &self,
        id: &str,
        command: Command,
        ctx: &CommandContext,
    ) -> Result<Outcome<Account>, ExecuteError>;

    async fn load(&self, id: &str) -> Result<Option<Loaded<Account>>, LoadError>;
}

/// Each case as a test in memory and on one node, and all of them in a row on three nodes.
macro_rules! conformance {
    ($($case:ident),+ $(,)?) => {
        mod in_memory {
            use super::*;
            $(#[tokio::test]
            async fn $case() {
                cases::$case(&Memory::default()).await;
            })+
        }

        mod on_one_node {
            use super::*;
            $(#[tokio::test]
            async fn $case() {
                cases::$case(&Fixture::start().await).await;
            })+
        }

        #[tokio::test]
        async fn on_three_nodes() {
            let mut cluster = Cluster::start().await;
            $(cases::$case(&cluster).await;
            cluster.begin_anew().await;)+
        }
    };
}

conformance! {
    a_command_is_executed_once_by_whichever_store,
    a_command_id_belongs_to_one_request,
    a_refusal_writes_nothing,
    an_expected_last_event_lets_one_of_twenty_through,
    a_value_is_held_by_one_aggregate_at_a_time,
    of_those_who_want_one_value_one_gets_it,
    sixteen_writers_break_no_chain,
    a_history_leads_to_the_log_that_the_model_has,
}

/// Those that write for long enough to be interrupted, one test each.
macro_rules! under_leader_kills {
    ($($case:ident),+ $(,)?) => {
        mod on_three_nodes_whose_leader_is_killed {
            use super::*;
            $(#[tokio::test]
            async fn $case() {
                let cluster = Cluster::start().await;
                cluster.while_leaders_are_killed(cases::$case(&cluster)).await;
            })+
        }
    };
}

under_leader_kills! {
    of_those_who_want_one_value_one_gets_it,
    sixteen_writers_break_no_chain,
    a_history_leads_to_the_log_that_the_model_has,
}
