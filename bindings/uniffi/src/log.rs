//! What the client writes into its log, for Kotlin's.

use std::fmt::{self, Write};
use std::sync::Arc;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// How much a line matters.
#[derive(Clone, Copy, Debug, uniffi::Enum)]
pub enum LogLevel {
    /// It failed.
    Error,
    /// It was got around.
    Warning,
    /// Worth knowing.
    Info,
    /// For those who look for a fault.
    Debug,
    /// Everything.
    Trace,
}

/// Takes lines of the log.
#[uniffi::export(with_foreign)]
pub trait LogSink: Send + Sync {
    /// One line, and the part of the program that it is from.
    fn line(&self, level: LogLevel, target: String, text: String);
}

/// Sends lines of this level and above to a sink, from now on until the process ends. Says whether it is the first that
/// asks; the log of a process has one sink.
#[uniffi::export]
pub fn log_to(sink: Arc<dyn LogSink>, level: LogLevel) -> bool {
    let layer = Forward(sink).with_filter(filter(level));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).is_ok()
}

struct Forward(Arc<dyn LogSink>);

impl<S: Subscriber> Layer<S> for Forward {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        let about = event.metadata();
        self.0.line(level_of(*about.level()), about.target().into(), line.0);
    }
}

/// An event's message, then its fields.
#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let gap = if self.0.is_empty() { "" } else { " " };
        let written = match field.name() {
            "message" => write!(self.0, "{gap}{value:?}"),
            name => write!(self.0, "{gap}{name}={value:?}"),
        };
        written.expect("a text takes whatever is written to it");
    }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warning => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

fn level_of(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warning,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}
