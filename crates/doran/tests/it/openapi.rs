//! `docs/api/openapi.json`: the routes as `OpenAPI` 3.1 describes them, made from the types of their
//! handlers. What they answer is compared with it by the clients of all tests.
//!
//! `UPDATE_SCHEMAS=1 cargo test -p doran --test it openapi` writes it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use doran_platform::http::openapi::{Operation, Schemas, components};
use doran_supervisor::workspace;
use serde_json::{Map, Value, json};

use crate::access::{self, Route};

const FILE: &str = "docs/api/openapi.json";

fn services() -> Vec<Operation> {
    let services = [
        doran_auth::operations(),
        doran_user::operations(),
        doran_chat::operations(),
        doran_store::operations(),
    ];
    services.into_iter().flatten().collect()
}

/// A path's first part is its service; what has none is answered by the gateway itself.
fn tag(path: &str) -> &str {
    let service = path.split('/').nth(2).unwrap_or_default();
    let own = ["", "docs", "openapi.json", "asyncapi.json"];
    if own.contains(&service) {
        "gateway"
    } else {
        service
    }
}

fn document() -> Value {
    let operations: Vec<_> = doran_gateway::operations()
        .into_iter()
        .chain(services())
        .collect();
    let rules = rules();
    let mut schemas = Schemas::default();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in &operations {
        let mut described = operation.describe(&mut schemas);
        described["operationId"] = id(operation, &operations).into();
        described["tags"] = json!([tag(operation.path)]);
        let route = (operation.method.to_string(), operation.path.to_owned());
        if let Some(who) = rules.get(&route) {
            described["description"] = format!("Who may: {who}.").into();
        }
        let methods = paths.entry(operation.path).or_default();
        methods.insert(operation.method.as_str().to_lowercase(), described);
    }
    let mut components = components();
    components.insert("schemas".to_owned(), named(schemas));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "DoranDoran",
            "version": "1",
            "description": "Every answer is in one envelope. A command's `Doran-Position` given as \
                            `Doran-Min-Position` lets a query see what was written.",
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": components,
    })
}

fn named(schemas: Schemas) -> Value {
    let named = schemas.finish().into_iter().map(|(name, mut shapes)| {
        assert_eq!(shapes.len(), 1, "two shapes are named {name}: {shapes:#?}");
        (name, shapes.remove(0))
    });
    Value::Object(named.collect())
}

/// Who may do what, as `docs/api/access.md` says.
fn rules() -> BTreeMap<(String, String), String> {
    let table = access::table().into_iter();
    table
        .map(|(route, who)| ((route.method, route.path), who))
        .collect()
}

/// The handler's name. Other handlers of that name, and other paths of the same one, are named by
/// their path.
fn id(operation: &Operation, all: &[Operation]) -> String {
    let name = operation.name();
    let mut namesakes = all.iter().filter(|other| other.name() == name);
    let is_first = namesakes.next().unwrap().path == operation.path;
    let words: Vec<&str> = if is_first && namesakes.all(|o| o.handler == operation.handler) {
        name.split('_').collect()
    } else {
        let path = operation.path.strip_prefix("/api").unwrap();
        let end = if path.ends_with('/') { "slash" } else { "" };
        let parts = path.split(['/', '-', '{', '}', '.']);
        [operation.method.as_str()]
            .into_iter()
            .chain(parts)
            .chain([end])
            .filter(|part| !part.is_empty())
            .collect()
    };
    let mut id = String::new();
    for word in words {
        let word = word.to_lowercase();
        let (first, rest) = word.split_at(1);
        id.push_str(&if id.is_empty() {
            first.to_owned()
        } else {
            first.to_uppercase()
        });
        id.push_str(rest);
    }
    id
}

fn operations_of(document: &Value) -> Vec<(Route, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods.iter().map(move |(method, operation)| {
            let route = Route {
                method: method.to_uppercase(),
                path: path.clone(),
            };
            (route, operation)
        })
    });
    operations.collect()
}

#[test]
fn the_document_is_what_the_handlers_say() {
    let document = document();
    let path = workspace().join(FILE);
    let committed = fs::read_to_string(&path).unwrap_or_default();
    if serde_json::from_str::<Value>(&committed).ok().as_ref() == Some(&document) {
        return;
    }
    assert!(
        std::env::var_os("UPDATE_SCHEMAS").is_some(),
        "{FILE} is not what the handlers say: UPDATE_SCHEMAS=1 cargo test -p doran --test it openapi"
    );
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    fs::write(&path, text).unwrap();
}

#[test]
fn every_route_of_the_services_is_described_and_nothing_else() {
    let document = document();
    let described = operations_of(&document).into_iter();
    let described: BTreeSet<_> = described
        .filter(|(_, operation)| operation["tags"][0] != "gateway")
        .map(|(route, _)| route)
        .collect();
    assert_eq!(described, access::routed());
}

#[test]
fn a_route_needs_a_token_unless_anyone_may() {
    let document = document();
    let rules = rules();
    for (route, operation) in operations_of(&document) {
        let who = rules.get(&(route.method.clone(), route.path.clone()));
        let is_open = who.is_none_or(|who| who == "anyone");
        assert_eq!(operation["security"] == json!([]), is_open, "{route:?}");
    }
}

#[test]
fn every_operation_has_an_id_of_its_own() {
    let document = document();
    let operations = operations_of(&document);
    let ids: BTreeSet<_> = operations
        .iter()
        .map(|(_, operation)| operation["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), operations.len());
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = document();
    let mut open = vec![&document];
    let mut followed = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
                    let pointer = target.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{target}");
                    followed += 1;
                }
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    assert!(followed > 100, "{followed}");
}
