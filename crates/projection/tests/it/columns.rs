//! Arrays of columns give the rows that one JSON text gives.

use doran_projection::ReadModel;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::shop::{Running, Shop};

const COLUMNS: &str = "\"eventId\" uuid, sequence bigint, time timestamptz, actor text, type text,
    \"orderId\" text, id uuid, amount bigint, gift boolean, at timestamptz, body jsonb, day date,
    tags text[], counts bigint[], price numeric, size integer, subject jsonb";

/// A read model that writes down all it sees, into a table of its name.
fn odd(name: &str, condition: &str) -> ReadModel {
    let toml = format!(
        "stream = \"SHOP\"\nfilters = [\"order.*.OrderPlaced\"]\nversion = 1\ntables = [\"{name}\"]"
    );
    let names = COLUMNS.split(',').map(|column| {
        let name = column.split_whitespace().next().unwrap();
        format!("e.{name}")
    });
    let sql = format!(
        "insert into {name} select {} from jsonb_to_recordset($1) as e({COLUMNS}) {condition}",
        names.collect::<Vec<_>>().join(", ")
    );
    ReadModel::try_new(name, [("projection.toml", toml), ("OrderPlaced.sql", sql)]).unwrap()
}

/// The same statement over arrays and, for it uses `$1` once more, over JSON.
async fn run_both(shop: &Shop) -> Running {
    for table in ["arrays", "json"] {
        let create = format!("create table shop.{table} ({COLUMNS})");
        sqlx::raw_sql(sqlx::AssertSqlSafe(create))
            .execute(&shop.pool)
            .await
            .unwrap();
    }
    shop.run([odd("arrays", ""), odd("json", "where $1 is not null")])
}

fn values() -> Vec<Value> {
    vec![
        json!({}),
        json!({"orderId": null, "id": null, "amount": null, "gift": null, "at": null, "body": null,
            "day": null, "tags": null, "counts": null, "price": null}),
        json!({"orderId": "\"이\u{1}\\ 🙂\n", "id": "00000000-0000-0000-0000-00000000000A",
            "amount": i64::MIN, "gift": true, "at": "2026-11-28T10:00:00.123456+09:00",
            "body": {"b": [1.50, "x\u{1f}"], "a": {}}, "day": "2026-02-28", "tags": "{a,\"b c\"}",
            "counts": [1, -2], "price": "1.50", "size": -7}),
        json!({"orderId": "", "id": "{00000000-0000-0000-0000-00000000000a}", "amount": "12",
            "gift": "yes", "at": "1969-12-31 23:59:59.9999999", "body": "text", "day": "28 Feb 2026",
            "tags": ["a", null, "{\""], "counts": [1, null], "price": 1.50, "size": "8"}),
        json!({"orderId": 7, "amount": 0, "gift": false, "at": "2026-12-31T23:59:60Z",
            "body": 3, "tags": [], "counts": []}),
        json!({"counts": [i64::MAX]}),
        json!({"counts": "{3,4}"}),
        json!({"orderId": {"a": 1}, "id": "0000000000000000000000000000000b", "at": "-infinity",
            "body": [], "price": 1e3}),
        json!({"eventId": "spoofed", "sequence": "spoofed", "time": 1, "actor": {}, "type": null}),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn arrays_give_the_rows_that_json_gives() {
    let shop = Shop::open().await;
    let running = run_both(&shop).await;
    let mut last = 0;
    for value in values() {
        last = shop.append("OrderPlaced", 1, "a", value).await;
    }
    let twice = r#"{"orderId": "first", "id": 1, "orderId": "second", "id": null}"#;
    let subject = "order.a.OrderPlaced";
    last = last.max(shop.publish(subject, "OrderPlaced", 1, twice.into()).await);
    running.reached(last).await;
    assert_eq!(running.service.parked().await.unwrap(), []);
    let rows = async |table: &str| -> Vec<String> {
        let select = format!("select t::text from shop.{table} t order by sequence");
        let rows = sqlx::query(sqlx::AssertSqlSafe(select));
        let rows = rows.fetch_all(&shop.pool).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    let (arrays, json) = (rows("arrays").await, rows("json").await);
    assert_eq!(arrays.len(), values().len() + 1);
    assert_eq!(arrays, json);
}

/// The values that neither form takes.
#[tokio::test(flavor = "multi_thread")]
async fn what_no_column_takes_is_parked_either_way() {
    let shop = Shop::open().await;
    let running = run_both(&shop).await;
    let mut last = 0;
    for (n, value) in [
        json!({"orderId": "a\u{0}b"}),
        json!({"id": "no id"}),
        json!({"amount": 9_223_372_036_854_775_808_u64}),
        json!({"amount": 7.0}),
        json!({"at": "2026-13-01T00:00:00Z"}),
        json!({"body": {"a": "\u{0}"}}),
        json!({"day": "2026-02-30"}),
        json!({"size": 2_147_483_648_i64}),
        json!({"tags": "{"}),
    ]
    .into_iter()
    .enumerate()
    {
        let order = format!("bad{n}");
        last = shop.append("OrderPlaced", 1, &order, value).await;
    }
    running.reached(last).await;
    let parked = running.service.parked().await.unwrap();
    let of = |name: &str| -> Vec<_> {
        let parked = parked.iter().filter(|parked| parked.read_model == name);
        let mut of: Vec<_> = parked.map(|parked| parked.aggregate.clone()).collect();
        of.sort();
        of
    };
    assert_eq!(of("arrays").len(), 9);
    assert_eq!(of("arrays"), of("json"));
}
