//! The language model that an operator may bind as `AI` (Workers AI). Without
//! the binding nobody is asked.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use worker::Env;

use super::glue;
use crate::port::Model;

/// One that follows instructions and costs little.
const NAME: &str = "@cf/meta/llama-3.1-8b-instruct-fast";

/// The binding, if there is one.
pub struct Bound(pub Rc<Env>);

impl Model for Bound {
    fn is_bound(&self) -> bool {
        glue::has_model(&self.0)
    }

    fn ask(&self, task: &'static str, text: String) -> LocalBoxFuture<'static, Option<String>> {
        let env = Rc::clone(&self.0);
        Box::pin(async move {
            let answer = glue::ask_model(&env, NAME, task, &text).await.ok()?;
            answer.as_string()
        })
    }
}
