//! Work on libuv's thread pool.

use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};

use crate::raise;

/// Runs a closure there and gives its result to JavaScript.
pub struct Work<T>(Option<Box<dyn FnOnce() -> bailiwick_bindings::Result<T> + Send>>);

/// A promise of what `work` gives.
pub(crate) fn promise<T: ToNapiValue + TypeName + Send + 'static>(
    work: impl FnOnce() -> bailiwick_bindings::Result<T> + Send + 'static,
) -> AsyncTask<Work<T>> {
    AsyncTask::new(Work(Some(Box::new(work))))
}

impl<T: ToNapiValue + TypeName + Send + 'static> Task for Work<T> {
    type Output = T;
    type JsValue = T;

    fn compute(&mut self) -> napi::Result<T> {
        let work = self.0.take().ok_or_else(|| napi::Error::from_reason("internal: a task ran twice"))?;
        work().map_err(raise)
    }

    fn resolve(&mut self, _env: Env, output: T) -> napi::Result<T> {
        Ok(output)
    }
}
