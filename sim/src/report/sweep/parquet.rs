//! Parquet: a line per run, for data frames; behind the feature `parquet`, since it takes some crates to build.
//!
//! Columns have the names and the order of the CSV file. Numbers are unsigned and null where they are not known; what failed is one text,
//! as in the other formats. Rows are written in groups of a bounded size, so that memory does not grow with their number, and
//! uncompressed, since compression would need a further crate for what columns of dictionaries have saved already.
//!
//! Invariant: equal rows give equal bytes; the file has no time in it.
//!
//! What is deliberately absent: nested columns, which many readers do not take.

use std::{
    io::{self, Write},
    sync::Arc,
};

use parquet::{
    basic::{LogicalType, Repetition, Type as Physical},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::{Type, TypePtr},
};

use super::{build::verdict, html::word};
use crate::engine::sweep::Row;

/// Rows in a group.
const GROUP: usize = 1 << 16;

/// What a column holds of a row.
enum Column {
    Text(fn(&Row) -> String),
    Flag(fn(&Row) -> bool),
    Number(fn(&Row) -> u64),
    /// A number that may not be known.
    Known(fn(&Row) -> Option<u64>),
}

use Column::{Flag, Known, Number, Text};

/// All columns, in the order of the CSV file.
const COLUMNS: &[(&str, Column)] = &[
    ("system", Text(|row| row.system.clone())),
    ("seed", Number(|row| row.seed)),
    ("verdict", Text(|row| word(verdict(row.verdict)).to_owned())),
    ("fingerprint", Text(|row| row.fingerprint.clone())),
    ("bytes", Number(|row| row.bytes)),
    ("censored_at_ns", Number(|row| row.censored_at_ns)),
    ("conflicts", Number(|row| row.conflicts)),
    ("converged", Flag(|row| row.converged)),
    ("convergence_from_last_heal_ns", Known(|row| row.convergence_from_last_heal_ns)),
    ("convergence_from_last_update_ns", Known(|row| row.convergence_from_last_update_ns)),
    ("convergence_observed_ns", Known(|row| row.convergence_observed_ns)),
    ("convergence_time_ns", Known(|row| row.convergence_time_ns)),
    ("correct", Flag(|row| row.correct)),
    ("events", Number(|row| row.events)),
    ("fail", Number(|row| row.fail)),
    ("failed", Text(|row| row.failed.join("; "))),
    ("info", Number(|row| row.info)),
    ("lost_updates", Known(|row| row.lost_updates)),
    ("messages", Number(|row| row.messages)),
    ("metadata_bytes", Number(|row| row.metadata_bytes)),
    ("ok", Number(|row| row.ok)),
    ("phantom_updates", Known(|row| row.phantom_updates)),
    ("retries", Number(|row| row.retries)),
    ("stale_reads", Number(|row| row.stale_reads)),
    ("state_bytes", Number(|row| row.state_bytes)),
    ("visibility_latency_ns_p50", Known(|row| row.visibility_latency_ns_p50)),
    ("visibility_latency_ns_p99", Known(|row| row.visibility_latency_ns_p99)),
];

pub(super) fn write(rows: &mut dyn Iterator<Item = io::Result<Row>>, out: &mut (dyn Write + Send)) -> io::Result<()> {
    write_groups(rows, out, GROUP)
}

fn write_groups(
    rows: &mut dyn Iterator<Item = io::Result<Row>>,
    out: &mut (dyn Write + Send),
    size: usize,
) -> io::Result<()> {
    let properties = WriterProperties::builder().set_created_by("sim".to_owned()).build();
    let mut file = SerializedFileWriter::new(out, schema().map_err(failed)?, Arc::new(properties)).map_err(failed)?;
    loop {
        let group = rows.take(size).collect::<io::Result<Vec<Row>>>()?;
        if group.is_empty() {
            break;
        }
        let mut written = file.next_row_group().map_err(failed)?;
        COLUMNS.iter().try_for_each(|(_, column)| column.write(&group, &mut written)).map_err(failed)?;
        written.close().map_err(failed)?;
    }
    file.close().map(drop).map_err(failed)
}

fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        other => io::Error::other(other),
    }
}

