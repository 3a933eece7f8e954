//! The whole system: servers of the test's own, and `doran` in front of them.

use std::{collections::HashMap, path::PathBuf, thread, time::Duration};

use async_nats::{Client, HeaderMap};
use doran_platform::{access_token::Signer, secret::MasterKey};
use doran_testkit::{self as testkit, NatsUser, TestDatabase, TestNats, TestPostgres, TestRedis};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{
    backup::Copy,
    command::{Run, doran},
    process::Process,
};

pub(crate) struct System {
    pub(crate) gateway: Process,
    /// The services, where they are not in the gateway's process.
    pub(crate) services: Vec<Process>,
    /// Beside the first one, where there are two.
    pub(crate) second_gateway: Option<Process>,
    nats: TestNats,
    database: TestDatabase,
    redis: TestRedis,
    folder: TempDir,
}

/// The servers and keys, and no `doran` yet.
struct Ground {
    nats: TestNats,
    database: TestDatabase,
    redis: TestRedis,
    folder: TempDir,
}

/// What other processes do takes its time, and more of it beside other tests.
const PATIENCE: Duration = Duration::from_secs(50);

/// Looks again and again until something is so.
pub(crate) async fn until(is_so: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "it did not come to be so");
        sleep(Duration::from_millis(50)).await;
    }
}

type Variables = Vec<(String, String)>;

impl System {
    /// As `./dev up` runs it.
    pub(crate) async fn in_one_process() -> Self {
        Self::with_flags(&["--dev"]).await
    }

    /// As [`System::in_one_process`], for those who ask more than people would.
    pub(crate) async fn without_limits() -> Self {
        Self::with_flags(&["--dev", "--no-limits"]).await
    }

    pub(crate) async fn with_flags(flags: &[&str]) -> Self {
        let ground = Ground::prepare().await;
        let gateway = Process::start(&[&["all"], flags].concat(), ground.variables());
        ground.carry(gateway, Vec::new())
    }

    /// As [`System::in_one_process`], with so much room for the log.
    pub(crate) async fn with_room(bytes: u64) -> Self {
        let nats = TestNats::start_with(testkit::Sync::AlwaysWithin { bytes }).await;
        let ground = Ground::prepare_on(nats, TestRedis::database().await).await;
        let gateway = Process::start(&["all", "--dev", "--no-limits"], ground.variables());
        ground.carry(gateway, Vec::new())
    }

    /// As compose.yaml runs it: each role with the NATS user of that role.
    pub(crate) async fn in_separate_processes() -> Self {
        let ground = Ground::prepare().await;
        let services = at_once(["auth", "user", "chat", "store", "batch"], |role| {
            ground.start_service(role)
        });
        let [auth, user, chat, store, batch] = services.each_ref().map(Process::base);
        let gateway = ground.start_gateway(&[
            ("--auth-url", &auth),
            ("--user-url", &user),
            ("--chat-url", &chat),
            ("--store-url", &store),
            ("--batch-url", &batch),
        ]);
        ground.carry(gateway, services.into())
    }

    /// As [`System::in_separate_processes`], with a second chat service and a second gateway.
    pub(crate) async fn with_two_gateways() -> Self {
        let ground = Ground::prepare().await;
        let roles = ["auth", "user", "chat", "chat"];
        let services = at_once(roles, |role| ground.start_service(role));
        let [auth, user, chat, other_chat] = services.each_ref().map(Process::base);
        let chats = format!("{chat},{other_chat}");
        let start = |()| {
            let urls = [
                ("--auth-url", &auth),
                ("--user-url", &user),
                ("--chat-url", &chats),
            ];
            ground.start_gateway(&urls)
        };
        let [gateway, second] = at_once([(); 2], start);
        Self {
            second_gateway: Some(second),
            ..ground.carry(gateway, services.into())
        }
    }

    /// As [`System::in_one_process`], with a Redis that nobody else needs.
    pub(crate) async fn with_redis_of_its_own() -> Self {
        let ground = Ground::prepare_with(TestRedis::start().await).await;
        let gateway = Process::start(&["all", "--dev"], ground.variables());
        ground.carry(gateway, Vec::new())
    }

    /// The same people and keys on empty servers, where only the log and the buckets come from
    /// copies; nothing of the old system runs any more.
    pub(crate) async fn elsewhere(self, copies: &[Copy]) -> Self {
        let Self {
            gateway,
            nats,
            folder,
            ..
        } = self;
        assert_eq!(gateway.terminate(), Some(0));
        nats.stop().await;
        let ground = Ground {
            nats: TestNats::start().await,
            database: TestPostgres::database().await,
            redis: TestRedis::database().await,
            folder,
        };
        let client = ground.nats.client().await;
        for copy in copies {
            copy.restore(&client).await;
        }
        let gateway = Process::start(&["all", "--dev"], ground.variables());
        ground.carry(gateway, Vec::new())
    }

