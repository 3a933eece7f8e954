//! `PATCH` and `PUT /api/users/{id}`: somebody says other things about themselves, or moves to
//! another e-mail address. A PATCH merges, a PUT replaces; an address that is not given stays.

use axum::extract::State;
use doran_contract::{UserId, subject, user::User as Profile};
use doran_eventstore::{CommandContext, ExecuteError, Outcome, event_id};
use doran_platform::{
    http::{Actor, Body, CommandHeaders, Id, Refusal, Success, valid},
    profile::PersonalData,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::SOURCE;
use crate::{
    access::require_self_or_admin,
    names::full_name,
    state::Service,
    user::{Command, Error, User},
};

/// How often a change is put on top of what others changed meanwhile.
const TRIES: usize = 5;

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Patch {
    #[garde(email, length(chars, max = 254))]
    #[serde(default, deserialize_with = "given")]
    email: Option<String>,
    #[garde(
        length(chars, min = 1, max = 50),
        inner(custom(valid::no_control_characters), custom(valid::not_blank))
    )]
    #[serde(default, deserialize_with = "given")]
    first_name: Option<String>,
    #[garde(
        length(chars, min = 1, max = 50),
        inner(custom(valid::no_control_characters), custom(valid::not_blank))
    )]
    #[serde(default, deserialize_with = "given")]
    last_name: Option<String>,
    #[garde(inner(inner(
        length(chars, min = 1, max = 50),
        custom(valid::no_control_characters)
    )))]
    #[serde(default, deserialize_with = "present")]
    #[expect(clippy::option_option, reason = "not there, null, or a text")]
    name: Option<Option<String>>,
    #[garde(inner(inner(length(chars, max = 2048), custom(valid::no_control_characters))))]
    #[serde(default, deserialize_with = "present")]
    #[expect(clippy::option_option, reason = "not there, null, or a text")]
    picture: Option<Option<String>>,
    #[garde(inner(inner(length(chars, max = 100), custom(valid::no_control_characters))))]
    #[serde(default, deserialize_with = "present")]
    #[expect(clippy::option_option, reason = "not there, null, or a text")]
    info: Option<Option<String>>,
}

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Replacement {
    #[garde(email, length(chars, max = 254))]
    email: Option<String>,
    #[garde(
        length(chars, min = 1, max = 50),
        custom(valid::no_control_characters),
        custom(valid::not_blank)
    )]
    first_name: String,
    #[garde(
        length(chars, min = 1, max = 50),
        custom(valid::no_control_characters),
        custom(valid::not_blank)
    )]
    last_name: String,
    #[garde(
        length(chars, min = 1, max = 50),
        inner(custom(valid::no_control_characters))
    )]
    name: Option<String>,
    #[garde(length(chars, max = 2048), inner(custom(valid::no_control_characters)))]
    picture: Option<String>,
    #[garde(length(chars, max = 100), inner(custom(valid::no_control_characters)))]
    info: Option<String>,
}

pub(crate) async fn patch_profile(
    State(service): State<Service>,
    actor: Actor,
    Id(user): Id<UserId>,
    headers: CommandHeaders,
    body: Body<Patch>,
) -> Result<Success<Profile>, Refusal> {
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    change_profile(&service, &actor, user, &body.value, &ctx).await
}

pub(crate) async fn replace_profile(
    State(service): State<Service>,
    actor: Actor,
    Id(user): Id<UserId>,
    headers: CommandHeaders,
    body: Body<Replacement>,
) -> Result<Success<Profile>, Refusal> {
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    let wanted = body.value;
    let patch = Patch {
        email: wanted.email,
        first_name: Some(wanted.first_name),
        last_name: Some(wanted.last_name),
        name: Some(wanted.name),
        picture: Some(wanted.picture),
        info: Some(wanted.info),
    };
    change_profile(&service, &actor, user, &patch, &ctx).await
}

