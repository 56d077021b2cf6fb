//! What a shell and a manual want to know about the command line itself.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Context, Failure};

/// `symbolon completions SHELL`
#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub fn run(&self, _context: &Context) -> Result<(), Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "symbolon", &mut text);
        print(&text)
    }
}

/// `symbolon man [--directory FOLDER]`
#[derive(Debug, Args)]
pub struct Man {
    /// Write the pages of all commands here; without it, the first page goes to stdout
    #[arg(long, visible_alias = "dir", value_name = "FOLDER")]
    directory: Option<PathBuf>,
}

impl Man {
    pub fn run(&self, _context: &Context) -> Result<(), Failure> {
        match &self.directory {
            Some(folder) => write_pages(folder).map_err(|error| Failure::io(folder.display(), &error)),
            None => print_first_page(),
        }
    }
}

fn print_first_page() -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut text)
        .map_err(|error| Failure::io("man page", &error))?;
    print(&text)
}

fn write_pages(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut symbolon = Cli::command();
    symbolon.build();
    write_page(folder, &symbolon)
}

/// A page for `command` and for each below it, named as `symbolon-key-create.1`.
fn write_page(folder: &Path, command: &clap::Command) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let page = clap_mangen::Man::new(command.clone());
    page.render(&mut File::create(folder.join(format!("{name}.1")))?)?;
    let below =
        command.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help");
    below.into_iter().try_for_each(|command| write_page(folder, command))
}

fn print(text: &[u8]) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::io("writing to stdout", &error))
        }
        _ => Ok(()),
    }
}
