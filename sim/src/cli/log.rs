//! Diagnostics of a run, stamped with virtual time and node.
//!
//! A line is `5s  n1  INFO  run{system="occ"}: message, other fields`. The wall clock appears nowhere: two equal runs log
//! the same lines.

use std::fmt::{self, Write};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// Starts logging to standard error, as loud as asked for.
pub(super) fn start(verbose: u8, quiet: bool, color: bool) {
    let level = match (quiet, verbose) {
        (true, _) => "error",
        (_, 0) => "warn",
        (_, 1) => "info",
        (_, 2) => "debug",
        (_, 3..) => "trace",
    };
    let filter = match std::env::var("RUST_LOG") {
        Ok(wanted) if verbose == 0 && !quiet && !wanted.is_empty() => EnvFilter::new(wanted),
        _ => EnvFilter::new(level),
    };
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(color)
        .with_writer(std::io::stderr)
        .event_format(VirtualTime)
        .try_init();
    // Somebody else in this process may have set up logging before; theirs stays.
    drop(started);
}

struct VirtualTime;

impl<S, F> FormatEvent<S, F> for VirtualTime
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, F>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (time, node) = (fields.time.as_deref().unwrap_or("-"), fields.node.as_deref().unwrap_or("-"));
        write!(writer, "{time:>14} {node:>5} {:>5} ", event.metadata().level())?;
        for span in context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
            write!(writer, "{}", span.name())?;
            if let Some(of_span) = span.extensions().get::<tracing_subscriber::fmt::FormattedFields<F>>()
                && !of_span.is_empty()
            {
                write!(writer, "{{{of_span}}}")?;
            }
            writer.write_str(": ")?;
        }
        writeln!(writer, "{}{}", fields.message, fields.rest)
    }
}

/// The fields of an event, the virtual time and the node apart.
#[derive(Default)]
struct Fields {
    time: Option<String>,
    node: Option<String>,
    message: String,
    rest: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "t" => self.time = Some(format!("{value:?}")),
            "node" => self.node = Some(format!("n{value:?}")),
            "message" => self.message = format!("{value:?}"),
            name => {
                // Writing to a string cannot fail.
                let _ = write!(self.rest, " {name}={value:?}");
            }
        }
    }
}
