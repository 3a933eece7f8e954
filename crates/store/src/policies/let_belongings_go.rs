//! Whoever is deleted leaves no bookmarks and no files.

use async_trait::async_trait;
use doran_contract::{
    FileId, UserId,
    events::{USER_EVENTS, UserEvent},
    subject::{STORE_STREAM, USER_STREAM},
};
use doran_eventstore::{ExecuteError, Recorded};
use doran_platform::event_schema;
use doran_projection::policy::{Declaration, Failure, Policy, Start};
use uuid::Uuid;

use crate::{
    bookmark,
    commands::SOURCE,
    file::{self, Command},
    state::Service,
};

pub const LET_BELONGINGS_GO: Declaration = Declaration {
    service: SOURCE,
    name: "belongings-go-with-people",
    version: 1,
    stream: USER_STREAM,
    filters: &["user.*.UserDeleted"],
    // Nobody who was deleted may be missed; who has nothing takes no harm.
    start: Start::All,
};

pub(crate) struct LetBelongingsGo(pub(crate) Service);

#[derive(Clone, Copy)]
pub(crate) enum Belonging {
    Bookmarks(UserId),
    File(FileId),
}

fn deleted(event: &UserEvent) -> Option<UserId> {
    match event {
        UserEvent::UserDeleted(deleted) => Some(deleted.user_id),
        UserEvent::UserCreated(_)
        | UserEvent::UserProfileChanged(_)
        | UserEvent::UserEmailChanged(_)
        | UserEvent::UserSettingsChanged(_)
        | UserEvent::UserStatusChanged(_)
        | UserEvent::UserRoleChanged(_)
        | UserEvent::PasswordChanged(_)
        | UserEvent::UserErased(_) => None,
    }
}

#[async_trait]
impl Policy for LetBelongingsGo {
    type Command = Belonging;

    fn declaration(&self) -> Declaration {
        LET_BELONGINGS_GO
    }

    async fn react(&self, event: &Recorded) -> Result<Vec<Belonging>, Failure> {
        let Some(user) = deleted(&event.decode(&event_schema(USER_EVENTS))?) else {
            return Ok(Vec::new());
        };
        let Self(service) = self;
        let caught_up = service.catch_up("files", STORE_STREAM).await;
        caught_up.map_err(Failure::transient)?;
        let files: Vec<Uuid> = sqlx::query_scalar("select id from files where uploader_id = $1")
            .bind(user.as_uuid())
            .fetch_all(&service.pool)
            .await
            .map_err(Failure::transient)?;
        let files = files.into_iter().map(FileId::new).map(Belonging::File);
        Ok([Belonging::Bookmarks(user)]
            .into_iter()
            .chain(files)
            .collect())
    }

    async fn execute(&self, event: &Recorded, belonging: Belonging) -> Result<(), Failure> {
        match belonging {
            Belonging::Bookmarks(user) => self.remove_bookmarks(event, user).await,
            Belonging::File(file) => self.remove_file(event, file).await,
        }
    }
}

impl LetBelongingsGo {
    /// Some at a time, until there are none.
    async fn remove_bookmarks(&self, event: &Recorded, user: UserId) -> Result<(), Failure> {
        let Self(service) = self;
        let id = user.to_string();
        let mut left = service.bookmarks.load(&id).await?;
        while let Some(bookmarks) = left.filter(|left| !left.aggregate.is_empty()) {
            let step = format!("{id}/{}", bookmarks.sequence);
            let ctx = LET_BELONGINGS_GO.context(event, &step, service.platform.clock.now());
            let command = bookmark::Command::RemoveSome;
            service.bookmarks.execute(&(), &id, command, &ctx).await?;
            left = service.bookmarks.load(&id).await?;
        }
        Ok(())
    }

    async fn remove_file(&self, event: &Recorded, file: FileId) -> Result<(), Failure> {
        let Self(service) = self;
        let id = file.to_string();
        let ctx = LET_BELONGINGS_GO.context(event, &id, service.platform.clock.now());
        match service.files.execute(&(), &id, Command::Remove, &ctx).await {
            // Somebody else removed it meanwhile.
            Err(ExecuteError::Refused(file::Error::NotFound)) => Ok(()),
            removed => Ok(removed.map(|_| ())?),
        }
    }
}
