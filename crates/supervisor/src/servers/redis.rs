//! Redis or Valkey with an append-only file and a password.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;

use super::{Server, ask};
use crate::data::DataFolder;
use crate::environment::Variables;
use crate::process::Launch;
use crate::secret;

pub struct Redis {
    pub server: Server,
    password: String,
}

impl Redis {
    /// Starts a server on `data` with so many numbered databases, its log in `logs`.
    pub fn start(program: &Path, data: &DataFolder, logs: &Path, databases: u32) -> Result<Self> {
        let password = secret::password();
        let folder = data.path().join("redis");
        secret::create_folder(&folder)?;
        let server = Server::start(|port| {
            let path = folder.join("redis.conf");
            let text = configuration(&folder, port, &password, databases);
            secret::create(&path)?.write_all(text.as_bytes())?;
            let launch = Launch::new("redis-server", program, &logs.join("redis.log"))
                .arguments([path.into_os_string()])
                .holding(data)?;
            let question = format!("AUTH {password}\r\nPING\r\n");
            let is_ready = move || {
                let answer = ask(port, question.as_bytes()).unwrap_or_default();
                answer.starts_with(b"+OK\r\n")
                    && !answer.ends_with(b"loading the dataset in memory\r\n")
            };
            Ok((launch, Box::new(is_ready)))
        })?;
        Ok(Self { server, password })
    }

    /// The URL of the database with this number.
    pub fn url(&self, database: u32) -> String {
        let (port, password) = (self.server.port(), &self.password);
        format!("redis://default:{password}@127.0.0.1:{port}/{database}")
    }

    pub fn variables(&self) -> Variables {
        vec![("REDIS_URL".to_owned(), self.url(0))]
    }
}

fn configuration(folder: &Path, port: u16, password: &str, databases: u32) -> String {
    let mut text = String::new();
    let folder = format!("\"{}\"", folder.display());
    for (name, value) in [
        ("bind", "127.0.0.1"),
        ("port", &port.to_string()),
        ("dir", &folder),
        ("requirepass", password),
        ("databases", &databases.to_string()),
        ("appendonly", "yes"),
        ("appendfsync", "everysec"),
        ("save", "\"\""),
        ("daemonize", "no"),
    ] {
        // Writing to a string cannot fail.
        writeln!(text, "{name} {value}").ok();
    }
    text
}
