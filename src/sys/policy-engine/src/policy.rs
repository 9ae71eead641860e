//! One Rego policy and what it remembers.
//!
//! A request is asked about under the name of its message: `data.agent_policy.<name>`, with the request as `input`. The
//! answer is a boolean, or `{ "allowed": bool, "ops": [JSON patch] }`; the patch of an allowed request is applied to
//! `data`, which begins as `{"pstate": {}}` (agent-api 8). Nothing here knows any request by name.

use std::num::{NonZeroU32, NonZeroUsize};

use regorus::{Engine, PolicyLengthConfig, Value};

use crate::{limits, nesting};

/// The limits of upstream's agent: what the generator of policies writes must fit.
const LENGTHS: PolicyLengthConfig = PolicyLengthConfig {
    max_col: NonZeroU32::new(64 * 1024).unwrap(),
    max_file_bytes: NonZeroUsize::new(16 * 1024 * 1024).unwrap(),
    max_lines: NonZeroUsize::new(200_000).unwrap(),
};
/// An error about a policy shows the line it is about, which may be long.
const MAX_ERROR_BYTES: usize = 2048;
const MAX_PRINT_BYTES: usize = 4096;

/// What the policy says to a request; `allowed` is none when it has no rule of that name.
pub struct Answer {
    pub allowed: Option<bool>,
    /// What its rules printed, at most 4 KiB.
    pub prints: String,
}

pub struct Policy {
    engine: Engine,
}

impl Policy {
    /// Takes the text of a policy. The error says what is wrong with it, with line and column.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !nesting::is_bearable(text) {
            return Err("the policy is nested too deeply".into());
        }
        let mut engine = Engine::new();
        engine.set_strict_builtin_errors(false);
        engine.set_gather_prints(true);
        engine.set_policy_length_config(LENGTHS);
        engine.set_execution_timer_config(limits::TIMER);
        let state = Value::from_json_str(r#"{"pstate": {}}"#).map_err(told)?;
        engine.add_data(state).map_err(told)?;
        engine
            .add_policy("agent_policy".into(), text.into())
            .map_err(told)?;
        // Rules are analysed before the first evaluation; what that finds belongs to the policy, not to a request.
        limits::begin();
        engine.eval_query("true".into(), false).map_err(told)?;
        Ok(Self { engine })
    }

    /// Asks the rule `name` about `input`, a JSON document, and remembers what the answer says to remember.
    pub fn check(&mut self, name: &str, input: &str) -> Result<Answer, String> {
        let answer = self.evaluate(name, input);
        // A request may be large, and the next one may be long in coming.
        self.engine.set_input(Value::Undefined);
        let prints = self.engine.take_prints().map_err(told)?.join(" ");
        Ok(Answer {
            allowed: answer?,
            prints: cut(prints, MAX_PRINT_BYTES),
        })
    }

    fn evaluate(&mut self, name: &str, input: &str) -> Result<Option<bool>, String> {
        self.engine.set_input_json(input).map_err(told)?;
        limits::begin();
        let query = format!("data.agent_policy.{name}");
        let results = self.engine.eval_query(query, false).map_err(told)?.result;
        let Some(first) = results.first() else {
            return Ok(None);
        };
        match (results.len(), first.expressions.as_slice()) {
            (1, [only]) => self.verdict(&only.value).map(Some),
            _ => Err("a rule has more than one result".into()),
        }
    }

    fn verdict(&mut self, value: &Value) -> Result<bool, String> {
        if let Value::Bool(allowed) = value {
            return Ok(*allowed);
        }
        let fields = value.as_object().map_err(|_| NO_VERDICT)?;
        let allowed = fields.get(&Value::from("allowed"));
        let Some(Value::Bool(allowed)) = allowed else {
            return Err(NO_VERDICT.into());
        };
        match fields.get(&Value::from("ops")) {
            Some(ops) if *allowed && *ops != Value::Null => self.patch(ops)?,
            _ => (),
        }
        Ok(*allowed)
    }

    /// Changes the state by a JSON patch, as a whole or not at all.
    fn patch(&mut self, ops: &Value) -> Result<(), String> {
        let ops = serde_json::to_value(ops).map_err(told)?;
        let patch: json_patch::Patch = serde_json::from_value(ops).map_err(told)?;
        let mut state = serde_json::to_value(self.engine.get_data()).map_err(told)?;
        json_patch::patch(&mut state, &patch).map_err(told)?;
        if !state.is_object() {
            return Err("a patch has left no state".into());
        }
        let state = Value::from_json_str(&state.to_string()).map_err(told)?;
        self.engine.clear_data();
        self.engine.add_data(state).map_err(told)
    }
}

const NO_VERDICT: &str = "a rule is neither a boolean nor an object with a boolean `allowed`";

fn told(error: impl std::fmt::Display) -> String {
    cut(error.to_string(), MAX_ERROR_BYTES)
}

fn cut(mut text: String, max_bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(max_bytes));
    text
}
