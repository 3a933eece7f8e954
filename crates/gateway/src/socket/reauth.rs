//! `reauth`: a newer token for a socket that stays open.

use doran_contract::{ErrorCode, frame::ServerFrame};

use super::{answer::Denied, authenticate::authenticate, connection::Connection};

/// A token that is not accepted leaves the socket as it was, until its own token expires.
pub(super) async fn reauth(
    connection: &Connection,
    token: &str,
) -> Result<impl FnOnce(Option<u64>) -> ServerFrame + use<>, Denied> {
    let person = authenticate(&connection.gateway, token)
        .await
        .map_err(|refused| refused.denied)?;
    if person.id != connection.link.user_id {
        let message = "that token is somebody else's; open another socket for them";
        return Err(Denied::new(ErrorCode::Forbidden, message));
    }
    connection.link.renew(person.login.clone());
    Ok(move |id| person.welcome(id))
}
