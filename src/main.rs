//! The standalone executable: boots the Ruby VM and hands it over. What needs no Ruby (help, version,
//! mistakes on the command line) is answered without one.

use std::process::ExitCode;

use footplate::cli::{self, Parsed};
use footplate::vm::embed;

fn main() -> ExitCode {
    let argv: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|it| it.to_string_lossy().into_owned())
        .collect();
    if let Parsed::Exit {
        code,
        stdout,
        stderr,
    } = cli::parse(&argv)
    {
        print!("{stdout}");
        eprint!("{stderr}");
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
