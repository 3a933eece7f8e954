//! A report in the form that was asked for: JSON, CSV, or a page.

use std::fmt::Write;

use axum::{
    extract::FromRequestParts,
    http::{
        HeaderMap, HeaderValue,
        header::{ACCEPT, CONTENT_TYPE, VARY},
        request::Parts,
    },
    response::{Html, IntoResponse, Response},
};
use doran_contract::job::Report;
use doran_platform::http::openapi::{Sketch, Takes};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Csv,
    Page,
}

impl Form {
    /// The first of those that `Accept` names.
    fn wanted(headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
        let types = accept.unwrap_or_default().split(',');
        let mut known =
            types.filter_map(
                |part| match part.split(';').next().unwrap_or_default().trim() {
                    "text/csv" => Some(Self::Csv),
                    "text/html" => Some(Self::Page),
                    "application/json" | "*/*" => Some(Self::Json),
                    _ => None,
                },
            );
        known.next().unwrap_or(Self::Json)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Form {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::wanted(&parts.headers))
    }
}

impl Takes for Form {
    fn describe(_: &mut Sketch<'_>) {}
}

/// Says that the answer depends on what was asked for.
pub(super) fn varying(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    let vary = HeaderValue::from_static("accept");
    response.headers_mut().append(VARY, vary);
    response
}

/// A line for each day; with `details` one for each room and bot after it.
pub(super) fn csv(reports: &[Report], details: bool) -> Response {
    let mut text = String::from(
        "date,newUsers,activeUsers,messages,botMessages,roomsCreated,roomId,botId\r\n",
    );
    for report in reports {
        let date = report.date;
        line(
            &mut text,
            format_args!(
                "{date},{},{},{},{},{},,",
                report.new_users,
                report.active_users,
                report.messages,
                report.bot_messages,
                report.rooms_created,
            ),
        );
        if !details {
            continue;
        }
        for room in &report.rooms {
            line(
                &mut text,
                format_args!("{date},,,{},,,{},", room.messages, room.room_id),
            );
        }
        for bot in &report.bots {
            line(
                &mut text,
                format_args!("{date},,,,{},,,{}", bot.messages, bot.bot_id),
            );
        }
    }
    let csv = HeaderValue::from_static("text/csv; charset=utf-8");
    ([(CONTENT_TYPE, csv)], text).into_response()
}

fn line(text: &mut String, fields: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    write!(text, "{fields}\r\n").ok();
}

/// Numbers, dates and ids alone are in it: nothing that has to be escaped.
pub(super) fn page(title: &str, reports: &[Report], details: bool) -> Response {
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>body{{font:1rem system-ui;margin:2rem}}td,th{{padding:.2rem .8rem;text-align:right}}\
         td:first-child,th:first-child{{text-align:left}}</style><h1>{title}</h1>"
    );
    if reports.is_empty() {
        html.push_str("<p>No day has been reported yet. The job <code>daily-report</code> makes one report a day.</p>");
        return Html(html).into_response();
    }
    html.push_str(
        "<table><tr><th>Day<th>New people<th>Active<th>Messages<th>By bots<th>New rooms</tr>",
    );
    for report in reports {
        let date = report.date;
        line(
            &mut html,
            format_args!(
                "<tr><td><a href=\"/api/batch/reports/{date}\">{date}</a><td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
                report.new_users,
                report.active_users,
                report.messages,
                report.bot_messages,
                report.rooms_created,
            ),
        );
    }
    html.push_str("</table>");
    for report in reports.iter().filter(|_| details) {
        let rooms = report
            .rooms
            .iter()
            .map(|room| (room.room_id.to_string(), room.messages));
        table(&mut html, "Rooms", rooms);
        let bots = report
            .bots
            .iter()
            .map(|bot| (bot.bot_id.to_string(), bot.messages));
        table(&mut html, "Bots", bots);
    }
    Html(html).into_response()
}

fn table(html: &mut String, heading: &str, rows: impl Iterator<Item = (String, u64)>) {
    line(html, format_args!("<h2>{heading}</h2><table>"));
    for (id, messages) in rows {
        line(html, format_args!("<tr><td>{id}<td>{messages}</tr>"));
    }
    html.push_str("</table>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &'static str) -> Form {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        Form::wanted(&headers)
    }

    #[test]
    fn the_first_known_type_is_the_form() {
        assert_eq!(wanted("text/csv"), Form::Csv);
        assert_eq!(
            wanted("text/html,application/xml;q=0.9,*/*;q=0.8"),
            Form::Page
        );
        assert_eq!(wanted("application/json, text/csv"), Form::Json);
        assert_eq!(wanted("image/png"), Form::Json);
        assert_eq!(Form::wanted(&HeaderMap::new()), Form::Json);
    }
}
