//! The few functions of Node-API that this module calls. Node itself provides them when it loads the module.

use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;

pub type Env = *mut c_void;
/// A JavaScript value; null stands for `undefined` where a function returns one.
pub type Raw = *mut c_void;
pub type Callback = extern "C" fn(Env, *mut c_void) -> Raw;

const AUTO_LENGTH: usize = usize::MAX;

extern "C" {
    fn napi_create_function(
        env: Env,
        name: *const c_char,
        length: usize,
        callback: Callback,
        data: *mut c_void,
        result: *mut Raw,
    ) -> c_int;
    fn napi_get_cb_info(
        env: Env,
        info: *mut c_void,
        argc: *mut usize,
        argv: *mut Raw,
        this: *mut Raw,
        data: *mut *mut c_void,
    ) -> c_int;
    fn napi_get_value_string_utf8(
        env: Env,
        value: Raw,
        buffer: *mut c_char,
        size: usize,
        length: *mut usize,
    ) -> c_int;
    fn napi_create_string_utf8(
        env: Env,
        text: *const c_char,
        length: usize,
        result: *mut Raw,
    ) -> c_int;
    fn napi_get_boolean(env: Env, value: bool, result: *mut Raw) -> c_int;
    fn napi_create_object(env: Env, result: *mut Raw) -> c_int;
    fn napi_set_named_property(env: Env, object: Raw, name: *const c_char, value: Raw) -> c_int;
    fn napi_throw_error(env: Env, code: *const c_char, message: *const c_char) -> c_int;
}

/// The arguments of a call, which all have to be strings.
pub fn strings<const N: usize>(env: Env, info: *mut c_void) -> Result<[String; N], String> {
    let mut values = [null_mut(); N];
    let mut count = N;
    // SAFETY: `values` has room for `count` values.
    let status = unsafe {
        napi_get_cb_info(
            env,
            info,
            &mut count,
            values.as_mut_ptr(),
            null_mut(),
            null_mut(),
        )
    };
    if status != 0 || count < N {
        return Err("too few arguments".into());
    }
    let mut texts = [const { String::new() }; N];
    for (text, value) in texts.iter_mut().zip(values) {
        *text = string(env, value).ok_or("an argument is no string")?;
    }
    Ok(texts)
}

fn string(env: Env, value: Raw) -> Option<String> {
    let mut length = 0;
    // SAFETY: without a buffer only the length is told.
    if unsafe { napi_get_value_string_utf8(env, value, null_mut(), 0, &mut length) } != 0 {
        return None;
    }
    let mut bytes = vec![0u8; length + 1];
    // SAFETY: the buffer has room for the text and the zero byte behind it.
    let status = unsafe {
        napi_get_value_string_utf8(
            env,
            value,
            bytes.as_mut_ptr().cast(),
            bytes.len(),
            &mut length,
        )
    };
    bytes.truncate(length);
    if status == 0 {
        String::from_utf8(bytes).ok()
    } else {
        None
    }
}

/// A JavaScript string.
pub fn text(env: Env, text: &str) -> Raw {
    let mut value = null_mut();
    // SAFETY: the length is that of the text.
    unsafe { napi_create_string_utf8(env, text.as_ptr().cast(), text.len(), &mut value) };
    value
}

/// A JavaScript boolean.
pub fn boolean(env: Env, truth: bool) -> Raw {
    let mut value = null_mut();
    // SAFETY: `value` takes the result.
    unsafe { napi_get_boolean(env, truth, &mut value) };
    value
}

/// A new JavaScript object.
pub fn object(env: Env) -> Raw {
    let mut value = null_mut();
    // SAFETY: `value` takes the result.
    unsafe { napi_create_object(env, &mut value) };
    value
}

/// Sets a property of an object.
pub fn set(env: Env, object: Raw, name: &std::ffi::CStr, value: Raw) {
    // SAFETY: the name ends with a zero byte.
    unsafe { napi_set_named_property(env, object, name.as_ptr(), value) };
}

/// Makes a function a property of an object.
pub fn define(env: Env, object: Raw, name: &std::ffi::CStr, callback: Callback) {
    let mut function = null_mut();
    // SAFETY: the name ends with a zero byte, `function` takes the result.
    unsafe {
        napi_create_function(
            env,
            name.as_ptr(),
            AUTO_LENGTH,
            callback,
            null_mut(),
            &mut function,
        )
    };
    set(env, object, name, function);
}

/// Throws an `Error` when the call returns to JavaScript.
pub fn throw(env: Env, message: &str) {
    let mut bytes: Vec<u8> = message.bytes().filter(|byte| *byte != 0).collect();
    bytes.push(0);
    // SAFETY: the message ends with a zero byte.
    unsafe { napi_throw_error(env, std::ptr::null(), bytes.as_ptr().cast()) };
}
