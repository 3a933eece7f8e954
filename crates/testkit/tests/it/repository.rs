//! Rules that no compiler holds.

use std::collections::BTreeSet;
use std::fs;

use doran_supervisor::workspace;

/// Which of our crates each crate may use. The binary may use everything that ships.
const MAY_USE: &[(&str, &[&str])] = &[
    ("contract", &[]),
    ("eventstore", &[]),
    ("projection", &["eventstore"]),
    ("platform", &["contract", "eventstore", "projection"]),
    (
        "auth",
        &["contract", "eventstore", "projection", "platform"],
    ),
    (
        "user",
        &["contract", "eventstore", "projection", "platform"],
    ),
    (
        "chat",
        &["contract", "eventstore", "projection", "platform"],
    ),
    (
        "store",
        &["contract", "eventstore", "projection", "platform"],
    ),
    (
        "batch",
        &["contract", "eventstore", "projection", "platform"],
    ),
    (
        "gateway",
        &["contract", "eventstore", "projection", "platform"],
    ),
    (
        "doran",
        &[
            "contract",
            "eventstore",
            "projection",
            "platform",
            "auth",
            "user",
            "chat",
            "store",
            "batch",
            "gateway",
        ],
    ),
    ("supervisor", &[]),
    (
        "testkit",
        &[
            "contract",
            "eventstore",
            "projection",
            "platform",
            "supervisor",
        ],
    ),
];

fn manifest(name: &str) -> toml::Table {
    let path = workspace().join("crates").join(name).join("Cargo.toml");
    fs::read_to_string(path).unwrap().parse().unwrap()
}

fn ours(manifest: &toml::Table, section: &str) -> BTreeSet<String> {
    let section = manifest.get(section).and_then(toml::Value::as_table);
    let names = section.into_iter().flat_map(toml::Table::keys);
    names
        .filter_map(|name| name.strip_prefix("doran-"))
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn dependencies_point_from_services_to_the_language_only() {
    for (name, allowed) in MAY_USE {
        for section in ["dependencies", "build-dependencies"] {
            for used in ours(&manifest(name), section) {
                assert!(
                    allowed.contains(&used.as_str()),
                    "{name} must not depend on {used}"
                );
            }
        }
    }
}

#[test]
fn every_crate_has_its_place_in_the_rule() {
    let folders = fs::read_dir(workspace().join("crates")).unwrap();
    let crates: BTreeSet<String> = folders
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let ruled = MAY_USE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(crates, ruled);
}

#[test]
fn the_test_kit_is_never_part_of_what_ships() {
    for (name, _) in MAY_USE {
        assert!(
            !ours(&manifest(name), "dependencies").contains("testkit"),
            "{name}"
        );
    }
}

#[test]
fn every_version_is_in_the_workspace_manifest() {
    for (name, _) in MAY_USE {
        let manifest = manifest(name);
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let dependencies = manifest.get(section).and_then(toml::Value::as_table);
            for (dependency, value) in dependencies.into_iter().flatten() {
                let from_workspace = value.get("workspace").and_then(toml::Value::as_bool);
                assert_eq!(from_workspace, Some(true), "{name}: {dependency}");
            }
        }
    }
}
