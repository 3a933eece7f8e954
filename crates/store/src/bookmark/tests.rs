use cqrs_es::test::TestFramework;
use doran_contract::{
    BookmarkId, MessageId, RoomId, Sealed, UserId,
    events::{BookmarkEvent, BookmarkRemoved, BookmarkSaved},
};
use uuid::Uuid;

use super::{Bookmarks, Command, Error};

const KIM: UserId = UserId::new(Uuid::from_u128(1));

fn id(number: u128) -> BookmarkId {
    BookmarkId::derive(KIM, MessageId::new(Uuid::from_u128(number)))
}

fn saved(number: u128) -> BookmarkSaved {
    BookmarkSaved {
        bookmark_id: id(number),
        user_id: KIM,
        message_id: MessageId::new(Uuid::from_u128(number)),
        room_id: RoomId::new(Uuid::from_u128(2)),
        sender_id: KIM,
        seq: 7,
        note: None,
    }
}

fn removed(number: u128) -> BookmarkEvent {
    let removed = BookmarkRemoved {
        bookmark_id: id(number),
        user_id: KIM,
    };
    removed.into()
}

fn save(number: u128) -> Command {
    Command::Save(Box::new(saved(number)))
}

fn given(events: Vec<BookmarkEvent>) -> cqrs_es::test::AggregateTestExecutor<Bookmarks> {
    TestFramework::<Bookmarks>::with(()).given(events)
}

#[test]
fn a_message_is_kept_once_and_can_be_kept_again_after_it_was_removed() {
    given(vec![])
        .when(save(1))
        .then_expect_events(vec![saved(1).into()]);
    given(vec![saved(1).into()])
        .when(save(1))
        .then_expect_events(vec![]);
    given(vec![saved(1).into(), removed(1)])
        .when(save(1))
        .then_expect_events(vec![saved(1).into()]);
}

#[test]
fn what_is_not_there_is_not_removed() {
    given(vec![])
        .when(Command::Remove(vec![id(1)]))
        .then_expect_error(Error::NotFound);
    given(vec![saved(1).into(), removed(1)])
        .when(Command::Remove(vec![id(1)]))
        .then_expect_error(Error::NotFound);
}

#[test]
fn of_several_those_that_are_there_are_removed_each_once() {
    let mut expected = vec![removed(1), removed(2)];
    expected.sort_by_key(|event| match event {
        BookmarkEvent::BookmarkRemoved(removed) => removed.bookmark_id,
        BookmarkEvent::BookmarkSaved(saved) => saved.bookmark_id,
    });
    given(vec![saved(1).into(), saved(2).into()])
        .when(Command::Remove(vec![id(1), id(2), id(3), id(1)]))
        .then_expect_events(expected);
}

#[test]
fn what_is_kept_gets_another_note() {
    let noted = BookmarkSaved {
        note: Some(Sealed {
            key: KIM,
            data: "AA".to_owned(),
        }),
        ..saved(1)
    };
    given(vec![saved(1).into()])
        .when(Command::Save(Box::new(noted.clone())))
        .then_expect_events(vec![noted.into()]);
}

#[test]
fn somebody_without_bookmarks_has_nothing_to_remove() {
    given(vec![])
        .when(Command::RemoveSome)
        .then_expect_events(vec![]);
    given(vec![saved(1).into()])
        .when(Command::RemoveSome)
        .then_expect_events(vec![removed(1)]);
}

#[test]
fn who_keeps_very_much_keeps_no_more() {
    let full = (0..10_000).map(|number| saved(number).into()).collect();
    given(full)
        .when(save(10_000))
        .then_expect_error(Error::Full);
}
