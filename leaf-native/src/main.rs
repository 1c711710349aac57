//! The `leaf` program: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    leaf_native::cli::main()
}