async fn change_profile(
    service: &Service,
    actor: &Actor,
    user: UserId,
    patch: &Patch,
    ctx: &CommandContext,
) -> Result<Success<Profile>, Refusal> {
    require_self_or_admin(actor, user)?;
    for _ in 0..TRIES {
        let outcome = match try_to_change(service, user, patch, ctx).await? {
            Ok(outcome) => outcome,
            // The person moved on between reading and writing, and the client did not mind.
            Err(ExecuteError::PreconditionFailed { .. }) if ctx.expected_sequence.is_none() => {
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let profile = service.platform.profiles.at(user, outcome.sequence).await?;
        let profile = profile.ok_or(Error::NotFound)?;
        return Ok(Success::ok(profile.user.clone())
            .at(&outcome.position)
            .version(outcome.sequence));
    }
    Err(ExecuteError::<Error>::Conflict.into())
}

/// Changes the person as the log has them now: the event holds everything personal anew, so it
/// must not be put on top of anything else.
async fn try_to_change(
    service: &Service,
    user: UserId,
    patch: &Patch,
    ctx: &CommandContext,
) -> Result<Result<Outcome<User>, ExecuteError<Error>>, Refusal> {
    let id = user.to_string();
    let known = service.users.load(&id).await?.ok_or(Error::NotFound)?;
    let email_key = known.aggregate.email_key().ok_or(Error::NotFound)?;
    let profile = service.platform.profiles.at(user, known.sequence).await?;
    let before = profile.and_then(|profile| PersonalData::of(&profile.user));
    let before = before.ok_or(Error::NotFound)?;
    let after = patch.apply(before.clone());
    let command = if after == before {
        Command::Keep
    } else {
        seal(service, ctx, user, (&after, email_key)).await?
    };
    let ctx = CommandContext {
        expected_sequence: ctx.expected_sequence.or(Some(known.sequence)),
        ..ctx.clone()
    };
    Ok(service.users.execute(&(), &id, command, &ctx).await)
}

async fn seal(
    service: &Service,
    ctx: &CommandContext,
    user: UserId,
    (after, claimed): (&PersonalData, &str),
) -> Result<Command, Refusal> {
    let key = service.platform.keyring.key(user).await?;
    let key = key.ok_or(Error::NotFound)?;
    let email_key = service.platform.blinder.email_key(&after.email);
    let seal = |event_type| {
        let subject = subject::user(user, event_type);
        Box::new(after.seal(&key, subject, event_id(ctx.command_id, 0)))
    };
    Ok(if email_key == claimed {
        Command::ChangeProfile(seal("UserProfileChanged"))
    } else {
        Command::ChangeEmail {
            personal: seal("UserEmailChanged"),
            email_key,
        }
    })
}

impl Patch {
    fn apply(&self, before: PersonalData) -> PersonalData {
        let is_default = before.name == full_name(&before.first_name, &before.last_name);
        let first_name = self.first_name.clone().unwrap_or(before.first_name);
        let last_name = self.last_name.clone().unwrap_or(before.last_name);
        let full_name = full_name(&first_name, &last_name);
        let name = match &self.name {
            Some(name) => name.clone().filter(|name| !name.trim().is_empty()),
            None if is_default => None,
            None => Some(before.name),
        };
        PersonalData {
            email: self.email.clone().unwrap_or(before.email),
            name: name.unwrap_or(full_name),
            first_name,
            last_name,
            picture: merged(&self.picture, before.picture),
            info: merged(&self.info, before.info),
        }
    }
}

/// What is empty is not there.
#[expect(clippy::ref_option, reason = "a field as it is")]
#[expect(clippy::option_option, reason = "not there, null, or a text")]
fn merged(wanted: &Option<Option<String>>, before: Option<String>) -> Option<String> {
    let wanted = wanted.clone().unwrap_or(before);
    wanted.filter(|text| !text.is_empty())
}

/// Refuses `null` for what everybody has.
fn given<'de, D>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: Deserializer<'de>,
{
    String::deserialize(deserializer).map(Some)
}

/// Tells a field that is `null` from one that is not there.
#[expect(clippy::option_option, reason = "not there, null, or a text")]
fn present<'de, D>(deserializer: D) -> Result<Option<Option<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before() -> PersonalData {
        PersonalData {
            email: "kim@example.com".to_owned(),
            first_name: "민수".to_owned(),
            last_name: "김".to_owned(),
            name: "김민수".to_owned(),
            picture: Some("p".to_owned()),
            info: Some("i".to_owned()),
        }
    }

    fn patched(patch: &str) -> PersonalData {
        let patch: Patch = serde_json::from_str(patch).unwrap();
        patch.apply(before())
    }

    #[test]
    fn what_is_not_there_stays_and_what_is_null_goes() {
        assert!(patched("{}") == before());
        let after = patched(r#"{"picture":null,"info":""}"#);
        assert_eq!((after.picture, after.info), (None, None));
        assert_eq!(after.name, "김민수");
    }

    #[test]
    fn a_name_that_nobody_chose_follows_its_parts() {
        assert_eq!(patched(r#"{"firstName":"철수"}"#).name, "김철수");
        assert_eq!(
            patched(r#"{"firstName":"철수","name":"별명"}"#).name,
            "별명"
        );
        let chosen = PersonalData {
            name: "별명".to_owned(),
            ..before()
        };
        let patch: Patch = serde_json::from_str(r#"{"firstName":"철수"}"#).unwrap();
        assert_eq!(patch.apply(chosen).name, "별명");
        assert_eq!(patched(r#"{"name":null}"#).name, "김민수");
    }
}
