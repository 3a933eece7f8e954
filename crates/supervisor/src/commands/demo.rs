//! A person to log in as at once, in development.

use anyhow::{Result, bail};
use doran_supervisor::data::DataFolder;
use doran_supervisor::{http, secret};

use super::deployment::secrets_folder;

pub(super) const EMAIL: &str = "demo@dorandoran.local";

/// Registers the demo user, unless an earlier run has; answers with the password.
pub(super) fn register(port: u16, data: &DataFolder) -> Result<String> {
    let password = secret::kept(
        &secrets_folder(data).join("demo.password"),
        secret::password,
    )?;
    let body = serde_json::json!({
        "email": EMAIL,
        "password": password,
        "firstName": "Demo",
        "lastName": "User",
        "name": "Demo",
    });
    // The key belongs to the address: a repeated call is answered like the first.
    let headers = "idempotency-key: dev-up-demo-user\r\n";
    let answer = http::post_json(port, "/api/users", headers, &body.to_string())?;
    let is_there = answer.status < 300 || answer.body.contains("EMAIL_TAKEN");
    if !is_there {
        bail!(
            "the demo user was refused: {} {}",
            answer.status,
            answer.body
        );
    }
    Ok(password)
}
