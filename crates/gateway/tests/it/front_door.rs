//! HTTP: which service answers, what is passed on, what the page and operators get.

use std::time::Duration;

use doran_gateway::Upstream;
use doran_testkit::TestRedis;
use reqwest::{Client, Method, StatusCode, header};
use serde_json::{Value, json};

use crate::world::{OWN_ORIGIN, Setup, World, echo_routes, listen};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn json(response: reqwest::Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_request_reaches_its_service_as_it_was_sent() {
    let world = World::start().await;
    let http = Client::new();
    for service in ["auth", "users", "chat"] {
        let path = format!("/api/{service}/echo?a=b%20c");
        let response = http
            .patch(world.url(&path))
            .header("x-request-id", "from-me")
            .header("traceparent", TRACE)
            .header("x-forwarded-for", "10.0.0.1")
            .header("connection", "x-own")
            .header("x-own", "1")
            .body("안녕")
            .send()
            .await
            .unwrap();
        assert_eq!(response.headers()["x-request-id"], "from-me");
        let seen = json(response).await;
        let seen = &seen["data"];
        assert_eq!(seen["method"], "PATCH");
        assert_eq!(seen["uri"], path);
        assert_eq!(seen["body"], "안녕");
        assert_eq!(seen["headers"]["x-forwarded-for"], "127.0.0.1");
        assert_eq!(seen["headers"]["x-request-id"], "from-me");
        assert_eq!(seen["headers"]["traceparent"], TRACE);
        assert_eq!(seen["headers"].get("x-own"), None);
    }
    // A path's own parts are its service's alone.
    let thing = json(
        http.get(world.url("/api/chat/things/7"))
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(thing["data"], "7");
}

#[tokio::test]
async fn a_persons_role_is_the_user_services_business() {
    let world = World::with(Setup {
        chat: Some(Upstream::Absent),
        ..Setup::default()
    })
    .await;
    let url = world.url("/api/auth/users/7/role");
    let seen = json(Client::new().put(url).send().await.unwrap()).await;
    // Only a service that has routes for it could answer: the user service does not know this one.
    assert_eq!(seen["errorCode"], "NOT_FOUND");
}

#[tokio::test]
async fn what_nobody_serves_is_said_in_the_envelope() {
    let world = World::with(Setup {
        chat: Some(Upstream::Absent),
        ..Setup::default()
    })
    .await;
    let http = Client::new();
    for (method, path, status, code) in [
        (
            Method::GET,
            "/api/nothing/x",
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
        ),
        (
            Method::GET,
            "/api/auth/nothing",
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
        ),
        (Method::GET, "/nothing", StatusCode::NOT_FOUND, "NOT_FOUND"),
        (
            Method::POST,
            "/api/auth/health",
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
        ),
        (
            Method::POST,
            "/api",
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
        ),
        (
            Method::GET,
            "/api/store/files",
            StatusCode::SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
        ),
        (
            Method::GET,
            "/api/chat/rooms",
            StatusCode::SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
        ),
        (Method::GET, "/ws", StatusCode::BAD_REQUEST, "BAD_REQUEST"),
    ] {
        let response = http.request(method, world.url(path)).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let retry = response.headers().contains_key(header::RETRY_AFTER);
        assert_eq!(retry, status == StatusCode::SERVICE_UNAVAILABLE, "{path}");
        let body = json(response).await;
        assert_eq!(body["errorCode"], code, "{path}");
        assert_eq!(body["success"], false);
    }
}

#[tokio::test]
async fn services_in_other_processes_are_called_in_turns_and_missed_plainly() {
    let elsewhere = World::start().await;
    let named = |name: &'static str| {
        let answer = async move || doran_platform::http::Success::ok(name);
        echo_routes("/api/chat").route("/api/chat/who", axum::routing::get(answer))
    };
    let one = listen(&elsewhere.platform, named("one")).await;
    let other = listen(&elsewhere.platform, named("other")).await;
    let instances = [one, other].map(|address| format!("http://{address}").parse().unwrap());
    let chat = Some(Upstream::Http(instances.into()));
    let world = World::with(Setup {
        chat,
        ..Setup::default()
    })
    .await;
    let http = Client::new();
    let mut seen = Vec::new();
    for _ in 0..4 {
        let answer = json(http.get(world.url("/api/chat/who")).send().await.unwrap()).await;
        seen.push(answer["data"].as_str().unwrap().to_owned());
    }
    seen.sort_unstable();
    assert_eq!(seen, ["one", "one", "other", "other"]);

    let echoed = http
        .post(world.url("/api/chat/echo?x=1"))
        .body("안녕")
        .send()
        .await
        .unwrap();
    let echoed = json(echoed).await;
    assert_eq!(echoed["data"]["body"], "안녕");
    assert_eq!(echoed["data"]["uri"], "/api/chat/echo?x=1");
    assert_eq!(echoed["data"]["headers"]["x-forwarded-for"], "127.0.0.1");
    assert!(echoed["data"]["headers"]["x-request-id"].is_string());

    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let chat = Some(Upstream::Http(vec![
        format!("http://{nobody}").parse().unwrap(),
    ]));
    let world = World::with(Setup {
        chat,
        ..Setup::default()
    })
    .await;
    let response = http
        .post(world.url("/api/chat/rooms"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(json(response).await["errorCode"], "UNAVAILABLE");
}

#[tokio::test]
async fn browsers_of_allowed_origins_may_call_and_read_the_headers_they_need() {
    let world = World::start().await;
    let http = Client::new();
    let preflight = |origin: &'static str| {
        http.request(Method::OPTIONS, world.url("/api/chat/rooms"))
            .header("origin", origin)
            .header("access-control-request-method", "PATCH")
            .header(
                "access-control-request-headers",
                "authorization,idempotency-key,if-match",
            )
            .send()
    };
    for origin in ["http://localhost:5173", OWN_ORIGIN] {
        let allowed = preflight(origin).await.unwrap();
        assert_eq!(allowed.headers()["access-control-allow-origin"], origin);
        let methods = allowed.headers()["access-control-allow-methods"]
            .to_str()
            .unwrap();
        assert!(methods.contains("PATCH"));
        let headers = allowed.headers()["access-control-allow-headers"]
            .to_str()
            .unwrap();
        for header in [
            "authorization",
            "idempotency-key",
            "if-match",
            "doran-min-position",
        ] {
            assert!(headers.contains(header), "{header}");
        }
    }
    let refused = preflight("http://evil.example").await.unwrap();
    assert!(
        !refused
            .headers()
            .contains_key("access-control-allow-origin")
    );

    let answer = http
        .get(world.url("/api/chat/echo"))
        .header("origin", OWN_ORIGIN)
        .send()
        .await
        .unwrap();
    let exposed = answer.headers()["access-control-expose-headers"]
        .to_str()
        .unwrap();
    for header in [
        "doran-position",
        "etag",
        "location",
        "retry-after",
        "x-request-id",
    ] {
        assert!(exposed.contains(header), "{header}");
    }
}

#[tokio::test]
async fn the_page_comes_with_its_policy_and_is_asked_for_once() {
    let world = World::start().await;
    let http = Client::new();
    let page = http.get(world.url("/")).send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
    let etag = page.headers()["etag"].clone();
    let again = http
        .get(world.url("/"))
        .header("if-none-match", etag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let head = http.head(world.url("/app.js")).send().await.unwrap();
    assert_eq!(
        head.headers()["content-type"],
        "text/javascript; charset=utf-8"
    );
    for hidden in ["/package.json", "/tests/feed.test.js", "/../Cargo.toml"] {
        let response = http.get(world.url(hidden)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{hidden}");
    }
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_take_it() {
    let world = World::start().await;
    let script = Client::new()
        .get(world.url("/app.js"))
        .header("accept-encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(script.headers()["content-encoding"], "gzip");
}

#[tokio::test]
async fn operators_see_what_the_gateway_depends_on() {
    let redis = TestRedis::database().await;
    let setup = Setup {
        redis_url: Some(redis.url().to_owned()),
        ..Setup::default()
    };
    let world = World::with(setup).await;
    let http = Client::new();
    let get = async |path: &str| http.get(world.url(path)).send().await.unwrap();
    assert_eq!(
        json(get("/health/live").await).await,
        json!({ "status": "UP" })
    );
    let ready = json(get("/health/ready").await).await;
    assert_eq!(ready["status"], "UP");
    for dependency in ["nats", "log", "redis"] {
        assert_eq!(ready["dependencies"][dependency]["state"], "UP");
    }
    let health = json(get("/actuator/health").await).await;
    assert_eq!(health["components"]["nats"]["status"], "UP");
    assert_eq!(
        json(get("/actuator/info").await).await["app"]["name"],
        "dorandoran"
    );
    for path in ["/metrics", "/actuator/prometheus"] {
        let text = get(path).await;
        assert!(
            text.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/plain")
        );
    }
    let about = json(get("/api").await).await;
    assert_eq!(about["data"]["name"], "DoranDoran");
    assert!(
        about["data"]["routes"]
            .as_array()
            .unwrap()
            .contains(&json!("/api/chat/**"))
    );

    world.nats.stop().await;
    let gone = async {
        while get("/health/ready").await.status() != StatusCode::SERVICE_UNAVAILABLE {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .unwrap();
    let health = get("/actuator/health").await;
    assert_eq!(health.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(json(health).await["status"], "DOWN");
}

#[tokio::test]
async fn programs_get_events_and_frames_described() {
    let world = World::start().await;
    let response = Client::new().get(world.url("/api/asyncapi.json")).send();
    let response = response.await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    let document = json(response).await;
    assert_eq!(document["asyncapi"], "3.0.0");
    let sealed = &document["components"]["messages"]["MessageSent"]["x-sealed"];
    assert_eq!(*sealed, serde_json::json!(["attachments.name", "content"]));
    assert_eq!(document["channels"]["socket"]["address"], "/ws");
}

#[tokio::test]
async fn people_and_programs_get_the_routes_described() {
    let world = World::start().await;
    let http = Client::new();
    let get = async |path: &str| http.get(world.url(path)).send().await.unwrap();
    let response = get("/api/openapi.json").await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    let document = json(response).await;
    assert_eq!(document["openapi"], "3.1.0");
    let login = &document["paths"]["/api/auth/login"]["post"];
    assert_eq!(login["operationId"], "logIn");
    let page = get("/api/docs").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'self'"), "{policy}");
    let page = page.text().await.unwrap();
    for part in ["/api-docs.js", "/api-docs.css", "/schema-text.js"] {
        assert!(part == "/schema-text.js" || page.contains(part), "{part}");
        assert_eq!(get(part).await.status(), StatusCode::OK, "{part}");
    }
    let other = http.post(world.url("/api/docs")).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::METHOD_NOT_ALLOWED);
}
