//! Who may do what to a message, and whether it needs an event. Pure.

use doran_contract::{UserId, command::MessageChange, room::RoomRole};

use super::Error;

/// Who wants the change, and how the message stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) actor: UserId,
    pub(super) role: RoomRole,
    pub(super) author: UserId,
    pub(super) is_deleted: bool,
    /// Whether what is wanted is so already.
    pub(super) is_so: bool,
}

/// Whether the change needs an event. The same change twice does not.
pub(super) fn decide(change: &MessageChange, standing: &Standing) -> Result<bool, Error> {
    let is_author = standing.actor == standing.author;
    let is_admin = standing.role >= RoomRole::Admin;
    match change {
        MessageChange::Edit { .. } if !is_author => return Err(Error::NotTheAuthor),
        MessageChange::Delete if !is_author && !is_admin => return Err(Error::NotYours),
        MessageChange::Pin | MessageChange::Unpin if !is_admin => return Err(Error::NotAnAdmin),
        MessageChange::Edit { .. }
        | MessageChange::Delete
        | MessageChange::React { .. }
        | MessageChange::Unreact { .. }
        | MessageChange::Pin
        | MessageChange::Unpin => {}
    }
    match change {
        MessageChange::Delete => Ok(!standing.is_deleted),
        // A deleted message has neither reactions nor a pin.
        MessageChange::Unreact { .. } | MessageChange::Unpin if standing.is_deleted => Ok(false),
        _ if standing.is_deleted => Err(Error::Deleted),
        // Nobody knows here what it says, so every edit is one.
        MessageChange::Edit { .. } => Ok(true),
        MessageChange::React { .. }
        | MessageChange::Unreact { .. }
        | MessageChange::Pin
        | MessageChange::Unpin => Ok(!standing.is_so),
    }
}

#[cfg(test)]
mod tests {
    use doran_contract::message::Emoji;
    use sqlx::types::Uuid;

    use super::*;

    const AUTHOR: UserId = UserId::new(Uuid::from_u128(1));
    const OTHER: UserId = UserId::new(Uuid::from_u128(2));

    fn emoji() -> Emoji {
        "👍".parse().unwrap()
    }

    fn edit() -> MessageChange {
        MessageChange::Edit {
            content: "x".to_owned(),
            mentions: None,
        }
    }

    fn by(actor: UserId, role: RoomRole) -> Standing {
        Standing {
            actor,
            role,
            author: AUTHOR,
            is_deleted: false,
            is_so: false,
        }
    }

    #[test]
    fn each_change_is_for_those_who_may() {
        use MessageChange::{Delete, Pin, React, Unpin, Unreact};
        use RoomRole::{Admin, Member, Owner};
        let emoji = emoji();
        let react = React {
            emoji: emoji.clone(),
        };
        let unreact = Unreact { emoji };
        for (actor, role, change, expected) in [
            (AUTHOR, Member, edit(), Ok(true)),
            (OTHER, Owner, edit(), Err(Error::NotTheAuthor)),
            (OTHER, Member, edit(), Err(Error::NotTheAuthor)),
            (AUTHOR, Member, Delete, Ok(true)),
            (OTHER, Admin, Delete, Ok(true)),
            (OTHER, Owner, Delete, Ok(true)),
            (OTHER, Member, Delete, Err(Error::NotYours)),
            (OTHER, Member, react, Ok(true)),
            (OTHER, Member, unreact, Ok(true)),
            (OTHER, Admin, Pin, Ok(true)),
            (AUTHOR, Owner, Unpin, Ok(true)),
            (AUTHOR, Member, Pin, Err(Error::NotAnAdmin)),
            (AUTHOR, Member, Unpin, Err(Error::NotAnAdmin)),
        ] {
            let decided = decide(&change, &by(actor, role));
            assert_eq!(decided, expected, "{role:?} {change:?}");
        }
    }

    #[test]
    fn what_is_so_already_needs_no_event() {
        let so = Standing {
            is_so: true,
            ..by(AUTHOR, RoomRole::Owner)
        };
        let react = MessageChange::React { emoji: emoji() };
        for change in [react, MessageChange::Pin, MessageChange::Unpin] {
            assert_eq!(decide(&change, &so), Ok(false), "{change:?}");
        }
        assert_eq!(decide(&edit(), &so), Ok(true));
    }

    #[test]
    fn a_deleted_message_is_changed_no_more() {
        let gone = Standing {
            is_deleted: true,
            ..by(AUTHOR, RoomRole::Owner)
        };
        let react = MessageChange::React { emoji: emoji() };
        for change in [edit(), react, MessageChange::Pin] {
            assert_eq!(decide(&change, &gone), Err(Error::Deleted), "{change:?}");
        }
        let unreact = MessageChange::Unreact { emoji: emoji() };
        for change in [unreact, MessageChange::Unpin, MessageChange::Delete] {
            assert_eq!(decide(&change, &gone), Ok(false), "{change:?}");
        }
    }
}
