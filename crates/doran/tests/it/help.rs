//! What `--help` owes its readers.

use std::collections::VecDeque;

use crate::command::{Run, doran};

/// The words of every command, found by walking through the help texts.
async fn every_command() -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut open = VecDeque::from([Vec::new()]);
    while let Some(words) = open.pop_front() {
        let arguments: Vec<_> = words.iter().map(String::as_str).chain(["--help"]).collect();
        let run = Run::of(&mut doran(&arguments)).await;
        assert_eq!(run.code, 0, "{run:?}");
        for command in commands_in(&run.stdout) {
            open.push_back([words.clone(), vec![command]].concat());
        }
        found.push((words, run.stdout));
    }
    found
}

fn commands_in(help: &str) -> Vec<String> {
    let section = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let lines = section.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn every_command_shows_an_example_of_itself() {
    let commands = every_command().await;
    assert!(commands.len() > 10, "{commands:?}");
    for (words, help) in commands {
        let (_, examples) = help.split_once("Example:\n").expect("no example");
        let command = ["doran".to_owned()]
            .into_iter()
            .chain(words)
            .collect::<Vec<_>>()
            .join(" ");
        assert!(examples.contains(&command), "{command}: {examples}");
    }
}

#[tokio::test]
async fn the_exit_codes_are_documented_and_kept() {
    let help = Run::of(&mut doran(&["--help"])).await;
    for code in [
        "0  it worked",
        "1  it failed",
        "2  the command line",
        "3  something it depends",
    ] {
        assert!(help.stdout.contains(code), "{}", help.stdout);
    }
    assert_eq!(Run::of(&mut doran(&["nonsense"])).await.code, 2);
    assert_eq!(
        Run::of(&mut doran(&["events", "view", "USER", "--from", "x"]))
            .await
            .code,
        2
    );
}

#[tokio::test]
async fn a_missing_server_is_named_on_one_line_with_its_mend() {
    let run = Run::of(&mut doran(&[
        "streams",
        "check",
        "--nats-url",
        "nats://127.0.0.1:1",
    ]))
    .await;
    assert_eq!(run.code, 3);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(run.stderr.contains("127.0.0.1:1"), "{}", run.stderr);
    assert!(run.stderr.contains("set NATS_URL"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}
