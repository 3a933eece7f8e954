//! What a handler answers.

use axum::response::Response;

use super::Sketch;

/// Something that a handler answers.
pub trait Answers {
    fn describe(sketch: &mut Sketch<'_>);
}

/// Its form is said where it is routed.
impl Answers for Response {
    fn describe(_: &mut Sketch<'_>) {}
}

impl<T: Answers, E> Answers for Result<T, E> {
    fn describe(sketch: &mut Sketch<'_>) {
        T::describe(sketch);
    }
}
