//! The standalone executable: boots the Ruby VM and hands it over. What needs no Ruby (help, version,
//! mistakes on the command line) is answered without one.

use std::io::Write;
use std::process::ExitCode;

use footplate::cli::{self, Parsed};
use footplate::vm::embed;

fn main() -> ExitCode {
    let argv: Vec<_> = std::env::args_os().skip(1).collect();
    if let Parsed::Exit {
        code,
        stdout,
        stderr,
    } = cli::parse(&argv)
    {
        // A failure means that the reader has seen enough and closed the pipe.
        let _ = std::io::stdout().write_all(stdout.as_bytes());
        let _ = std::io::stderr().write_all(stderr.as_bytes());
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    match embed::run() {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("footplate: {error}");
            ExitCode::FAILURE
        }
    }
}
