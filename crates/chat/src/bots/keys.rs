//! A bot's secret and token. They are kept nowhere: they follow from the master key, the bot and a
//! number that the log has. A rotation raises the number.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doran_contract::UserId;
use doran_platform::secret::{HashingKey, MasterKey, OpenError, SealingKey};
use sqlx::types::Uuid;

use crate::bot::Details;

/// Tells a bot's token from an access token.
const PREFIX: &str = "bot_";

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Keys {
    secret: HashingKey,
    token: HashingKey,
    webhook: Arc<SealingKey>,
}

impl Keys {
    pub(crate) fn new(master: &MasterKey) -> Self {
        Self {
            secret: master.hashing_key("bot-secret"),
            token: master.hashing_key("bot-token"),
            webhook: Arc::new(master.sealing_key("bot-webhook")),
        }
    }

    /// Signs what is posted to the bot: its text is the key.
    pub(crate) fn secret(&self, bot: &Details) -> String {
        let name = format!("{}/{}", bot.id, bot.secret);
        self.secret.hex(name.as_bytes())
    }

    /// What the bot shows to speak.
    pub(crate) fn token(&self, bot: &Details) -> String {
        let name = format!("{}/{}", bot.id, bot.token);
        let id = bot.id.as_uuid().simple();
        format!("{PREFIX}{id}_{}", self.token.hex(name.as_bytes()))
    }

    /// Whose token it says it is; none of what is no bot's token.
    pub(crate) fn claimed(token: &str) -> Option<UserId> {
        let (id, _) = token.strip_prefix(PREFIX)?.split_once('_')?;
        Uuid::try_parse(id).ok().map(UserId::new)
    }

    /// Whether this is the bot's token now. Takes as long for a wrong one as for the right one.
    pub(crate) fn is_token(&self, bot: &Details, token: &str) -> bool {
        let expected = self.token(bot);
        self.token.hash(token.as_bytes()) == self.token.hash(expected.as_bytes())
    }

    pub(crate) fn seal_webhook(&self, bot: UserId, url: &str) -> String {
        let sealed = self.webhook.seal(&bot.to_string(), url.as_bytes());
        URL_SAFE_NO_PAD.encode(sealed)
    }

    pub(crate) fn open_webhook(&self, bot: &Details) -> Result<Option<String>, OpenError> {
        let Some(sealed) = &bot.profile.sealed_webhook else {
            return Ok(None);
        };
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_error| OpenError)?;
        let url = self.webhook.open(&bot.id.to_string(), &sealed)?;
        let url = String::from_utf8(url.to_vec()).map_err(|_error| OpenError)?;
        Ok(Some(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::Profile;

    fn bot(id: u128, token: u32) -> Details {
        Details {
            id: UserId::new(Uuid::from_u128(id)),
            profile: Profile {
                name: "x".to_owned(),
                picture: None,
                sealed_webhook: None,
            },
            secret: 0,
            token,
        }
    }

    #[test]
    fn a_token_is_of_one_bot_and_until_its_rotation() {
        let keys = Keys::new(&MasterKey::new([7; 32]));
        let token = keys.token(&bot(1, 0));
        assert_eq!(Keys::claimed(&token), Some(bot(1, 0).id));
        assert!(keys.is_token(&bot(1, 0), &token));
        assert!(!keys.is_token(&bot(2, 0), &token));
        assert!(!keys.is_token(&bot(1, 1), &token));
        let other = Keys::new(&MasterKey::new([8; 32]));
        assert!(!other.is_token(&bot(1, 0), &token));
        for foreign in ["", "eyJ.x.y", "bot_", "bot_x_y"] {
            assert_eq!(Keys::claimed(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_webhook_opens_for_its_bot_alone() {
        let keys = Keys::new(&MasterKey::new([7; 32]));
        let url = "https://bot.example/hook";
        let mut one = bot(1, 0);
        one.profile.sealed_webhook = Some(keys.seal_webhook(one.id, url));
        assert_eq!(keys.open_webhook(&one).unwrap().as_deref(), Some(url));
        let mut other = bot(2, 0);
        other.profile.sealed_webhook = one.profile.sealed_webhook;
        assert!(keys.open_webhook(&other).is_err());
    }
}
