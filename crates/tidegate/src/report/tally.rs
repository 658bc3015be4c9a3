//! What is counted while lines go by, all of it in bounded memory; parts that were counted apart are merged. Not here: how
//! lines are read, and what follows from the counts (`findings`).

mod access;
mod causes;
mod errors;

pub(super) use access::{Access, Flow};
pub(super) use causes::CauseCount;
pub(super) use errors::{Errors, What};

use super::row::Reader;
use super::sniff::Form;
use super::top::Merge;
use crate::explain::nginx::ErrorLine;

/// Everything that was counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) lines: u64,
    /// Lines that could not be read.
    pub(super) unread: u64,
    /// Compressed logs that end before their last block.
    pub(super) cut_short: u64,
    pub(super) access: Access,
    pub(super) errors: Errors,
}

impl Tally {
    /// Counts one line.
    pub(super) fn take(&mut self, form: &Form, line: &[u8], reader: &mut Reader) {
        if line.is_empty() {
            return;
        }
        self.lines += 1;
        let read = match form {
            Form::Errors => ErrorLine::read(line).map(|line| self.errors.take(&line)),
            access => access.row(line, reader).map(|row| self.access.take(&row)),
        };
        self.unread += u64::from(read.is_none());
    }
}

impl Merge for Tally {
    fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.unread += other.unread;
        self.cut_short += other.cut_short;
        self.access.merge(other.access);
        self.errors.merge(other.errors);
    }
}
