//! The servers as compose.yaml sets them up, with the secrets of `deploy/secrets.sh`, and every role
//! of it as a process instead of a container.

use doran_testkit::{NatsUser, TestNats, TestPostgres, TestRedis};
use sqlx::AssertSqlSafe;

use super::{
    Secrets,
    file::{Compose, Service, text},
};
use crate::{
    command::{Run, doran},
    process::Process,
};

pub(crate) struct Ground {
    /// In the order in which they were started; the gateway is the last.
    pub(crate) services: Vec<Running>,
    pub(crate) nats: TestNats,
    pub(crate) postgres: TestPostgres,
    pub(crate) redis: TestRedis,
    pub(crate) secrets: Secrets,
}

pub(crate) struct Running {
    pub(crate) name: String,
    /// Where the container listens.
    port: String,
    pub(crate) process: Process,
}

impl Ground {
    pub(crate) async fn start() -> Self {
        let nats = TestNats::start().await;
        let passwords =
            NatsUser::EVERY.map(|user| (format!("nats.{}", user.name()), nats.password(user)));
        let ground = Self {
            services: Vec::new(),
            nats,
            postgres: TestPostgres::start().await,
            redis: TestRedis::start().await,
            secrets: Secrets::make_with(&passwords),
        };
        ground.make_database_roles().await;
        ground.make_redis_users().await;
        ground.start_roles().await
    }

    pub(crate) fn gateway(&self) -> &Running {
        self.services.last().unwrap()
    }

    /// Runs a tool as the container of that name would.
    pub(crate) async fn tool(&self, words: &[&str]) -> Run {
        self.run("tools", words).await
    }

    /// Runs a command in place of that of one of the operator's containers.
    pub(crate) async fn run(&self, container: &str, words: &[&str]) -> Run {
        let compose = Compose::one_node();
        let container = compose
            .services
            .iter()
            .find(|service| service.name == container);
        let variables = self.variables(container.unwrap(), "operator");
        Run::of(doran(words).envs(variables)).await
    }

    /// Runs the container `secrets` again.
    pub(crate) fn hand_out_secrets(&self) {
        self.secrets.hand_out();
    }

    /// A value of the file that a container's entry point reads.
    pub(crate) fn secret(&self, owner: &str, name: &str) -> String {
        let text = self.secrets.read(&format!("{owner}/environment"));
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}=")));
        self.here(value.unwrap(), owner)
    }

    async fn start_roles(mut self) -> Self {
        let compose = Compose::one_node();
        let applied = self.tool(&["streams", "apply"]).await;
        assert_eq!(applied.code, 0, "{applied:?}");
        let (gateways, services): (Vec<_>, Vec<_>) = compose
            .roles()
            .partition(|service| !service.strings("ports").is_empty());
        for service in services.into_iter().chain(gateways) {
            let variables = self.variables(service, &service.name);
            let process = Process::start(&service.strings("command"), variables);
            self.services.push(Running {
                name: service.name.clone(),
                port: service.port().to_owned(),
                process,
            });
        }
        self
    }

    /// What the container is told, with the servers of the test in place of those of the network.
    fn variables(&self, service: &Service, owner: &str) -> Vec<(String, String)> {
        let declared = service.environment();
        let declared = declared
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let secret = self.secrets.read(&format!("{owner}/environment"));
        let secret = secret.lines().map(|line| {
            let (name, value) = line.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        });
        let all = declared.chain(secret);
        all.map(|(name, value)| {
            let value = if name == "DORAN_LISTEN" {
                "127.0.0.1:0".to_owned()
            } else {
                self.here(&value, owner)
            };
            (name, value)
        })
        .collect()
    }

    fn here(&self, value: &str, owner: &str) -> String {
        let host = |url: &str| {
            let address = url.rsplit_once('@').map_or(url, |(_, address)| address);
            let address = address.trim_start_matches("nats://");
            address.split('/').next().unwrap().to_owned()
        };
        let folder = format!("{}/", self.secrets.path().join(owner).display());
        let kept = self.secrets.path().join("kept");
        let kept = kept.display();
        let services = self.services.iter().map(|running| {
            let there = format!("{}:{}", running.name, running.port);
            (there, running.process.address.to_string())
        });
        let servers = [
            ("nats:4222".to_owned(), host(self.nats.url())),
            ("postgres:5432".to_owned(), host(self.postgres.url())),
            ("redis:6379".to_owned(), host(self.redis.url())),
            ("/run/secrets/".to_owned(), folder),
            ("/run/kept/".to_owned(), format!("{kept}/")),
        ];
        let replaced = services.chain(servers);
        replaced.fold(value.to_owned(), |value, (from, to)| {
            value.replace(&from, &to)
        })
    }

    /// What `deploy/postgres-roles.sh` has psql do.
    async fn make_database_roles(&self) {
        let script = text("deploy/postgres-roles.sh");
        let pairs = script.split("for pair in ").nth(1).unwrap();
        let pairs = pairs.split(';').next().unwrap();
        let sql = script.split("<<'SQL'\n").nth(1).unwrap();
        let sql = sql.split("SQL\n").next().unwrap();
        let pool = self.postgres.pool();
        for pair in pairs.split_whitespace() {
            let (role, schema) = pair.split_once(':').unwrap();
            let password = self.secrets.read(&format!("postgres/{role}"));
            let sql = sql
                .replace(":\"role\"", &format!("\"doran_{role}\""))
                .replace(":\"DBNAME\"", "doran")
                .replace(":\"schema\"", &format!("\"{schema}\""))
                .replace(":'password'", &format!("'{password}'"));
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&pool)
                .await
                .unwrap();
        }
        let superuser = self.secrets.read("postgres/superuser");
        let sql = format!("create role postgres superuser login password '{superuser}'");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&pool)
            .await
            .unwrap();
    }

    /// What `--aclfile` makes, but the user with whom the test looks on.
    async fn make_redis_users(&self) {
        let mut connection = self.redis.connection().await;
        for line in self.secrets.read("redis/users.acl").lines() {
            let mut words = line.split(' ');
            assert_eq!(words.next(), Some("user"));
            let name = words.next().unwrap();
            if name == "default" {
                continue;
            }
            let mut set = redis::cmd("ACL");
            set.arg("SETUSER").arg(name);
            words.for_each(|word| {
                set.arg(word);
            });
            let () = set.query_async(&mut connection).await.unwrap();
        }
    }
}
