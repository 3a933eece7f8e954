//! An account beside its personal data, and both together as clients see them.

use doran_contract::{
    Timestamp, UserId,
    user::{Role, User, UserStatus},
};

use super::{Name, PersonalData};

/// What stands open in the log and in read models.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    pub id: UserId,
    pub status: UserStatus,
    pub role: Role,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_conn_time: Option<Timestamp>,
    /// A setting of the person's own.
    pub coach_check: bool,
}

impl Facts {
    /// The user in full. Somebody whose key was destroyed keeps an id and nothing personal.
    pub fn with(self, personal: Option<PersonalData>) -> User {
        let is_known = personal.is_some();
        let personal = personal.unwrap_or_else(deleted);
        User {
            id: self.id,
            email: is_known.then_some(personal.email),
            first_name: personal.first_name,
            last_name: personal.last_name,
            name: personal.name,
            picture: personal.picture,
            info: personal.info,
            last_conn_time: self.last_conn_time,
            status: Some(self.status),
            role: Some(self.role),
            coach_check: self.coach_check,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

fn deleted() -> PersonalData {
    let Name { name, picture } = Name::deleted();
    PersonalData {
        email: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        name,
        picture,
        info: None,
    }
}
