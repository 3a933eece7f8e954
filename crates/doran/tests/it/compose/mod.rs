//! The containers, as far as that can be seen without an engine: what the files declare exists,
//! and every command of theirs runs with the rights and secrets that it gets there.

mod file;
mod ground;
mod rights;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doran_supervisor::workspace;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::{
    file::{Compose, FILES, Service, text, yaml},
    ground::Ground,
};
use crate::{
    chat::Person,
    command::{Run, doran},
};

/// The programs of a health check that an image is known to have.
const PROGRAMS: &[(&str, &[&str])] = &[
    ("dorandoran", &["healthy"]),
    ("nats", &["nc"]),
    ("postgres", &["pg_isready"]),
    ("redis", &["redis-cli"]),
    ("prom/prometheus", &["wget"]),
    ("grafana/grafana", &["wget"]),
];

fn both() -> [Compose; 2] {
    [Compose::one_node(), Compose::cluster()]
}

fn is_pinned(image: &str) -> bool {
    let Some((_, tag)) = image.rsplit_once(':') else {
        return false;
    };
    let version = tag.trim_start_matches('v').split('-').next().unwrap();
    let numbers = version.split('.');
    numbers.clone().count() >= 2 && numbers.clone().all(|number| number.parse::<u32>().is_ok())
}

#[test]
fn every_image_is_pinned_to_a_version() {
    for compose in both() {
        for service in &compose.services {
            let is_ours = service.image() == "dorandoran" && service.declared("build") == ".";
            assert!(is_ours || is_pinned(service.image()), "{}", service.image());
        }
    }
    let file = text("Dockerfile");
    let bases: Vec<_> = file
        .lines()
        .filter_map(|line| line.strip_prefix("FROM "))
        .collect();
    assert_eq!(bases.len(), 2);
    for base in bases {
        let image = base.split(' ').next().unwrap();
        assert!(is_pinned(image), "{image}");
    }
}

#[test]
fn our_image_has_what_the_containers_call_and_runs_as_nobody() {
    let file = text("Dockerfile");
    let user = file.lines().find_map(|line| line.strip_prefix("USER "));
    assert!(
        user.unwrap()
            .split(':')
            .all(|id| id.parse::<u32>().unwrap() > 1000)
    );
    for name in ["entrypoint", "healthy"] {
        assert!(
            file.contains(&format!("deploy/{name}.sh /usr/local/bin/{name}\n")),
            "{name}"
        );
    }
    assert!(file.contains("ENTRYPOINT [\"entrypoint\"]"));
    // What it copies goes into the build's context.
    let context = text(".dockerignore");
    for line in file
        .lines()
        .filter(|line| line.starts_with("COPY ") && !line.contains("--from"))
    {
        let words = line
            .split(' ')
            .skip(1)
            .filter(|word| !word.starts_with("--"));
        let sources: Vec<_> = words.collect();
        for source in &sources[..sources.len() - 1] {
            let top = source.split('/').next().unwrap();
            let listed = [source, &top]
                .iter()
                .any(|path| context.contains(&format!("!{path}\n")));
            assert!(listed, "{source}");
            assert!(workspace().join(source).exists(), "{source}");
        }
    }
}

#[tokio::test]
async fn every_command_and_every_variable_is_one_that_the_binary_knows() {
    for compose in both() {
        for service in compose
            .ours()
            .filter(|service| service.declared("entrypoint").is_null())
        {
            let mut words = service.strings("command");
            words.retain(|word| *word != "--help");
            let help = Run::of(&mut doran(&[&words[..], &["--help"]].concat())).await;
            assert_eq!(help.code, 0, "{}: {help:?}", service.name);
            let every = Run::of(&mut doran(&["gateway", "--help"])).await.stdout;
            for (name, _) in service.environment() {
                let told = format!("[env: {name}=");
                let is_known = help.stdout.contains(&told) || every.contains(&told);
                assert!(is_known, "{}: {name}", service.name);
            }
        }
    }
}

#[test]
fn what_others_are_told_is_what_they_ask_for() {
    let conf = [text("nats.conf"), text("nats-cluster.conf")].concat();
    for compose in both() {
        for service in compose
            .services
            .iter()
            .filter(|service| service.image().starts_with("nats:"))
        {
            for (name, _) in service.environment() {
                assert!(conf.contains(&format!("${name}")), "{name}");
            }
        }
    }
    let secrets = Secrets::make();
    let names = fs::read_to_string(secrets.path().join("nats/environment")).unwrap();
    for part in conf.split('$').skip(1) {
        let name: String = part
            .chars()
            .take_while(|c| c.is_ascii_uppercase() || *c == '_')
            .collect();
        let is_password = name.ends_with("_PASSWORD") || name == "NATS_ROUTES";
        if is_password {
            assert!(names.contains(&format!("{name}=")), "{name}");
        }
    }
}

