//! `PUT /api/users/{id}/settings`: somebody replaces their settings.

use axum::extract::State;
use doran_contract::{ErrorCode, UserId};
use doran_platform::http::{Actor, Body, CommandHeaders, Id, Refusal, Success};

use super::SOURCE;
use crate::{access::require_self_or_admin, settings::Settings, state::Service, user::Command};

const MAX_BYTES: usize = 16 * 1024;

pub(crate) async fn change_settings(
    State(service): State<Service>,
    actor: Actor,
    Id(user): Id<UserId>,
    headers: CommandHeaders,
    body: Body<Settings>,
) -> Result<Success<Settings>, Refusal> {
    require_self_or_admin(&actor, user)?;
    let settings = body.value;
    if settings.text().len() > MAX_BYTES {
        return Err(Refusal::new(
            ErrorCode::TooLarge,
            "settings are larger than 16 KiB",
        ));
    }
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    let command = if Settings::of(&service, user).await? == settings {
        Command::Keep
    } else {
        settings.seal(&service, user, ctx.command_id).await?
    };
    let id = user.to_string();
    let outcome = service.users.execute(&(), &id, command, &ctx).await?;
    Ok(Success::ok(settings)
        .at(&outcome.position)
        .version(outcome.sequence))
}
