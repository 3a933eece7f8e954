use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use doran_supervisor::{data, http, port};
use nix::sys::signal::Signal;

use crate::fixture::{Place, Up, all_are_free, is_empty, until};

#[test]
fn up_says_where_to_look_and_writes_a_private_environment_file() {
    let place = Place::new();
    let up = place.up(&["--ephemeral"]);
    assert!(
        up.said
            .contains(&format!("http://localhost:{}", place.port)),
        "{}",
        up.said
    );
    assert!(
        up.said.contains("log in as       demo@dorandoran.local"),
        "{}",
        up.said
    );
    let mode = fs::metadata(place.home().join("env"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let variables = place.environment();
    let promised = [
        "GATEWAY_URL",
        "NATS_URL",
        "NATS_OBSERVER_USER",
        "NATS_OBSERVER_PASSWORD",
        "DATABASE_URL",
        "REDIS_URL",
        "MAIL_DIR",
    ];
    for wanted in promised {
        let value = variables.iter().find(|(name, _)| name == wanted);
        assert!(
            value.is_some_and(|(_, value)| !value.is_empty()),
            "{wanted}"
        );
    }
}

#[test]
fn ephemeral_leaves_nothing() {
    let place = Place::new();
    let up = place.up(&["--ephemeral"]);
    let ports = place.ports();
    assert!(ports.iter().all(|port| !port::is_free(*port)));
    let asked = Instant::now();
    up.send(Signal::SIGINT);
    let (status, said) = up.end();
    assert!(status.success(), "{said}");
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert!(all_are_free(&ports));
    assert!(is_empty(&place.temporary()) && is_empty(&place.home()));
}

#[test]
fn a_second_start_reuses_data_and_keys() {
    let place = Place::new();
    let marks = || {
        let files = [
            "data/postgres/PG_VERSION",
            "secrets/master.key",
            "secrets/signing.pem",
        ];
        files.map(|file| {
            fs::metadata(place.home().join(file))
                .unwrap()
                .modified()
                .unwrap()
        })
    };
    let first = place.up(&[]);
    let before = marks();
    first.send(Signal::SIGTERM);
    assert!(first.end().0.success());
    let second = place.up(&[]);
    assert_eq!(marks(), before);
    drop(second);
}

#[test]
fn a_second_run_on_the_same_data_is_refused_by_name_and_pid() {
    let mut place = Place::new();
    let first = place.up(&[]);
    place.port = port::free().unwrap();
    let refusal = place.refusal(&[]);
    assert!(
        refusal.contains(&format!("doran-dev (pid {})", first.pid())),
        "{refusal}"
    );
}

#[test]
fn a_killed_supervisor_leaves_no_orphans_and_its_data_open_again() {
    let place = Place::new();
    let first = place.up(&[]);
    let ports = place.ports();
    first.send(Signal::SIGKILL);
    first.end();
    until(|| all_are_free(&ports).then_some(()));
    let second = place.up(&[]);
    second.send(Signal::SIGINT);
    assert!(second.end().0.success());
}

#[test]
fn a_pid_file_of_a_killed_server_is_no_hindrance_when_its_number_lives() {
    let place = Place::new();
    let up = place.up(&[]);
    up.send(Signal::SIGKILL);
    up.end();
    let pid_file = place.home().join("data/postgres/postmaster.pid");
    let left_behind = until(|| fs::read_to_string(&pid_file).ok());
    let (_, rest) = left_behind.split_once('\n').unwrap();
    until(|| (!data::is_in_use(&place.home().join("data"))).then_some(()));
    fs::write(&pid_file, format!("{}\n{rest}", std::process::id())).unwrap();
    place.up(&[]);
}

#[test]
fn a_busy_port_is_refused_with_its_holder() {
    let place = Place::new();
    let _listener = std::net::TcpListener::bind(("127.0.0.1", place.port)).unwrap();
    let refusal = place.refusal(&["--ephemeral"]);
    assert!(
        refusal.contains(&format!("(pid {})", std::process::id())),
        "{refusal}"
    );
    assert!(refusal.contains("--port"), "{refusal}");
}

#[test]
fn services_that_die_end_the_rest_with_their_last_words() {
    let place = Place::new();
    let up = place.up(&["--ephemeral"]);
    let ports = place.ports();
    http::get(place.port, "/die").err().unwrap();
    let (status, said) = up.end();
    assert!(!status.success());
    assert!(said.contains("doran ended by itself"), "{said}");
    assert!(said.contains("these are my last words"), "{said}");
    assert!(all_are_free(&ports));
}

#[test]
fn a_store_that_dies_ends_the_rest() {
    let place = Place::new();
    let up = place.up(&["--ephemeral"]);
    let ports = place.ports();
    let holder = port::holder(ports[0]);
    let pid = holder.split("pid ").nth(1).unwrap().trim_end_matches(')');
    let pid = nix::unistd::Pid::from_raw(pid.parse().unwrap());
    nix::sys::signal::kill(pid, Signal::SIGKILL).unwrap();
    let (status, said) = up.end();
    assert!(!status.success());
    assert!(said.contains("nats-server ended by itself"), "{said}");
    assert!(all_are_free(&ports));
}

#[test]
fn a_second_ctrl_c_ends_stubborn_services_at_once() {
    let place = Place::new();
    let up = Up::start(
        place
            .command(&["--ephemeral"])
            .env("STAND_IN_IS_STUBBORN", "1"),
    );
    let ports = place.ports();
    let asked = Instant::now();
    up.send(Signal::SIGINT);
    up.send(Signal::SIGTERM);
    let (_, said) = up.end();
    assert!(asked.elapsed() < Duration::from_secs(5), "{said}");
    assert!(all_are_free(&ports));
    assert!(is_empty(&place.temporary()));
}

#[test]
fn rate_limits_can_be_left_out() {
    let place = Place::new();
    let up = place.up(&["--no-limits"]);
    let log = fs::read_to_string(place.home().join("log/doran.log")).unwrap();
    assert_eq!(
        log,
        format!("stand-in all --dev --port {} --no-limits\n", place.port)
    );
    drop(up);
}
