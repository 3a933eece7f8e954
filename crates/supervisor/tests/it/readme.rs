//! What the README tells a newcomer to type must exist.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use doran_supervisor::workspace;

/// The words after every `./dev` of the README, as far as they are the same for everybody.
fn commands() -> BTreeSet<Vec<String>> {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let places = readme.split("./dev ").skip(1);
    let commands = places.map(|rest| {
        let command = rest
            .split(['`', '\n', '#', '|', '<', '&'])
            .next()
            .unwrap_or_default();
        command.split_whitespace().map(ToOwned::to_owned).collect()
    });
    commands.collect()
}

fn help(command: &str) -> Option<String> {
    let mut dev = Command::new(env!("CARGO_BIN_EXE_doran-dev"));
    let output = dev.args(["help", command]).output().unwrap();
    output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn every_dev_command_of_the_readme_exists() {
    let commands = commands();
    assert!(commands.contains(&vec!["up".to_owned()]), "{commands:?}");
    for words in commands {
        let help = help(&words[0]);
        assert!(
            help.is_some() || words[0] == "help",
            "./dev {}",
            words.join(" ")
        );
        if words[0] == "doran" {
            continue;
        }
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(
                help.as_ref().unwrap().contains(option),
                "./dev {}",
                words.join(" ")
            );
        }
    }
}

#[test]
fn every_option_of_up_is_in_the_readme() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let help = help("up").unwrap();
    let options = help
        .split_whitespace()
        .filter(|word| word.starts_with("--") && *word != "--help");
    for option in options {
        assert!(readme.contains(option), "{option}");
    }
}
