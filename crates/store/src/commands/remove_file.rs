//! `DELETE /api/store/files/{id}`: the uploader or an administrator removes a file, from every
//! message that has it, too.

use axum::extract::State;
use doran_contract::{ErrorCode, FileId};
use doran_platform::http::{Actor, CommandHeaders, Id, Refusal, Success};
use serde_json::{Value, json};

use super::SOURCE;
use crate::{
    file::{Command, Error, File},
    queries::access::may_read,
    state::Service,
};

pub(crate) async fn remove_file(
    State(service): State<Service>,
    actor: Actor,
    Id(id): Id<FileId>,
    headers: CommandHeaders,
) -> Result<Success<Value>, Refusal> {
    let key = id.to_string();
    let loaded = service.files.load(&key).await?;
    if let Some(File::Stored(stored)) = loaded.map(|loaded| loaded.aggregate)
        && stored.uploader_id != actor.user_id
        && !actor.is_admin()
    {
        // Who may not even see it does not learn that it is there.
        let refused = if may_read(&service, actor.user_id, &stored).await? {
            Refusal::new(
                ErrorCode::Forbidden,
                "only its uploader and administrators remove a file",
            )
        } else {
            Error::NotFound.into()
        };
        return Err(refused);
    }
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &[]);
    let outcome = service
        .files
        .execute(&(), &key, Command::Remove, &ctx)
        .await?;
    Ok(Success::ok(json!({ "id": id, "deleted": true }))
        .at(&outcome.position)
        .version(outcome.sequence))
}
