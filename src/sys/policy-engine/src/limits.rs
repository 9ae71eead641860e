//! What ends a rule that would not end by itself.
//!
//! The engine looks at the time at every step of an evaluation, and lets us tell the time. So a rule ends at its time
//! limit, and a rule that calls itself without end, which the engine does not see, ends before the stack does: its
//! time is then over.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use regorus::utils::limits::{set_time_source, ExecutionTimerConfig, TimeSource};

/// Every other call waits while a rule is evaluated. Generated policies take milliseconds.
pub const TIMER: ExecutionTimerConfig = ExecutionTimerConfig {
    limit: Duration::from_secs(5),
    check_interval: NonZeroU32::new(1).unwrap(),
};
/// Of the 8 MiB that a main thread has; V8 takes one at most.
const MAX_STACK_BYTES: usize = 4 * 1024 * 1024;
const OVER: Duration = Duration::MAX;

/// Where the stack was when the evaluation began.
static BASE: AtomicUsize = AtomicUsize::new(0);
static ANCHOR: OnceLock<Instant> = OnceLock::new();

struct Clock;

impl TimeSource for Clock {
    fn now(&self) -> Option<Duration> {
        if BASE.load(Ordering::Relaxed).abs_diff(stack()) > MAX_STACK_BYTES {
            return Some(OVER);
        }
        Some(ANCHOR.get_or_init(Instant::now).elapsed())
    }
}

/// Makes ours the clock of the engine.
pub fn install() {
    // It can only be installed already.
    let _ = set_time_source(&Clock);
}

/// To be called before each evaluation.
pub fn begin() {
    BASE.store(stack(), Ordering::Relaxed);
}

#[inline(never)]
fn stack() -> usize {
    let here = 0u8;
    std::hint::black_box(&raw const here) as usize
}
