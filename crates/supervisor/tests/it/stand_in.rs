//! As much of `doran` as its supervisor sees: it obeys `streams apply`, serves on `--port`, and
//! ends on SIGTERM, or not when `STAND_IN_IS_STUBBORN` is set. A request for `/die` kills it.

#![expect(
    clippy::print_stdout,
    reason = "its output is the log that the tests read"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{SigSet, Signal};

fn main() -> ExitCode {
    run().map_or_else(
        |error| {
            println!("{error:#}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn run() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("stand-in {}", words.join(" "));
    match words.first().map(String::as_str) {
        Some("streams") => Ok(()),
        Some("all") => serve(&words),
        _ => bail!("unexpected arguments"),
    }
}

fn serve(words: &[String]) -> Result<()> {
    if std::env::var_os("STAND_IN_IS_STUBBORN").is_some() {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGTERM);
        signals.thread_block()?;
    }
    let mut words = words.iter().skip_while(|word| *word != "--port");
    let port: u16 = words.nth(1).context("no port")?.parse()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    for stream in listener.incoming() {
        answer(stream?)?;
    }
    Ok(())
}

fn answer(mut stream: TcpStream) -> Result<()> {
    let mut input = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        input.read_line(&mut request)?;
    }
    if request.starts_with("GET /die") {
        bail!("these are my last words");
    }
    let mut headers = request.lines();
    let length = headers.find_map(|line| line.strip_prefix("content-length: "));
    let length = length.context("no content length")?.parse()?;
    input.read_exact(&mut vec![0; length])?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    Ok(())
}