    /// The one process again, after it was killed.
    pub(crate) fn start_again(&mut self) {
        let variables = variables(&self.nats, &self.database, &self.redis, &self.folder);
        self.gateway = Process::start(&["all", "--dev"], variables);
    }

    pub(crate) fn nats(&self) -> &TestNats {
        &self.nats
    }

    pub(crate) fn redis(&self) -> &TestRedis {
        &self.redis
    }

    pub(crate) fn nats_folder(&self) -> PathBuf {
        self.nats.folder()
    }

    /// Where the servers keep what they were told: of PostgreSQL, which other tests use as well,
    /// the files of the own database and the write-ahead log.
    pub(crate) async fn data_folders(&self) -> Vec<String> {
        let pool = self.database.pool();
        sqlx::query("checkpoint").execute(&pool).await.unwrap();
        let postgres = "select current_setting('data_directory') || '/base/' || oid
            from pg_database where datname = current_database()
            union all select current_setting('data_directory') || '/pg_wal'";
        let mut folders: Vec<String> = sqlx::query_scalar(postgres).fetch_all(&pool).await.unwrap();
        let mut redis = self.redis.connection().await;
        let _: () = redis::cmd("SAVE").query_async(&mut redis).await.unwrap();
        let directory: HashMap<String, String> = redis::cmd("CONFIG")
            .arg(&["GET", "dir"])
            .query_async(&mut redis)
            .await
            .unwrap();
        folders.extend(directory.into_values());
        folders.push(self.nats.folder().display().to_string());
        folders
    }

    /// Writes a text where none should be.
    pub(crate) async fn leak_into_postgres(&self, text: &str) {
        let pool = self.database.pool();
        self.define("create table leak (text text)").await;
        let insert = sqlx::query("insert into leak (text) values ($1)").bind(text);
        insert.execute(&pool).await.unwrap();
    }

    /// What a bucket holds under a key; nothing if it holds nothing.
    pub(crate) async fn value(&self, bucket: &str, key: &str) -> Vec<u8> {
        let bucket = self.nats.jetstream().await.get_key_value(bucket).await;
        let value = bucket.unwrap().get(key).await.unwrap();
        value.unwrap_or_default().to_vec()
    }

    pub(crate) async fn nats_client(&self) -> Client {
        self.nats.client().await
    }

    pub(crate) async fn has_stream(&self, name: &str) -> bool {
        let js = self.nats.jetstream().await;
        js.get_stream(name).await.is_ok()
    }

    /// Runs a tool as an operator does.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Run {
        let mut variables = variables(&self.nats, &self.database, &self.redis, &self.folder);
        variables.push(("GATEWAY_URL".to_owned(), self.gateway.base()));
        Run::of(doran(arguments).envs(variables)).await
    }

    /// What the gateway's process tells of itself.
    pub(crate) async fn metrics(&self) -> String {
        let metrics = reqwest::get(format!("{}/metrics", self.gateway.base())).await;
        metrics.unwrap().text().await.unwrap()
    }

    /// As [`System::run`], with the rights of a role.
    pub(crate) async fn run_as(&self, user: NatsUser, arguments: &[&str]) -> Run {
        let mut variables = variables(&self.nats, &self.database, &self.redis, &self.folder);
        act_as(user, &self.nats, &mut variables);
        Run::of(doran(arguments).envs(variables)).await
    }

    /// Writes an event as any release may have written it.
    pub(crate) async fn append(&self, subject: String, headers: HeaderMap, body: String) {
        let js = self.nats.jetstream().await;
        let sent = js.publish_with_headers(subject, headers, body.into()).await;
        sent.unwrap().await.unwrap();
    }

    /// Starts one more process of a role, with its rights.
    pub(crate) fn start_as(&self, user: NatsUser, words: &[&str]) -> Process {
        let mut variables = variables(&self.nats, &self.database, &self.redis, &self.folder);
        act_as(user, &self.nats, &mut variables);
        Process::start(words, variables)
    }

    /// Keeps everybody else from a table until the transaction ends.
    pub(crate) async fn lock(&self, table: &str) -> sqlx::Transaction<'static, sqlx::Postgres> {
        let mut lock = self.database.pool().begin().await.unwrap();
        let sql = sqlx::AssertSqlSafe(format!("lock table {table} in access exclusive mode"));
        sqlx::query(sql).execute(&mut *lock).await.unwrap();
        lock
    }

    /// Changes tables as nothing of the system does.
    pub(crate) async fn execute(&self, sql: &'static str) {
        let changed = sqlx::query(sql).execute(&self.database.pool()).await;
        assert_eq!(changed.unwrap().rows_affected(), 1, "{sql}");
    }

    /// Changes what there is in the database, not what is in it.
    pub(crate) async fn define(&self, sql: &'static str) {
        let defined = sqlx::raw_sql(sql).execute(&self.database.pool()).await;
        defined.unwrap();
    }

    /// What the services have logged.
    pub(crate) fn logs(&self) -> String {
        self.services.iter().map(Process::log).collect()
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        let select = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        let counted = sqlx::query_scalar(select);
        counted.fetch_one(&self.database.pool()).await.unwrap()
    }
}

