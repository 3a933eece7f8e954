//! A serving `doran` process.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::command::doran;

const STARTED: Duration = Duration::from_mins(1);
/// Drain time and a little more.
const ENDED: Duration = Duration::from_secs(15);

/// Ends with the test.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<String>>,
}

impl Process {
    /// Starts a role on a free port and waits until it serves.
    pub(crate) fn start(
        arguments: &[&str],
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let common = ["--port", "0", "--log-format", "json", "--log-level", "info"];
        let mut command = doran(&[arguments, &common].concat());
        let command = command.envs(variables).as_std_mut();
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let (sender, listening) = mpsc::channel();
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(address) = address_in(&line) {
                    sender.send(address).unwrap();
                }
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let address = listening.recv_timeout(STARTED);
        let address = address.unwrap_or_else(|_| panic!("{arguments:?}: {}", log.lock().unwrap()));
        Self {
            child,
            address,
            log,
        }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As [`Process::kill`], by whoever only looks at it.
    pub(crate) fn kill_now(&self) {
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args(["-9", &pid]).status();
        assert!(killed.unwrap().success());
    }

    /// Asks it to end, as a supervisor does; the code it ended with.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(&pid).status().unwrap().success());
        let (sender, ended) = mpsc::channel();
        thread::spawn(move || sender.send(self.child.wait().unwrap()));
        let Ok(status) = ended.recv_timeout(ENDED) else {
            Command::new("kill").args(["-9", &pid]).status().unwrap();
            return None;
        };
        status.code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let line: Value = serde_json::from_str(line).ok()?;
    if line.get("message")?.as_str()? != "listening" {
        return None;
    }
    line.get("address")?.as_str()?.parse().ok()
}