#[test]
fn every_health_check_calls_a_program_of_its_image() {
    for compose in both() {
        for service in &compose.services {
            let Some(words) = service.health_check() else {
                continue;
            };
            let image = service.image().split(':').next().unwrap();
            let (_, programs) = PROGRAMS.iter().find(|(name, _)| *name == image).unwrap();
            let program = words[0].split(' ').next().unwrap();
            assert!(programs.contains(&program), "{}: {program}", service.name);
        }
        let waits = |service: &&Service| service.declared("restart") == "unless-stopped";
        for service in compose.services.iter().filter(waits) {
            assert!(service.health_check().is_some(), "{}", service.name);
        }
    }
}

#[test]
fn only_the_front_door_and_the_monitoring_are_published_and_on_this_machine_alone() {
    for compose in both() {
        for service in &compose.services {
            let expected = match service.name.as_str() {
                "gateway" | "gateway-2" => 8080,
                "prometheus" => 9090,
                "grafana" => 3000,
                _ => 0,
            };
            let ports = service.strings("ports");
            assert_eq!(ports.is_empty(), expected == 0, "{}", service.name);
            for port in ports {
                assert!(port.starts_with("127.0.0.1:"), "{port}");
                assert!(port.ends_with(&format!(":{expected}")), "{port}");
            }
            let networks = service.strings("networks");
            let is_open = networks.iter().any(|network| *network != "inner");
            // Chat calls bots, user sends mail.
            let calls_out = ["chat", "chat-2", "user", "user-2"].contains(&service.name.as_str());
            let reaches_out = expected != 0 || calls_out;
            assert_eq!(is_open, reaches_out, "{}", service.name);
        }
        assert_eq!(compose.network("inner")["internal"], true);
    }
}

#[test]
fn each_container_sees_its_own_secrets_alone() {
    for compose in both() {
        let declared: BTreeSet<_> = compose.named("volumes").into_iter().collect();
        for service in &compose.services {
            for volume in service.strings("volumes") {
                let (source, rest) = volume.split_once(':').unwrap();
                if source.starts_with("./") {
                    assert!(workspace().join(source).exists(), "{source}");
                    assert!(rest.ends_with(":ro"), "{volume}");
                    continue;
                }
                assert!(declared.contains(source), "{source}");
                let Some(owner) = source.strip_prefix("secrets-") else {
                    continue;
                };
                let reader = service.name.trim_end_matches("-2").trim_end_matches("-3");
                let is_own = match reader {
                    "secrets" => true,
                    "streams" | "tools" => owner == "operator",
                    "keys" => ["operator", "kept"].contains(&owner),
                    reader => owner == reader,
                };
                assert!(is_own, "{}: {source}", service.name);
                let may_write = reader == "secrets" || (reader, owner) == ("keys", "kept");
                assert!(may_write || rest.ends_with(":ro"), "{volume}");
            }
            for (name, value) in service.environment() {
                let is_told = name.contains("PASSWORD") && !value.starts_with("/run/secrets/");
                assert!(!is_told, "{}: {name}", service.name);
            }
        }
    }
}

#[test]
fn prometheus_asks_every_role_at_its_port() {
    let asked = yaml("deploy/prometheus/prometheus.yml");
    let asked = asked["scrape_configs"][0]["dns_sd_configs"]
        .as_array()
        .unwrap();
    for compose in both() {
        for service in compose.roles() {
            let port = service.port();
            let is_asked = asked.iter().any(|entry| {
                let names = entry["names"].as_array().unwrap();
                names.contains(&json!(service.name))
                    && Some(entry["port"].as_u64().unwrap()) == port.parse().ok()
            });
            assert!(is_asked, "{}:{port}", service.name);
        }
    }
}

/// What `deploy/secrets.sh` makes.
pub(crate) struct Secrets(TempDir);

impl Secrets {
    fn make() -> Self {
        Self::make_with(&[])
    }