impl Ground {
    async fn prepare() -> Self {
        Self::prepare_with(TestRedis::database().await).await
    }

    async fn prepare_with(redis: TestRedis) -> Self {
        Self::prepare_on(TestNats::start().await, redis).await
    }

    async fn prepare_on(nats: TestNats, redis: TestRedis) -> Self {
        let folder = tempfile::tempdir().unwrap();
        MasterKey::open_or_create(&folder.path().join("master.key")).unwrap();
        Signer::open_or_create(&folder.path().join("signing.pem")).unwrap();
        let ground = Self {
            nats,
            database: TestPostgres::database().await,
            redis,
            folder,
        };
        let applied = Run::of(doran(&["streams", "apply"]).envs(ground.variables())).await;
        assert_eq!(applied.code, 0, "{applied:?}");
        ground
    }

    fn start_service(&self, role: &str) -> Process {
        let user = match role {
            "auth" => NatsUser::Auth,
            "user" => NatsUser::User,
            "store" => NatsUser::Store,
            "batch" => NatsUser::Batch,
            _ => NatsUser::Chat,
        };
        Process::start(&[role], self.variables_of(user))
    }

    /// In front of these services, each with one address or several.
    fn start_gateway(&self, services: &[(&str, &String)]) -> Process {
        let mut words = vec!["gateway", "--no-limits"];
        for (flag, url) in services {
            words.extend([*flag, url.as_str()]);
        }
        Process::start(&words, self.variables_of(NatsUser::Gateway))
    }

    fn variables(&self) -> Variables {
        variables(&self.nats, &self.database, &self.redis, &self.folder)
    }

    fn variables_of(&self, user: NatsUser) -> Variables {
        let mut variables = self.variables();
        act_as(user, &self.nats, &mut variables);
        variables.retain(|(name, _)| !name.starts_with("NATS_SYSTEM"));
        variables
    }

    fn carry(self, gateway: Process, services: Vec<Process>) -> System {
        let Self {
            nats,
            database,
            redis,
            folder,
        } = self;
        System {
            gateway,
            services,
            second_gateway: None,
            nats,
            database,
            redis,
            folder,
        }
    }
}

/// Processes take their time to start, each the same.
fn at_once<T: Send, const N: usize>(
    of: [T; N],
    start: impl Fn(T) -> Process + Sync,
) -> [Process; N] {
    let start = &start;
    thread::scope(|scope| {
        let starting = of.map(|one| scope.spawn(move || start(one)));
        starting.map(|process| process.join().unwrap())
    })
}

fn act_as(user: NatsUser, nats: &TestNats, variables: &mut Variables) {
    for (name, value) in variables {
        match name.as_str() {
            "NATS_USER" => user.name().clone_into(value),
            "NATS_PASSWORD" => *value = nats.password(user),
            _ => {}
        }
    }
}

fn variables(
    nats: &TestNats,
    database: &TestDatabase,
    redis: &TestRedis,
    folder: &TempDir,
) -> Variables {
    let mut variables = doran_testkit::variables(nats, database, redis);
    // Nothing that a test makes is old.
    let at_once = ["DORAN_PURGE_ROOMS_AFTER_DAYS", "DORAN_ARCHIVE_AFTER_DAYS"];
    variables.extend(at_once.map(|name| (name.to_owned(), "0".to_owned())));
    let keys = [
        ("DORAN_MASTER_KEY_FILE", "master.key"),
        ("DORAN_SIGNING_KEY_FILE", "signing.pem"),
    ];
    for (name, file) in keys {
        let path = folder.path().join(file).display().to_string();
        variables.push((name.to_owned(), path));
    }
    variables
}
