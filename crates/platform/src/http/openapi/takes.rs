//! What a handler takes.

use axum::{
    extract::{Path, State},
    handler::Handler,
    http::{HeaderMap, Method},
};

use super::{Answers, Sketch};

/// Something that a handler takes: part of the request, or of the service itself.
pub trait Takes {
    fn describe(sketch: &mut Sketch<'_>);
}

impl<S> Takes for State<S> {
    fn describe(_: &mut Sketch<'_>) {}
}

impl Takes for HeaderMap {
    fn describe(_: &mut Sketch<'_>) {}
}

impl Takes for Method {
    fn describe(_: &mut Sketch<'_>) {}
}

/// The path itself says what is in it.
impl<T> Takes for Path<T> {
    fn describe(sketch: &mut Sketch<'_>) {
        sketch.refuses([400]);
    }
}

/// A handler whose types are described.
pub trait Described<T, S>: Handler<T, S> {
    fn describe(sketch: &mut Sketch<'_>);
}

macro_rules! described {
    ($($taken:ident)*) => {
        impl<H, F, A, S, M, $($taken),*> Described<(M, $($taken,)*), S> for H
        where
            H: Handler<(M, $($taken,)*), S> + FnOnce($($taken),*) -> F,
            F: Future<Output = A>,
            A: Answers,
            $($taken: Takes,)*
        {
            fn describe(sketch: &mut Sketch<'_>) {
                $($taken::describe(sketch);)*
                A::describe(sketch);
            }
        }
    };
}

described!();
described!(T1);
described!(T1 T2);
described!(T1 T2 T3);
described!(T1 T2 T3 T4);
described!(T1 T2 T3 T4 T5);
described!(T1 T2 T3 T4 T5 T6);
described!(T1 T2 T3 T4 T5 T6 T7);
