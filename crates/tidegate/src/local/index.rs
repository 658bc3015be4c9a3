//! A URI that ends in a slash: the first index file that exists, by an internal redirect. Not here: the listing of directories.

use config::model::Level;

use super::disk::{self, DiskError, Kind};
use super::files::FileAnswer;
use super::paths::{climbing, climbs, map};
use super::request::{Eval, FileRequest, Refusal, text};

/// Looks for an index file.
pub(super) fn find(request: &FileRequest<'_>, eval: &mut Eval<'_>) -> Result<FileAnswer, Refusal> {
    let directory = map(request, eval)?.path;
    let mut checked = false;
    for index in request.settings.index.iter() {
        let name = text(index, eval);
        if name.starts_with(b"/") {
            return Ok(redirect(name.into_owned(), request.args));
        }
        let file = [directory.as_slice(), &name].concat();
        if climbs(&file, &[&request.settings.root.path, index]) {
            return Err(climbing(&file));
        }
        let Err(error) = disk::look(&file) else {
            return Ok(redirect([request.path, &name].concat(), request.args));
        };
        if error.is_loop() {
            return Err(Refusal::silent(403));
        }
        if error.is_impossible() || error.is_denied() {
            return Err(refuse(request, &file, error));
        }
        if !checked {
            check_directory(request, &directory, &file)?;
            checked = true;
        }
        if !error.is_absent() {
            return Err(Refusal::logged(500, Level::Crit, error.phrase(&file)));
        }
    }
    Err(forbidden(&directory))
}

fn redirect(uri: Vec<u8>, args: &[u8]) -> FileAnswer {
    FileAnswer::Internal { uri, args: args.to_vec() }
}

fn forbidden(directory: &[u8]) -> Refusal {
    let directory = String::from_utf8_lossy(directory);
    let text = format!("directory index of \"{directory}\" is forbidden");
    Refusal::logged(403, Level::Error, text)
}

/// Tells a missing directory (404) from one without an index (403).
fn check_directory(request: &FileRequest<'_>, path: &[u8], file: &[u8]) -> Result<(), Refusal> {
    let directory = match path.strip_suffix(b"/") {
        Some(shorter) if !shorter.is_empty() => shorter,
        _ => path,
    };
    match disk::look(directory) {
        Ok(Kind::Directory) => Ok(()),
        Ok(_) => {
            let directory = String::from_utf8_lossy(directory);
            let text = format!("\"{directory}\" is not a directory");
            Err(Refusal::logged(500, Level::Alert, text))
        }
        Err(error) if error.is_loop() => Err(Refusal::silent(403)),
        Err(error) if error.is_absent() => Err(refuse(request, file, error)),
        // The look at the index file did not fail for want of permission, so the directory can be searched.
        Err(error) if error.is_denied() => Ok(()),
        Err(error) => Err(Refusal::logged(500, Level::Crit, error.phrase(directory))),
    }
}

fn refuse(request: &FileRequest<'_>, file: &[u8], error: DiskError) -> Refusal {
    let file = String::from_utf8_lossy(file);
    if error.is_denied() {
        let text = format!("\"{file}\" is forbidden {error}");
        return Refusal::logged(403, Level::Error, text);
    }
    if !request.settings.log_not_found {
        return Refusal::silent(404);
    }
    let text = format!("\"{file}\" is not found {error}");
    Refusal::logged(404, Level::Error, text)
}
