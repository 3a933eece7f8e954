//! Reading a client's frame. Pure.

use doran_contract::frame::ClientFrame;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug)]
pub(super) enum Read {
    Frame(ClientFrame),
    /// Not a frame of the contract.
    Malformed {
        id: Option<u64>,
    },
}

/// The part that says to which id a frame is to be answered.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    id: Option<Value>,
}

pub(super) fn read(text: &str) -> Read {
    let Ok(head) = serde_json::from_str::<Head>(text) else {
        return Read::Malformed { id: None };
    };
    let id = head.id.as_ref().and_then(Value::as_u64);
    serde_json::from_str(text).map_or(Read::Malformed { id }, Read::Frame)
}

#[cfg(test)]
mod tests {
    use doran_contract::frame::Request;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_of_the_contract_is_read() {
        let read = read(r#"{"id":7,"type":"ping"}"#);
        assert!(
            matches!(&read, Read::Frame(frame) if frame.id == Some(7) && matches!(frame.request, Request::Ping)),
            "{read:?}"
        );
    }

    #[test]
    fn attachments_are_ids_of_files_or_the_frame_is_malformed() {
        let with = |files: &str| {
            read(&format!(
                r#"{{"id":3,"type":"send","roomId":"00000000-0000-0000-0000-000000000001",
                "clientMessageId":"a","content":"x","fileIds":{files}}}"#
            ))
        };
        assert!(matches!(with("[]"), Read::Frame(_)));
        let file = r#"["00000000-0000-0000-0000-000000000002"]"#;
        assert!(matches!(with(file), Read::Frame(_)));
        assert!(matches!(with(r#"["a"]"#), Read::Malformed { id: Some(3) }));
    }

    #[test]
    fn an_answerable_id_is_found_in_a_malformed_frame() {
        for (text, id) in [
            (r#"{"id":5,"type":"subscribe"}"#, Some(5)),
            (
                r#"{"id":5,"type":"subscribe","roomId":"not an id"}"#,
                Some(5),
            ),
            (r#"{"id":-5,"type":"ping"}"#, None),
            (r#"{"id":"5","type":"ping"}"#, None),
            (r#"{"type":7}"#, None),
            ("[]", None),
            ("", None),
            ("nonsense", None),
        ] {
            assert!(
                matches!(read(text), Read::Malformed { id: found } if found == id),
                "{text}"
            );
        }
    }

    #[test]
    fn a_frame_as_deep_as_a_well_is_refused() {
        let deep = format!(
            r#"{{"type":"ping","x":{}{}}}"#,
            "[".repeat(30_000),
            "]".repeat(30_000)
        );
        assert!(matches!(read(&deep), Read::Malformed { .. }));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange_to_be_read(text in ".*") {
            let _read = read(&text);
        }

        #[test]
        fn no_field_is_too_strange_to_be_read(
            kind in "auth|subscribe|send|read|history|ping|reauth|unsubscribe|edit",
            field in "id|roomId|since|content|clientMessageId|seq|before|limit|token|fileIds",
            value in prop_oneof![
                Just("null"), Just("-1"), Just("1e999"), Just("{}"), Just("[]"), Just("\"\\ud800\""),
                Just("18446744073709551616"), Just("true"), Just("\"x\""),
            ],
        ) {
            let _read = read(&format!(r#"{{"type":"{kind}","{field}":{value}}}"#));
        }
    }
}
