//! Who gets a file: its uploader, and who is in a room in which it was sent.

use doran_contract::user::Role;

use crate::world::{World, path, png};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_seen_by_members_of_its_rooms_while_it_is_there_and_by_nobody_else() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let lee = world.person("lee").await;
    let stranger = world.person("stranger").await;
    let admin = world.person_as("admin", Role::Admin).await;
    let id = world.uploaded(kim, "a.png", &png(8, 8)).await;
    let paths = [path(id), format!("{}/thumbnail", path(id))];
    let status = async |user| {
        let mut found = Vec::new();
        for path in &paths {
            found.push(world.fetch(user, path, &[]).await.status);
        }
        found
    };
    let room = world.room(&[kim, lee]).await;
    assert_eq!(status(kim).await, [200, 200]);
    assert_eq!(status(lee).await, [404, 404]);

    // At once, for the answer to the first look waits for what the log holds.
    let said = world.send(kim, room, "보세요", &[id]).await;
    assert_eq!(status(lee).await, [200, 200]);
    for other in [stranger, admin] {
        assert_eq!(status(other).await, [404, 404]);
    }
    let refused = world.delete(lee, &path(id)).send().await;
    assert_eq!(refused.refusal(), (403, "FORBIDDEN"));

    world.remove_member(room, lee).await;
    crate::world::until(async || status(lee).await == [404, 404]).await;
    let second = world.room(&[kim, lee]).await;
    world.send(kim, second, "again", &[id]).await;
    assert_eq!(status(lee).await, [200, 200]);
    world.remove_member(second, lee).await;
    world.unsay(kim, said).await;
    crate::world::until(async || status(lee).await == [404, 404]).await;
    assert_eq!(status(kim).await, [200, 200]);

    let removed = world.delete(admin, &path(id)).send().await;
    assert_eq!(removed.status, 200, "{}", removed.body);
    assert_eq!(status(kim).await, [404, 404]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pictures_have_a_thumbnail_and_made_up_files_are_not_found() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let text = world.uploaded(kim, "a.txt", b"text").await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    for (path, status) in [
        (format!("{}/thumbnail", path(text)), 404),
        (format!("/api/store/files/{unknown}"), 404),
        ("/api/store/files/nonsense".to_owned(), 400),
    ] {
        assert_eq!(world.fetch(kim, &path, &[]).await.status, status, "{path}");
    }
}
