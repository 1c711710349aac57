//! Progress for people who wait: a moving line on a terminal, a plain line now and then elsewhere, nothing with -q.

use crate::output::{Out, count, human_bytes};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// How often a plain line is printed.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
/// The moving line of a stage of which the end is known.
const COUNTED: &str = "{spinner:.green} {prefix} {bar:28.green/dim} {percent:>3}% {wide_msg}";
/// How often the moving line moves.
const TICK: Duration = Duration::from_millis(100);

/// The progress of one stage: what it is called, and how far it is.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// The name of the stage, for plain lines; `None` when nobody is to be told.
    plain: Option<String>,
    begin: Instant,
    told: Instant,
}

impl Progress {
    /// A stage of which the end is not known.
    pub fn open_ended(out: Out, stage: &str) -> Self {
        Self::new(
            out,
            stage,
            ProgressBar::no_length(),
            "{spinner:.green} {prefix} {wide_msg}",
        )
    }

    /// A stage of `total` steps.
    pub fn counted(out: Out, stage: &str, total: u64) -> Self {
        Self::new(out, stage, ProgressBar::new(total), COUNTED)
    }

    /// The end is known now: `total` steps from the begin.
    pub fn expect(&self, total: u64) {
        self.bar.set_length(total);
        self.bar.set_style(style(COUNTED));
    }

    fn new(out: Out, stage: &str, bar: ProgressBar, template: &str) -> Self {
        let lively = out.is_lively();
        bar.set_draw_target(if lively {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        });
        bar.set_style(style(template));
        bar.set_prefix(stage.to_owned());
        if lively {
            bar.enable_steady_tick(TICK);
        }
        let now = Instant::now();
        let plain = (!lively && !out.quiet).then(|| stage.to_owned());
        Self {
            bar,
            plain,
            begin: now,
            told: now,
        }
    }

    /// How long the stage runs.
    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Says how far it is; `message` is told the time that has passed. Costs next to nothing when it is too soon.
    pub fn set(&mut self, position: u64, message: impl FnOnce(Duration) -> String) {
        let is_hidden = self.bar.is_hidden();
        if self.told.elapsed() < if is_hidden { PLAIN_EVERY } else { TICK } {
            return;
        }
        self.told = Instant::now();
        if !is_hidden {
            self.bar.set_position(position);
            self.bar.set_message(message(self.begin.elapsed()));
        } else if let Some(stage) = &self.plain {
            eprintln!("{stage}: {}", message(self.begin.elapsed()));
        }
    }

    /// Takes the moving line away.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("our own template is well formed");
    style.progress_chars("━╸─")
}

/// `12 rounds, 3.4 MB received at 5.6 MB/s, 0 B sent`.
pub fn traffic(rounds: u32, received: u64, sent: u64, elapsed: Duration) -> String {
    format!(
        "{}, {} received{}, {} sent",
        count(u64::from(rounds), "round"),
        human_bytes(received),
        rate(received, elapsed),
        human_bytes(sent)
    )
}

/// ` at 5.6 MB/s`, or nothing when too little time has passed to tell.
pub fn rate(bytes: u64, elapsed: Duration) -> String {
    let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    if ms < 200 || bytes == 0 {
        return String::new();
    }
    format!(" at {}/s", human_bytes(bytes.saturating_mul(1000) / ms))
}
