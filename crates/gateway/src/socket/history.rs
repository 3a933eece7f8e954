//! `history`: a page of a room, from the chat service with the user's own token.

use std::time::Duration;

use doran_contract::{
    frame::{History, OkAnswer, ServerFrame},
    message::HistoryPage,
};

use super::{answer::Denied, connection::Connection};
use crate::front_door::Service;

const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn history(
    connection: &Connection,
    asked: History,
) -> Result<impl FnOnce(Option<u64>) -> ServerFrame + use<>, Denied> {
    connection.limit().await?;
    let room_id = asked.room_id;
    let login = connection.link.login();
    let page: HistoryPage = connection
        .gateway
        .services
        .get(Service::Chat, &path(&asked), &login.token, PATIENCE)
        .await?;
    Ok(move |id| ServerFrame::Ok {
        id,
        answer: OkAnswer::History { room_id, page },
    })
}

fn path(asked: &History) -> String {
    let places = [
        ("before", asked.before),
        ("after", asked.after),
        ("around", asked.around),
        ("limit", asked.limit.map(u64::from)),
    ];
    let query: Vec<String> = places
        .iter()
        .filter_map(|(name, value)| value.map(|value| format!("{name}={value}")))
        .collect();
    format!(
        "/api/chat/rooms/{}/messages?{}",
        asked.room_id,
        query.join("&")
    )
}

#[cfg(test)]
mod tests {
    use doran_contract::RoomId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_asked_for_stands_in_the_query() {
        let asked = History {
            room_id: RoomId::new(Uuid::from_u128(1)),
            before: Some(7),
            after: None,
            around: None,
            limit: Some(20),
        };
        let expected =
            "/api/chat/rooms/00000000-0000-0000-0000-000000000001/messages?before=7&limit=20";
        assert_eq!(path(&asked), expected);
    }
}
