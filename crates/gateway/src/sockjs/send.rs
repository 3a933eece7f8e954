//! What a client sends: arrays of texts, in the body of a request or as a message of a WebSocket.

use std::borrow::Cow;

use axum::{
    extract::ws::Message,
    http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use super::{
    answer::{PLAIN, answer},
    session::{NotTaken, Session},
};

/// The largest frame of what is spoken on a session, with every letter of it escaped once.
pub(super) const MAX_BODY_BYTES: usize = 128 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    /// The array may be the field `d` of a form.
    Jsonp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    Empty,
    Broken,
}

impl Unreadable {
    /// The texts that clients and the protocol's own tests know.
    fn text(self) -> &'static str {
        match self {
            Self::Empty => "Payload expected.",
            Self::Broken => "Broken JSON encoding.",
        }
    }
}

pub(super) async fn send(
    session: &Session,
    form: Form,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let texts = match read_body(form, headers, body) {
        Ok(texts) => texts,
        // The protocol asks for this status.
        Err(error) => return answer(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, error.text()),
    };
    session.hear();
    for text in texts {
        match session.send(Message::Text(text.into())).await {
            Ok(()) => {}
            Err(NotTaken::Gone) => return StatusCode::NOT_FOUND.into_response(),
            Err(NotTaken::Busy) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
    match form {
        Form::Json => answer(StatusCode::NO_CONTENT, PLAIN, ""),
        Form::Jsonp => answer(StatusCode::OK, PLAIN, "ok"),
    }
}

fn read_body(form: Form, headers: &HeaderMap, body: &[u8]) -> Result<Vec<String>, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_invalid| Unreadable::Broken)?;
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_form = kind.is_some_and(|kind| kind.starts_with(b"application/x-www-form-urlencoded"));
    let text = match form {
        Form::Jsonp if is_form => {
            let field = text.split('&').find_map(|pair| pair.strip_prefix("d="));
            Cow::Owned(field.map(decode_form).unwrap_or_default())
        }
        Form::Jsonp | Form::Json => Cow::Borrowed(text),
    };
    if text.is_empty() {
        return Err(Unreadable::Empty);
    }
    read_array(&text)
}

pub(super) fn read_array(text: &str) -> Result<Vec<String>, Unreadable> {
    serde_json::from_str(text).map_err(|_invalid| Unreadable::Broken)
}

/// A value of a form or a query. What is not text is shown by replacement characters.
pub(super) fn decode_form(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let escaped = match tail {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        bytes.push(match (first, escaped) {
            (_, Some((high, low))) => {
                rest = tail.get(2..).unwrap_or_default();
                high * 16 + low
            }
            (b'+', None) => b' ',
            (other, None) => *other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_form_is_decoded() {
        assert_eq!(decode_form("%5B%22x%22%5D"), "[\"x\"]");
        assert_eq!(decode_form("a+b%2"), "a b%2");
        assert_eq!(decode_form("%zz%"), "%zz%");
    }

    #[test]
    fn what_is_not_an_array_of_texts_is_broken() {
        assert_eq!(read_array("[]"), Ok(Vec::new()));
        assert_eq!(read_array(r#"["a","b"]"#).unwrap().len(), 2);
        for text in ["[\"a", "{}", "[1]", "\"a\"", "null"] {
            assert_eq!(read_array(text), Err(Unreadable::Broken), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..100), is_form in any::<bool>()) {
            let mut headers = HeaderMap::new();
            if is_form {
                let kind = "application/x-www-form-urlencoded".parse().unwrap();
                headers.insert(CONTENT_TYPE, kind);
            }
            for form in [Form::Json, Form::Jsonp] {
                let read = read_body(form, &headers, &body);
                prop_assert!(read.is_ok() || read.is_err());
            }
        }
    }
}