    /// Where some were made before.
    pub(crate) fn make_with(kept: &[(String, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let compose = Compose::one_node();
        for volume in compose.named("volumes") {
            if let Some(name) = volume.strip_prefix("secrets-") {
                fs::create_dir(folder.path().join(name)).unwrap();
            }
        }
        for (name, secret) in kept {
            fs::write(folder.path().join("kept").join(name), secret).unwrap();
        }
        let secrets = Self(folder);
        for _start in 0..2 {
            secrets.hand_out();
        }
        secrets
    }

    pub(crate) fn hand_out(&self) {
        let script = workspace().join("deploy/secrets.sh");
        let made = Command::new("sh").arg(script).arg(self.path()).output();
        let made = made.unwrap();
        assert!(made.status.success(), "{made:?}");
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap()
    }
}

#[test]
fn the_mail_server_that_somebody_writes_down_is_told_to_the_user_service_alone() {
    let url = "smtp://kim:p%26ss@mail.example.com:587?tls=required&x=$y";
    let secrets = Secrets::make_with(&[("smtp.url".to_owned(), format!("{url}\n"))]);
    let script = "set -a; . ./environment; printenv SMTP_URL";
    for role in [
        "auth", "user", "chat", "store", "batch", "gateway", "operator",
    ] {
        let read = Command::new("sh")
            .args(["-c", script])
            .current_dir(secrets.path().join(role))
            .env_remove("SMTP_URL")
            .output()
            .unwrap();
        let expected = if role == "user" {
            format!("{url}\n")
        } else {
            String::new()
        };
        assert_eq!(String::from_utf8(read.stdout).unwrap(), expected, "{role}");
    }
}

#[test]
fn every_secret_is_documented() {
    let handbook = text("docs/operations.md");
    let secrets = Secrets::make();
    for folder in fs::read_dir(secrets.path()).unwrap() {
        let folder = folder.unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            let names = [folder.file_name(), file.unwrap().file_name()];
            let [folder, file] = names.map(|name| name.into_string().unwrap());
            assert!(
                handbook.contains(&format!("`{folder}/{file}`")),
                "{folder}/{file}"
            );
        }
    }
}

#[test]
fn the_files_of_the_cluster_name_what_there_is() {
    let one: BTreeSet<_> = Compose::one_node()
        .services
        .into_iter()
        .map(|s| s.name)
        .collect();
    let over = yaml(FILES[1]);
    for (name, service) in over["services"].as_object().unwrap() {
        let is_new = service.get("extends").is_some();
        assert_eq!(one.contains(name), !is_new, "{name}");
    }
    let cluster = Compose::cluster();
    let count = |image: &str| {
        cluster
            .services
            .iter()
            .filter(|s| s.image().starts_with(image))
            .count()
    };
    assert_eq!(count("nats:"), 3);
    for service in cluster
        .ours()
        .filter(|service| service.declared("entrypoint").is_null())
    {
        let variables = service.environment();
        let of = |name| variables.iter().find(|(key, _)| *key == name).unwrap().1;
        assert_eq!(of("NATS_URL").split(',').count(), 3, "{}", service.name);
        assert_eq!(of("DORAN_REPLICAS"), "3", "{}", service.name);
    }
    let gateways = cluster
        .services
        .iter()
        .filter(|service| service.name.starts_with("gateway"));
    for gateway in gateways {
        for (name, urls) in gateway.environment() {
            if !name.ends_with("_URLS") {
                continue;
            }
            for url in urls.split(',') {
                let host = url.trim_start_matches("http://").split(':').next().unwrap();
                assert!(
                    cluster.services.iter().any(|service| service.name == host),
                    "{url}"
                );
            }
        }
    }
}

#[tokio::test]
async fn every_container_command_becomes_ready_with_what_it_is_given_and_people_chat() {
    let ground = Ground::start().await;
    for service in &ground.services {
        let base = service.process.base();
        let ready = reqwest::get(format!("{base}/health/ready")).await.unwrap();
        let status = ready.status();
        assert_eq!(
            status,
            StatusCode::OK,
            "{}: {}",
            service.name,
            ready.text().await.unwrap()
        );
        let mut healthy = Command::new("bash");
        healthy.arg(workspace().join("deploy/healthy.sh"));
        healthy.env("DORAN_LISTEN", service.process.address.to_string());
        assert!(healthy.status().unwrap().success(), "{}", service.name);
    }
    let kim = Person::at(ground.gateway().process.base())
        .register_as("kim")
        .await;
    let room = kim
        .post("/api/chat/rooms", &json!({ "name": "회의" }))
        .await;
    let messages = format!(
        "/api/chat/rooms/{}/messages",
        room.data["id"].as_str().unwrap()
    );
    let sent = kim.post(&messages, &json!({ "content": "안녕" })).await;
    let read = kim.get(&messages, &sent.position.unwrap()).await;
    assert_eq!(read.data["items"][0]["content"], "안녕");
    for service in &ground.services {
        let log = service.process.log();
        assert!(!log.contains("ermissions Violation"), "{log}");
    }
    // What the operator's containers run.
    for words in [
        &["streams", "check"][..],
        &["projections", "status"],
        &["projections", "rebuild", "chat", "--verify"],
        &["doctor"],
    ] {
        let run = ground.tool(words).await;
        assert_eq!(run.code, 0, "{words:?}: {run:?}");
    }
    // The rebuilt tables belong to the service again.
    let again = kim.get(&messages, "MESSAGE:1").await;
    assert_eq!(again.data["items"][0]["content"], "안녕");

    let rotated = ground.run("keys", &["keys", "rotate"]).await;
    assert_eq!(rotated.code, 0, "{rotated:?}");
    ground.hand_out_secrets();
    let (key_id, _) = rotated.stdout.split_once(' ').unwrap();
    let signs = async || {
        let someone = Person::at(ground.gateway().process.base());
        let token = someone.log_in_as("kim").await.token;
        let head = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap());
        let head: Value = serde_json::from_slice(&head.unwrap()).unwrap();
        head["kid"].as_str().unwrap().to_owned()
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while signs().await != key_id {
        assert!(
            Instant::now() < deadline,
            "auth does not sign with {key_id}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
