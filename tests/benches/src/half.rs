//! The other half of a figure: a program that does what a line of its input says, and answers with seconds.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Such a program; it ends with this.
pub(crate) struct Half {
    child: Child,
    asking: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Half {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().expect("the other half starts");
        let asking = child.stdin.take().expect("it is piped");
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, asking, answers }
    }

    /// Seconds of what the line says.
    pub(crate) fn measure(&mut self, line: &str) -> f64 {
        writeln!(self.asking, "{line}").expect("it listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        answer.trim().parse().expect("seconds")
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        // It may have ended by itself, having failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
