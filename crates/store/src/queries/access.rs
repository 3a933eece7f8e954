//! Who may see a file: its uploader, and the members of the rooms in which it was sent.

use doran_contract::{FileId, RoomId, UserId, events::FileStored, subject::MESSAGE_STREAM};
use doran_platform::http::Refusal;
use uuid::Uuid;

use crate::state::Service;

pub(crate) async fn may_read(
    service: &Service,
    user: UserId,
    file: &FileStored,
) -> Result<bool, Refusal> {
    if file.uploader_id == user || is_in_a_room(service, user, file.file_id).await? {
        return Ok(true);
    }
    // It may have been sent, or somebody let in, a moment ago.
    service.catch_up("messages", MESSAGE_STREAM).await?;
    for room in rooms(service, file.file_id).await? {
        if service.directory.role(room, user).await.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn is_in_a_room(service: &Service, user: UserId, file: FileId) -> Result<bool, sqlx::Error> {
    let rooms = rooms(service, file).await?;
    let is_member = |room: &RoomId| {
        let member = service
            .directory
            .look(*room, |entry| entry.members.contains_key(&user));
        member.unwrap_or_default()
    };
    Ok(rooms.iter().any(is_member))
}

async fn rooms(service: &Service, file: FileId) -> Result<Vec<RoomId>, sqlx::Error> {
    let rooms: Vec<Uuid> =
        sqlx::query_scalar("select distinct p.room_id from postings p where p.file_id = $1")
            .bind(file.as_uuid())
            .fetch_all(&service.pool)
            .await?;
    Ok(rooms.into_iter().map(RoomId::new).collect())
}
