//! The policy engine as a module for Node: `load(text)` and `check(name, input)`.
//!
//! A guest has one policy, so the module holds one. A text that cannot be used leaves the one before in force. A fault
//! of the engine becomes an error of the call, and of every call after it: what it has left behind cannot be trusted.

mod limits;
mod nesting;
mod node_api;
mod policy;

use std::cell::RefCell;
use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null_mut;

use node_api::{Env, Raw};
use policy::{Answer, Policy};

enum Held {
    Nothing,
    One(Box<Policy>),
    Broken,
}

thread_local! {
    static HELD: RefCell<Held> = const { RefCell::new(Held::Nothing) };
}

const FAULT: &str = "the policy engine has failed";

/// `load(text)`: puts a policy in force.
extern "C" fn load(env: Env, info: *mut c_void) -> Raw {
    let parsed = node_api::strings::<1>(env, info).and_then(|[text]| {
        catch_unwind(|| Policy::parse(&text)).unwrap_or_else(|_| Err(FAULT.into()))
    });
    match parsed {
        Ok(policy) => HELD.with(|held| *held.borrow_mut() = Held::One(Box::new(policy))),
        Err(error) => node_api::throw(env, &error),
    }
    null_mut()
}

/// `check(name, input)`: `{ allowed?, prints }`.
extern "C" fn check(env: Env, info: *mut c_void) -> Raw {
    let answer = node_api::strings::<2>(env, info).and_then(|[name, input]| ask(&name, &input));
    match answer {
        Ok(Answer { allowed, prints }) => {
            let result = node_api::object(env);
            if let Some(allowed) = allowed {
                node_api::set(env, result, c"allowed", node_api::boolean(env, allowed));
            }
            node_api::set(env, result, c"prints", node_api::text(env, &prints));
            result
        }
        Err(error) => {
            node_api::throw(env, &error);
            null_mut()
        }
    }
}

fn ask(name: &str, input: &str) -> Result<Answer, String> {
    HELD.with(|held| {
        let mut held = held.borrow_mut();
        let answer = match &mut *held {
            Held::One(policy) => catch_unwind(AssertUnwindSafe(|| policy.check(name, input))),
            Held::Nothing => return Err("no policy is loaded".into()),
            Held::Broken => return Err(FAULT.into()),
        };
        answer.unwrap_or_else(|_| {
            *held = Held::Broken;
            Err(FAULT.into())
        })
    })
}

#[no_mangle]
extern "C" fn node_api_module_get_api_version_v1() -> i32 {
    8
}

#[no_mangle]
extern "C" fn napi_register_module_v1(env: Env, exports: Raw) -> Raw {
    // The default hook prints what it was about, which may be a request.
    std::panic::set_hook(Box::new(|_| ()));
    limits::install();
    node_api::define(env, exports, c"load", load);
    node_api::define(env, exports, c"check", check);
    exports
}
