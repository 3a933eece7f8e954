//! The room that the files of one person may take.

use futures_util::future::join_all;

use crate::world::{World, file_id, form, path};

const QUOTA: &str = "--file-quota-bytes=100000";

#[tokio::test(flavor = "multi_thread")]
async fn of_many_uploads_at_once_no_more_are_stored_than_there_is_room_for() {
    let world = World::with(&[QUOTA]).await;
    let kim = world.person("kim").await;
    let file = vec![b'x'; 12_000];
    let taken = 100_000 / form(&[("a.txt", "", &file)]).len();
    let uploads = (0..14).map(|_| world.upload(kim, &[("a.txt", "", &file)]).send());
    let replies = join_all(uploads).await;
    let stored = replies.iter().filter(|reply| reply.status == 201).count();
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        assert_eq!(reply.refusal(), (413, "QUOTA_EXCEEDED"));
    }
    assert!(stored > 0 && stored <= taken, "{stored} of {taken}");
    assert_eq!(world.count("STORE").await, stored as u64);
    assert_eq!(world.pieces().await, stored);

    // Alone, everything that there is room for is taken, and no more.
    let mut all = stored;
    loop {
        let reply = world.upload(kim, &[("a.txt", "", &file)]).send().await;
        if reply.status != 201 {
            assert_eq!(reply.refusal(), (413, "QUOTA_EXCEEDED"));
            break;
        }
        all += 1;
    }
    assert_eq!(all, taken);
    let lee = world.person("lee").await;
    world.uploaded(lee, "a.txt", &file).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_removed_or_refused_takes_no_room() {
    let world = World::with(&[QUOTA]).await;
    let kim = world.person("kim").await;
    let file = vec![b'x'; 80_000];
    for _ in 0..3 {
        let refused = world.upload(kim, &[("a.exe", "", &file)]).send().await;
        assert_eq!(refused.status, 415);
        let stored = world.upload(kim, &[("a.txt", "", &file)]).send().await;
        let id = file_id(&stored);
        let full = world.upload(kim, &[("a.txt", "", &file)]).send().await;
        assert_eq!(full.refusal(), (413, "QUOTA_EXCEEDED"));
        let removed = world.delete(kim, &path(id)).send().await;
        assert_eq!(removed.status, 200);
    }
}
