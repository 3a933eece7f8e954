//! Routers that remember what they route. They are written like axum's.

use axum::{
    Router,
    http::Method,
    routing::{MethodFilter, MethodRouter},
};

use schemars::JsonSchema;

use super::{Described, Operation, Sketch};

/// Routes of a service, before it has its state.
pub struct Routes<S> {
    router: Router<S>,
    operations: Vec<Operation>,
}

/// What a path does for each method.
pub struct Methods<S> {
    router: MethodRouter<S>,
    operations: Vec<Operation>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self {
            router: Router::new(),
            operations: Vec::new(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn route(mut self, path: &'static str, methods: Methods<S>) -> Self {
        let operations = methods.operations.into_iter();
        let operations = operations.map(|operation| Operation { path, ..operation });
        self.operations.extend(operations);
        Self {
            router: self.router.route(path, methods.router),
            ..self
        }
    }

    pub fn with_state(self, state: S) -> Router {
        self.router.with_state(state)
    }

    /// The router, for one that has the same state.
    pub fn into_router(self) -> Router<S> {
        self.router
    }

    pub fn operations(self) -> Vec<Operation> {
        self.operations
    }
}

macro_rules! methods {
    ($($name:ident $method:ident),+ $(,)?) => {
        $(
            pub fn $name<H, T, S>(handler: H) -> Methods<S>
            where
                H: Described<T, S>,
                T: 'static,
                S: Clone + Send + Sync + 'static,
            {
                Methods {
                    router: MethodRouter::new(),
                    operations: Vec::new(),
                }
                .$name(handler)
            }
        )+

        impl<S: Clone + Send + Sync + 'static> Methods<S> {
            $(
                #[must_use]
                pub fn $name<H, T>(self, handler: H) -> Self
                where
                    H: Described<T, S>,
                    T: 'static,
                {
                    self.on((MethodFilter::$method, Method::$method), handler)
                }
            )+
        }
    };
}

methods! {
    get GET,
    post POST,
    put PUT,
    patch PATCH,
    delete DELETE,
}

impl<S: Clone + Send + Sync + 'static> Methods<S> {
    fn on<H, T>(mut self, (filter, method): (MethodFilter, Method), handler: H) -> Self
    where
        H: Described<T, S>,
        T: 'static,
    {
        self.operations.push(Operation {
            method,
            path: "",
            handler: std::any::type_name::<H>(),
            sketch: H::describe,
            succeeds: vec![200],
            refuses: Vec::new(),
            media_types: Vec::new(),
            data: None,
            takes: None,
        });
        Self {
            router: self.router.on(filter, handler),
            ..self
        }
    }

    /// The method before makes something new, if it is not there already.
    #[must_use]
    pub fn creates(self) -> Self {
        self.with(|operation| operation.succeeds = vec![200, 201])
    }

    /// The method before answers before it is done.
    #[must_use]
    pub fn accepts(self) -> Self {
        self.with(|operation| operation.succeeds = vec![202])
    }

    /// The method before may refuse with what its types do not tell.
    #[must_use]
    pub fn refuses(self, statuses: &'static [u16]) -> Self {
        self.with(|operation| operation.refuses = statuses.to_vec())
    }

    /// The method before answers in this form, without the envelope.
    #[must_use]
    pub fn gives(self, media_type: &'static str) -> Self {
        self.with(|operation| operation.media_types.push(media_type))
    }

    /// The method before answers with a `T` as `data`, which its types do not tell.
    #[must_use]
    pub fn answers<T: JsonSchema>(self) -> Self {
        self.with(|operation| operation.data = Some(as_data::<T>))
    }

    /// The method before may go well with these statuses, too.
    #[must_use]
    pub fn also(self, statuses: &'static [u16]) -> Self {
        self.with(|operation| operation.succeeds.extend(statuses))
    }

    /// The method before takes a body of this form, which its types do not tell.
    #[must_use]
    pub fn takes(self, media_type: &'static str) -> Self {
        self.with(|operation| operation.takes = Some(media_type))
    }

    fn with(mut self, change: impl FnOnce(&mut Operation)) -> Self {
        if let Some(operation) = self.operations.last_mut() {
            change(operation);
        }
        self
    }
}

fn as_data<T: JsonSchema>(sketch: &mut Sketch<'_>) {
    sketch.answers::<T>();
}
