//! Free TCP ports, and who holds one that is not.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use anyhow::{Result, bail};

/// Below the range from which systems take the ports of outgoing connections, so that a port that
/// was free stays free until its server listens, and again while that server restarts.
const RANGE: std::ops::Range<u16> = 15_000..30_000;

/// A port on loopback that nobody listens on.
pub fn free() -> Result<u16> {
    for _ in 0..500 {
        let port = rand::random_range(RANGE);
        if is_free(port) {
            return Ok(port);
        }
    }
    bail!("no free port between {} and {}", RANGE.start, RANGE.end)
}

pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The process that listens on `port`, in words, as far as the system tells.
pub fn holder(port: u16) -> String {
    match holder_pid(port) {
        Some(pid) => {
            let name = process_name(pid).unwrap_or_else(|| "a process".to_owned());
            format!("{name} (pid {pid})")
        }
        None => "a process of somebody else".to_owned(),
    }
}

/// The name of a running process.
pub fn process_name(pid: u32) -> Option<String> {
    let output = Command::new("ps")
        .args(["-o", "comm=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if name.is_empty() {
        // Without ps, as on a minimal image.
        return fs::read_to_string(format!("/proc/{pid}/comm"))
            .ok()
            .map(|name| name.trim().to_owned());
    }
    Some(name)
}

fn holder_pid(port: u16) -> Option<u32> {
    pid_from_proc(port).or_else(|| pid_from_lsof(port))
}

fn pid_from_proc(port: u16) -> Option<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
    let inodes: Vec<String> = tables
        .iter()
        .flatten()
        .filter_map(|table| listener_inode(table, port))
        .collect();
    let wanted: Vec<String> = inodes
        .iter()
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| {
        entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
    });
    pids.find(|pid: &u32| {
        let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            return false;
        };
        let mut links = files
            .flatten()
            .filter_map(|file| fs::read_link(file.path()).ok());
        links.any(|link| {
            wanted
                .iter()
                .any(|socket| link.as_os_str() == socket.as_str())
        })
    })
}

/// The inode of the socket in state LISTEN, from a table of proc(5).
fn listener_inode(table: &str, port: u16) -> Option<String> {
    let port = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        (local.ends_with(&port) && *state == "0A").then(|| (*inode).to_owned())
    })
}

fn pid_from_lsof(port: u16) -> Option<u32> {
    let address = format!("-iTCP:{port}");
    let output = Command::new("lsof")
        .args(["-nP", &address, "-sTCP:LISTEN", "-t"])
        .output()
        .ok()?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .next()?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_busy_port_is_named() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        assert!(holder(port).ends_with(&format!("(pid {})", std::process::id())));
    }
}