fn schema() -> Result<TypePtr, ParquetError> {
    let field = |(name, column): &(&str, Column)| {
        let (physical, logical) = match column {
            Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Flag(_) => (Physical::BOOLEAN, None),
            Number(_) | Known(_) => (Physical::INT64, Some(LogicalType::integer(64, false))),
        };
        let repetition = if matches!(column, Known(_)) { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let field = Type::primitive_type_builder(name, physical);
        field.with_repetition(repetition).with_logical_type(logical).build().map(Arc::new)
    };
    let fields = COLUMNS.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("runs").with_fields(fields).build().map(Arc::new)
}

impl Column {
    fn write<W: Write + Send>(
        &self,
        rows: &[Row],
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        match self {
            Text(of) => {
                let texts: Vec<ByteArray> = rows.iter().map(|row| of(row).into_bytes().into()).collect();
                put::<ByteArrayType, W>(group, &texts, None)
            }
            Flag(of) => put::<BoolType, W>(group, &rows.iter().map(of).collect::<Vec<_>>(), None),
            Number(of) => put::<Int64Type, W>(group, &rows.iter().map(|row| of(row) as i64).collect::<Vec<_>>(), None),
            Known(of) => {
                let known: Vec<i64> = rows.iter().filter_map(of).map(|number| number as i64).collect();
                let levels: Vec<i16> = rows.iter().map(|row| i16::from(of(row).is_some())).collect();
                put::<Int64Type, W>(group, &known, Some(&levels))
            }
        }
    }
}

fn put<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let column = group.next_column()?;
    let mut column = column.ok_or_else(|| ParquetError::General("the schema has fewer columns".to_owned()))?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::{
        file::reader::{FileReader, SerializedFileReader},
        record::Field,
    };

    fn row(seed: u64) -> Row {
        let row = serde_json::json!({
            "seed": seed, "system": "süß", "fingerprint": format!("{seed:x}"), "verdict": "fail",
            "failed": ["a = 1", "b, \"c\""], "converged": seed.is_multiple_of(2), "correct": true,
            "convergence_time_ns": seed.is_multiple_of(2).then_some(seed * 3), "censored_at_ns": u64::MAX,
            "stale_reads": 1, "ok": 2, "fail": 3, "info": 4, "messages": 5, "bytes": 6, "state_bytes": 7,
            "metadata_bytes": 8, "conflicts": 9, "retries": 10, "events": 11, "lost_updates": 12,
        });
        serde_json::from_value(row).expect("a row")
    }

    fn written(seeds: u64, size: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_groups(&mut (0..seeds).map(|seed| Ok(row(seed))), &mut bytes, size).expect("a vector takes everything");
        bytes
    }

    /// The cells as CSV shows them.
    fn cells(field: &Field) -> String {
        match field {
            Field::Null => String::new(),
            Field::Str(text) => text.clone(),
            Field::Bool(flag) => flag.to_string(),
            Field::ULong(number) => number.to_string(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn what_is_read_back_is_what_the_csv_file_says() {
        let bytes = written(10, 4);
        assert_eq!(bytes, written(10, 4), "equal rows give equal bytes");
        let file = SerializedFileReader::new(bytes::Bytes::from(bytes)).expect("a file");
        assert_eq!(file.metadata().num_row_groups(), 3);
        let mut csv = Vec::new();
        super::super::csv::write(&mut (0..10).map(|seed| Ok(row(seed))), &mut csv).expect("a vector");
        let csv = String::from_utf8(csv).expect("UTF-8");
        let mut lines = csv.split("\r\n");
        let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
        assert_eq!(COLUMNS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), header);
        let mut count = 0;
        for (read, line) in file.get_row_iter(None).expect("rows").zip(lines) {
            let read = read.expect("a row");
            let quoted = |(_, field)| match cells(field) {
                text if text.contains([',', '"']) => format!("\"{}\"", text.replace('"', "\"\"")),
                text => text,
            };
            assert_eq!(read.get_column_iter().map(quoted).collect::<Vec<_>>().join(","), line);
            count += 1;
        }
        assert_eq!(count, 10);
    }

    #[test]
    fn no_rows_are_a_file_too() {
        let file = SerializedFileReader::new(bytes::Bytes::from(written(0, 4))).expect("a file");
        assert_eq!(file.metadata().file_metadata().num_rows(), 0);
    }

    #[test]
    fn a_row_that_cannot_be_read_is_an_error() {
        let mut rows = [Ok(row(1)), Err(io::Error::other("torn"))].into_iter();
        let error = write(&mut rows, &mut Vec::new()).expect_err("no row");
        assert_eq!(error.to_string(), "torn");
    }
}
