use doran_testkit::TestRedis;

#[tokio::test]
async fn every_test_has_a_redis_database_of_its_own() {
    let (one, other) = (TestRedis::database().await, TestRedis::database().await);
    let mut there = one.connection().await;
    let () = redis::cmd("SET")
        .arg("a")
        .arg(1)
        .query_async(&mut there)
        .await
        .unwrap();
    let mut here = other.connection().await;
    let found: bool = redis::cmd("EXISTS")
        .arg("a")
        .query_async(&mut here)
        .await
        .unwrap();
    assert!(!found);
}

#[tokio::test]
async fn a_redis_of_the_tests_own_stops_and_resumes() {
    let server = TestRedis::start().await;
    server.stop().await;
    assert!(
        redis::Client::open(server.url())
            .unwrap()
            .get_connection()
            .is_err()
    );
    server.resume().await;
    let mut connection = server.connection().await;
    let answer: String = redis::cmd("PING")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(answer, "PONG");
}
