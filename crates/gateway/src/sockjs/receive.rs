//! Requests that read a session: one frame each, or many in an answer that lasts.

use std::convert::Infallible;

use axum::{
    body::Body,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{
    Stream, StreamExt,
    stream::{iter, once, unfold},
};

use super::{
    answer::{PLAIN, SCRIPT, answer},
    encode::{Frame, quote},
    mount::{Host, Mount, Visitor},
    session::Turn,
};

/// How frames are wrapped. The last two name the page's function that takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Polling,
    Streaming,
    EventSource,
    HtmlFile(Option<String>),
    Jsonp(Option<String>),
}

/// Some browsers show nothing of an answer before so much of it has come.
const PRELUDE_BYTES: usize = 2048;
const LONGEST_CALLBACK: usize = 128;

pub(super) async fn receive<H: Host>(
    mount: &Mount<H>,
    id: &str,
    visitor: &Visitor,
    style: Style,
) -> Response {
    if let Err(message) = style.check() {
        return answer(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, message);
    }
    let Ok(session) = mount.find_or_begin(id, visitor).await else {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    };
    let content_type = style.content_type();
    let body = match session.turn().await {
        Ok(turn) => frames(turn, style, mount.settings().response_bytes),
        Err(farewell) => {
            let last = style.wrap(&Frame::Close(farewell));
            chunks(style.prelude(), once(async { last }))
        }
    };
    answer(StatusCode::OK, content_type, body)
}

/// An answer being written.
struct Writing {
    turn: Turn,
    style: Style,
    /// Bytes that it may still have.
    left: usize,
}

fn frames(turn: Turn, style: Style, most: usize) -> Body {
    let prelude = style.prelude();
    let left = if style.is_one_frame() { 0 } else { most };
    let writing = Writing { turn, style, left };
    let frames = unfold(Some(writing), async |writing| {
        let mut writing = writing?;
        let frame = writing.turn.next().await;
        if frame == Frame::Heartbeat {
            writing.turn.hear();
        }
        let text = writing.style.wrap(&frame);
        writing.left = writing.left.saturating_sub(text.len());
        let is_last = writing.left == 0 || matches!(frame, Frame::Close(_));
        let next = if is_last {
            writing.turn.done();
            None
        } else {
            Some(writing)
        };
        Some((text, next))
    });
    chunks(prelude, frames)
}

fn chunks(prelude: String, texts: impl Stream<Item = String> + Send + 'static) -> Body {
    let prelude = iter((!prelude.is_empty()).then_some(prelude));
    let chunk = |text| Ok::<_, Infallible>(Bytes::from(text));
    Body::from_stream(prelude.chain(texts).map(chunk))
}

impl Style {
    fn is_one_frame(&self) -> bool {
        match self {
            Self::Polling | Self::Jsonp(_) => true,
            Self::Streaming | Self::EventSource | Self::HtmlFile(_) => false,
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        let (Self::HtmlFile(callback) | Self::Jsonp(callback)) = self else {
            return Ok(());
        };
        let Some(callback) = callback.as_deref().filter(|callback| !callback.is_empty()) else {
            return Err("\"callback\" parameter required");
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if callback.len() <= LONGEST_CALLBACK && callback.bytes().all(is_name) {
            Ok(())
        } else {
            Err("invalid \"callback\" parameter")
        }
    }

    const fn content_type(&self) -> &'static str {
        match self {
            Self::Polling | Self::Streaming | Self::Jsonp(_) => SCRIPT,
            Self::EventSource => "text/event-stream",
            Self::HtmlFile(_) => "text/html; charset=UTF-8",
        }
    }

    fn prelude(&self) -> String {
        match self {
            Self::Polling | Self::Jsonp(_) => String::new(),
            Self::Streaming => "h".repeat(PRELUDE_BYTES) + "\n",
            Self::EventSource => "\r\n".to_owned(),
            Self::HtmlFile(callback) => {
                let callback = callback.as_deref().unwrap_or_default();
                let page = format!(
                    r#"<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent.{callback};
    c.start();
    function p(d) {{c.message(d);}};
    window.onload = function() {{c.stop();}};
  </script>
"#
                );
                let padding = " ".repeat(PRELUDE_BYTES.saturating_sub(page.len()));
                page + &padding + "\r\n\r\n"
            }
        }
    }

    fn wrap(&self, frame: &Frame) -> String {
        let text = frame.text();
        match self {
            Self::Polling | Self::Streaming => text + "\n",
            Self::EventSource => format!("data: {text}\r\n\r\n"),
            Self::HtmlFile(_) => format!("<script>\np({});\n</script>\r\n", script(&text)),
            Self::Jsonp(callback) => {
                let callback = callback.as_deref().unwrap_or_default();
                // The comment keeps the answer from being taken for another kind of file.
                format!("/**/{callback}({});\r\n", script(&text))
            }
        }
    }
}

/// A text in a script, which it cannot end.
fn script(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 16);
    quote(text, &mut quoted);
    quoted.replace("</", "<\\/")
}
