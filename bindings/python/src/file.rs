//! Where a stream comes from or goes to: a file of the system, or an object of Python's that looks like one.

use crate::failure::{Fault, wrong_type};
use crate::gate;
use crate::value;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use symbolon_client::error::FileError;
use symbolon_client::{Error, FileOptions, OutputFile};

/// A binary file object of Python's.
pub struct FileObject(Py<PyAny>);

impl FileObject {
    /// The object. Whether it has the methods shows when they are called.
    pub fn new(object: &Bound<'_, PyAny>) -> Self {
        Self(object.clone().unbind())
    }

    /// Does something with the object, attached.
    fn with<T>(&self, does: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> io::Result<T> {
        let done = gate::attached(|py| does(self.0.bind(py)));
        done.ok_or_else(|| io::Error::other("the interpreter exits"))?.map_err(io::Error::other)
    }
}

impl Read for FileObject {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len();
        let read = self.with(|object| {
            let read = object.call_method1("read", (wanted,))?;
            if read.is_none() {
                return Ok(None);
            }
            let bytes = value::bytes(&read, "what the file's read() gives")?;
            Ok(buffer.get_mut(..bytes.len()).map(|into| into.copy_from_slice(&bytes)).map(|()| bytes.len()))
        })?;
        // `None` is what a file that doesn't wait gives, and so is more than was asked for.
        read.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }
}

impl Write for FileObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written: Option<usize> =
            self.with(|object| object.call_method1("write", (PyBytes::new(object.py(), bytes),))?.extract())?;
        match written {
            Some(written) if written <= bytes.len() => Ok(written),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(|object| object.call_method0("flush").map(drop))
    }
}

impl Seek for FileObject {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.with(|object| {
            let position = match to {
                SeekFrom::Start(offset) => object.call_method1("seek", (offset, 0)),
                SeekFrom::Current(offset) => object.call_method1("seek", (offset, 1)),
                SeekFrom::End(offset) => object.call_method1("seek", (offset, 2)),
            };
            position?.extract()
        })
    }
}

/// What is decrypted.
pub enum Source {
    /// A file.
    File(File),
    /// An object.
    Object(FileObject),
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Object(object) => object.read(buffer),
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Object(object) => object.seek(to),
        }
    }
}

/// Where a ciphertext goes.
pub enum Sink {
    /// A file that appears when it is whole.
    File(OutputFile),
    /// An object.
    Object(FileObject),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Object(object) => object.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Object(object) => object.flush(),
        }
    }
}

/// What is to be decrypted, and whether it can be sought in: a path, or a binary file object.
pub fn source(given: &Bound<'_, PyAny>) -> PyResult<(Source, bool)> {
    if !is_path(given)? {
        has(given, "read", "source")?;
        let seekable = given.hasattr("seekable")? && given.call_method0("seekable")?.is_truthy()?;
        return Ok((Source::Object(FileObject::new(given)), seekable));
    }
    let path = value::path(given, "source")?;
    let opened = given.py().detach(|| {
        let file = File::open(&path)?;
        let seekable = file.metadata()?.is_file();
        Ok((Source::File(file), seekable))
    });
    opened.map_err(|cause| Fault::from(Error::from(FileError::io(&path, cause))).raise(given.py()))
}

/// Where a ciphertext is to go: a path, or a binary file object. A new file can be read by its owner only.
pub fn sink(given: &Bound<'_, PyAny>, options: FileOptions) -> PyResult<Sink> {
    if !is_path(given)? {
        has(given, "write", "target")?;
        return Ok(Sink::Object(FileObject::new(given)));
    }
    let path = value::path(given, "target")?;
    let created = given.py().detach(|| {
        let nobody = File::open("/dev/null").map_err(|cause| FileError::io(&path, cause))?;
        OutputFile::create(&path, &nobody, options)
    });
    created.map(Sink::File).map_err(|error| Fault::from(Error::from(error)).raise(given.py()))
}

fn is_path(given: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(given.is_instance_of::<PyString>() || given.hasattr("__fspath__")?)
}

fn has(given: &Bound<'_, PyAny>, method: &str, name: &str) -> PyResult<()> {
    if given.hasattr(method)? { Ok(()) } else { Err(wrong_type(given, name, "a path or a binary file")) }
}
